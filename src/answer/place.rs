use std::ops::Range;

use super::{Alternative, Answer, Citation, PassagePosterior};
use crate::extract::OffsetMap;
use crate::ingest::source_of;
use crate::{Error, Retrieved};
use postil_generator::Mode;
use postil_storage::Store;

impl Answer {
    /// What there is to say without any passage.
    pub(crate) fn from_nothing(mode: Mode) -> Self {
        Self {
            text: String::new(),
            mode,
            no_answer: true,
            finished: true,
            probability: 0.0,
            confidence: None,
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
        store: &Store,
        found: &[Retrieved],
        answer: postil_generator::Answer,
    ) -> Result<Self, Error> {
        let places = Places::of(store, found)?;
        let cite = |citations: Vec<postil_generator::Citation>| {
            citations.into_iter().map(|citation| places.cite(citation)).collect::<Result<Vec<_>, Error>>()
        };
        let alternative = |other: postil_generator::Candidate| {
            let citations = cite(other.citations)?;
            let postil_generator::Candidate { text, probability, confidence, .. } = other;
            Ok::<_, Error>(Alternative { text, probability, confidence, citations })
        };
        let shortened = answer.shortened;
        let passage =
            |(z, ((found, prior), posterior)): (usize, ((&Retrieved, &f64), &f64))| PassagePosterior {
                document: found.hit.key.clone(),
                title: found.hit.title.clone(),
                heading: found.hit.heading.clone(),
                source: source_of(&found.hit.key, &found.hit.metadata),
                range: found.hit.source_range.clone(),
                copies: found.copies.clone(),
                score: found.hit.score,
                relevance: found.relevance,
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
            confidence: answer.confidence,
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
            citations: cite(answer.citations)?,
            evidence: answer.evidence,
            alternatives: answer.alternatives.into_iter().map(alternative).collect::<Result<_, _>>()?,
        })
    }
}

/// Passages with the maps back to their documents, as these were when they were searched.
struct Places<'a> {
    store: &'a Store,
    found: &'a [Retrieved],
    /// `None` for a document whose text is its original.
    maps: Vec<Option<OffsetMap>>,
}

impl<'a> Places<'a> {
    fn of(store: &'a Store, found: &'a [Retrieved]) -> Result<Self, Error> {
        let map = |Retrieved { hit, .. }: &Retrieved| match hit.source_map.as_slice() {
            [] => Ok(None),
            bytes => OffsetMap::from_bytes(bytes)
                .map(Some)
                .map_err(|source| Error::OffsetMap { key: hit.key.clone(), source }),
        };
        Ok(Self { store, found, maps: found.iter().map(map).collect::<Result<_, _>>()? })
    }

    fn cite(&self, citation: postil_generator::Citation) -> Result<Citation, Error> {
        let Retrieved { hit, relevance, copies, .. } = &self.found[citation.passage];
        let map = &self.maps[citation.passage];
        let in_original = |Range { start, end }: Range<u64>| match map {
            Some(map) => {
                let range = map.source_range(start as usize..end as usize);
                range.start as u64..range.end as u64
            }
            None => start..end,
        };
        let (quoted, shown) = hit.in_document(citation.range);
        let line = match map {
            None => self.store.line(hit.row, quoted.start)?,
            Some(_) => None,
        };
        Ok(Citation {
            passage: citation.passage,
            document: hit.key.clone(),
            title: hit.title.clone(),
            heading: hit.heading.clone(),
            source: source_of(&hit.key, &hit.metadata),
            range: in_original(quoted),
            line,
            quote: hit.text[shown].to_owned(),
            copied: citation.copied.map(|copied| in_original(hit.in_document(copied).0)),
            copies: copies.clone(),
            posterior: citation.posterior,
            prior: citation.prior,
            score: hit.score,
            relevance: *relevance,
            leave_one_out: citation.leave_one_out,
        })
    }
}
