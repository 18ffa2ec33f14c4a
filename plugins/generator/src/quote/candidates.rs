use std::collections::HashMap;
use std::ops::Range;

use postil_contract::{EncodeError, Encoder, Passage};

use crate::sentence::{Sentence, SentenceKind, pieces, sentences};

/// The distinct sentences of each passage, and what to encode for them.
pub(super) struct Candidates<'a> {
    passages: Vec<Vec<Quotable<'a>>>,
    inputs: Vec<Passage<'a>>,
}

/// A sentence as one passage has it.
pub(super) struct Quotable<'a> {
    pub(super) text: &'a str,
    /// Where it starts in the passage's text.
    pub(super) start: usize,
    /// Its place among the inputs to encode.
    pub(super) input: usize,
}

impl<'a> Candidates<'a> {
    /// Headings, questions and code are not offered as answers unless a passage has nothing else: the first
    /// two resemble a question more than any answer does, and the last is no sentence. A sentence that repeats in a passage counts once.
    pub(super) fn of(
        passages: &[Passage<'a>],
        encoder: &dyn Encoder,
        with_titles: bool,
    ) -> Result<Self, EncodeError> {
        let mut known: HashMap<Passage<'a>, usize> = HashMap::new();
        let mut inputs = Vec::new();
        let mut of_passages = Vec::with_capacity(passages.len());
        for passage in passages {
            let title = if with_titles && encoder.room(passage.title)? > 0 { passage.title } else { "" };
            let mut quotables: Vec<Quotable<'a>> = Vec::new();
            for range in quotable_ranges(passage.text, title, encoder)? {
                let text = &passage.text[range.clone()];
                let input = *known.entry(Passage { title, text }).or_insert_with_key(|input| {
                    inputs.push(*input);
                    inputs.len() - 1
                });
                if quotables.iter().all(|known| known.input != input) {
                    quotables.push(Quotable { text, start: range.start, input });
                }
            }
            of_passages.push(quotables);
        }
        Ok(Self { passages: of_passages, inputs })
    }

    pub(super) fn inputs(&self) -> &[Passage<'a>] {
        &self.inputs
    }

    pub(super) fn passages(&self) -> &[Vec<Quotable<'a>>] {
        &self.passages
    }

    /// Passage and sentence of the first logit that is no number.
    pub(super) fn first_not_finite(&self, logits: &[f64]) -> Option<(usize, usize)> {
        let of_passage =
            |quotables: &Vec<Quotable<'_>>| quotables.iter().position(|q| !logits[q.input].is_finite());
        self.passages.iter().enumerate().find_map(|(z, quotables)| Some((z, of_passage(quotables)?)))
    }
}

/// Where the sentences to choose from are, each within the encoder's window beside `title`.
fn quotable_ranges(text: &str, title: &str, encoder: &dyn Encoder) -> Result<Vec<Range<usize>>, EncodeError> {
    let all = sentences(text);
    let answers = |s: &&Sentence| {
        !matches!(s.kind, SentenceKind::Heading | SentenceKind::Code)
            && !text[s.range.clone()].ends_with(['?', '？'])
    };
    let mut chosen: Vec<&Sentence> = all.iter().filter(answers).collect();
    if chosen.is_empty() {
        chosen = all.iter().collect();
    }
    let room = encoder.room(title)?;
    let mut ranges = Vec::with_capacity(chosen.len());
    for Sentence { range, .. } in chosen {
        let sentence = &text[range.clone()];
        // ASCII never has more tokens than bytes: spares reading most sentences twice.
        if sentence.is_ascii() && sentence.len() <= room {
            ranges.push(range.clone());
            continue;
        }
        let split = pieces(sentence, room, |piece| encoder.tokens(piece))?;
        ranges.extend(split.into_iter().map(|piece| range.start + piece.start..range.start + piece.end));
    }
    Ok(ranges)
}
