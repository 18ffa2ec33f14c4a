use std::ops::Range;

use postil_generator::Mode;
use postil_storage::{Hit, Metadata, Value};

use super::{Alternative, Answer, Citation, PassagePosterior};
use crate::extract::OffsetMap;
use crate::ingest::FILE_FIELD;
use crate::{Database, Error, Retrieved};

impl Answer {
    /// What there is to say without any passage.
    pub(crate) fn from_nothing(mode: Mode) -> Self {
        Self {
            text: String::new(),
            mode,
            no_answer: true,
            finished: true,
            probability: 0.0,
            no_answer_probability: 1.0,
            abstention_score: 1.0,
            tokens: Vec::new(),
            words: Vec::new(),
            spans: Vec::new(),
            passages: Vec::new(),
            citations: Vec::new(),
            evidence: None,
            alternatives: Vec::new(),
        }
    }

    /// Puts an answer over passages back into the documents they are of.
    pub(super) fn placed(
        db: &Database,
        found: &[Retrieved],
        answer: postil_generator::Answer,
    ) -> Result<Self, Error> {
        let place = |citations: Vec<postil_generator::Citation>| -> Result<Vec<Citation>, Error> {
            citations
                .into_iter()
                .map(|citation| Citation::placed(db, &found[citation.passage].hit, citation))
                .collect()
        };
        let mut alternatives = Vec::with_capacity(answer.alternatives.len());
        for other in answer.alternatives {
            alternatives.push(Alternative {
                text: other.text,
                probability: other.probability,
                citations: place(other.citations)?,
            });
        }
        let shortened = answer.shortened;
        let passage =
            |(z, ((found, prior), posterior)): (usize, ((&Retrieved, &f64), &f64))| PassagePosterior {
                document: found.hit.key.clone(),
                title: found.hit.passage_title.clone(),
                source: source(&found.hit.key, Some(&found.hit.metadata)),
                range: found.hit.source_range.clone(),
                score: found.hit.score,
                words: found.words,
                prior: *prior,
                posterior: *posterior,
                shortened: shortened.contains(&z),
            };
        Ok(Self {
            text: answer.text,
            mode: answer.mode,
            no_answer: answer.no_answer,
            finished: answer.finished,
            probability: answer.probability,
            no_answer_probability: answer.no_answer_probability,
            abstention_score: answer.abstention_score,
            tokens: answer.tokens,
            words: answer.words,
            spans: answer.spans,
            passages: found
                .iter()
                .zip(&answer.priors)
                .zip(&answer.posteriors)
                .enumerate()
                .map(passage)
                .collect(),
            citations: place(answer.citations)?,
            evidence: answer.evidence,
            alternatives,
        })
    }
}

impl Citation {
    fn placed(db: &Database, hit: &Hit, citation: postil_generator::Citation) -> Result<Self, Error> {
        let stored = db.get(&hit.key)?;
        let map = stored.as_ref().map(|stored| stored.source_map.as_slice()).filter(|map| !map.is_empty());
        let map = map
            .map(OffsetMap::from_bytes)
            .transpose()
            .map_err(|source| Error::OffsetMap { key: hit.key.clone(), source })?;
        let start = hit.range.start as usize;
        let in_document = |within: Range<usize>| {
            let in_text = start + within.start..start + within.end;
            let range = map.as_ref().map_or(in_text.clone(), |map| map.source_range(in_text));
            range.start as u64..range.end as u64
        };
        Ok(Self {
            passage: citation.passage,
            document: hit.key.clone(),
            title: hit.passage_title.clone(),
            source: source(&hit.key, stored.as_ref().map(|stored| &stored.metadata)),
            range: in_document(citation.range),
            quote: citation.quote,
            copied: citation.copied.map(in_document),
            posterior: citation.posterior,
            prior: citation.prior,
            score: citation.score,
            leave_one_out: citation.leave_one_out,
        })
    }
}

/// What to show a reader for a document.
fn source(key: &str, metadata: Option<&Metadata>) -> String {
    match metadata.and_then(|metadata| metadata.get(FILE_FIELD)) {
        Some(Value::String(file)) => file.clone(),
        _ => key.to_owned(),
    }
}
