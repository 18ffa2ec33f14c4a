use std::collections::HashMap;
use std::ops::Range;

use postil_contract::{EncodeError, Encoder, Passage};
use postil_text::{Room, Sentence, SentenceKind, sentences, split};

/// The distinct sentences of each passage, and the encoder's inputs for them.
pub(super) struct Candidates<'a> {
    passages: Vec<Vec<Quotable<'a>>>,
    inputs: Vec<Passage<'a>>,
}

/// A sentence of one passage.
pub(super) struct Quotable<'a> {
    pub(super) text: &'a str,
    /// Byte in the passage's text where the sentence starts.
    pub(super) start: usize,
    /// Index of the sentence among the encoder's inputs.
    pub(super) input: usize,
}

impl<'a> Candidates<'a> {
    /// Collects the candidates. Headings, questions and code are offered as answers only when no
    /// passage has anything else: headings and questions resemble a question more than any answer
    /// does, and code has no sentences. A sentence that repeats in a passage counts once.
    pub(super) fn of(
        passages: &[Passage<'a>],
        encoder: &dyn Encoder,
        with_titles: bool,
    ) -> Result<Self, EncodeError> {
        let all: Vec<Vec<Sentence>> = passages.iter().map(|passage| sentences(passage.text)).collect();
        let answers = |passage: &Passage<'_>, sentence: &Sentence| {
            !matches!(sentence.kind, SentenceKind::Heading | SentenceKind::Code)
                && !passage.text[sentence.range.clone()].ends_with(['?', '？'])
        };
        let is_answered = passages.iter().zip(&all).any(|(p, all)| all.iter().any(|s| answers(p, s)));
        let mut known: HashMap<Passage<'a>, usize> = HashMap::new();
        let mut inputs = Vec::new();
        let mut of_passages = Vec::with_capacity(passages.len());
        for (passage, all) in passages.iter().zip(&all) {
            let offered = all.iter().filter(|sentence| !is_answered || answers(passage, sentence));
            let title = if with_titles && encoder.room(passage.title)? > 0 { passage.title } else { "" };
            let mut quotables: Vec<Quotable<'a>> = Vec::new();
            for range in within_window(passage.text, offered, title, encoder)? {
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

    /// Passage and sentence of the first logit that is not finite; `None` when all are.
    pub(super) fn first_not_finite(&self, logits: &[f64]) -> Option<(usize, usize)> {
        let of_passage =
            |quotables: &Vec<Quotable<'_>>| quotables.iter().position(|q| !logits[q.input].is_finite());
        self.passages.iter().enumerate().find_map(|(z, quotables)| Some((z, of_passage(quotables)?)))
    }
}

/// The sentences' ranges, each within the encoder's window beside `title`.
fn within_window<'s>(
    text: &str,
    sentences: impl Iterator<Item = &'s Sentence>,
    title: &str,
    encoder: &dyn Encoder,
) -> Result<Vec<Range<usize>>, EncodeError> {
    let room = encoder.room(title)?;
    let mut ranges = Vec::new();
    for Sentence { range, .. } in sentences {
        let sentence = &text[range.clone()];
        // ASCII text never has more tokens than bytes, so most sentences need not be tokenized
        // here.
        if sentence.is_ascii() && sentence.len() <= room {
            ranges.push(range.clone());
            continue;
        }
        let limits = Room { tokens: room, bytes: usize::MAX };
        for part in split(text, range.clone(), limits, |part| encoder.tokens(part)) {
            ranges.push(part?.range);
        }
    }
    Ok(ranges)
}
