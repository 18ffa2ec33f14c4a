//! Questions of held-out documents that need no labels, and how well an encoder finds their
//! passages.

use postil_contract::{EncodeError, Encoder, Passage};

use crate::{Objective, Random, Section, Source};

/// Passages that are kept back with the questions, at most: those of the held-out documents, then
/// others among which they have to be found.
const MOST_PASSAGES: usize = 4_000;
/// Most questions.
const MOST_QUESTIONS: usize = 600;
/// Texts that are encoded at once.
const AT_ONCE: usize = 256;

/// Questions with the passages among which each has its own.
#[derive(Clone, Debug, Default)]
pub struct HeldOut {
    /// Questions, each with the index of its passage.
    questions: Vec<(String, usize)>,
    passages: Vec<Section>,
}

/// Divides documents into those to train on and those held out: every tenth in the order of a hash
/// of its first passage, so that the division does not depend on the order of documents.
pub fn divide(documents: Vec<Source>) -> (Vec<Source>, Vec<Source>) {
    let mut keyed: Vec<(u64, Source)> = documents
        .into_iter()
        .map(|document| {
            let text = document.passages.first().map_or("", |passage| &*passage.text);
            // FNV-1a.
            let hash =
                text.bytes().chain(document.title.bytes()).fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
                    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
                });
            (hash, document)
        })
        .collect();
    keyed.sort_by_key(|(hash, _)| *hash);
    let (mut held_out, mut rest) = (Vec::new(), Vec::new());
    for (index, (_, document)) in keyed.into_iter().enumerate() {
        if index % 10 == 9 { held_out.push(document) } else { rest.push(document) }
    }
    (rest, held_out)
}

impl HeldOut {
    /// Makes questions of `held_out` documents: headings where they have any, else some words of a
    /// passage, which the passage then lacks. `others` are documents whose passages are in the way.
    pub fn of(held_out: &[Source], others: &[Source]) -> Self {
        let mut random = Random::new(0x4845_4c44, 0);
        let mut made = Self::default();
        let mut places: Vec<(&Source, usize)> = held_out
            .iter()
            .flat_map(|document| (0..document.passages.len()).map(move |at| (document, at)))
            .collect();
        random.shuffle(&mut places);
        for (document, at) in places.into_iter().take(MOST_PASSAGES) {
            let mut passage = document.passages[at].clone();
            if made.questions.len() < MOST_QUESTIONS {
                // Half of the questions are headings, where there are any: a heading alone is often
                // in several places.
                let first = if random.chance(0.5) { Objective::Heading } else { Objective::Crop };
                let pair = first.pair(document, at, &mut random);
                if let Some((query, own)) = pair.or_else(|| Objective::Crop.pair(document, at, &mut random)) {
                    made.questions.push((query, made.passages.len()));
                    passage = own;
                }
            }
            made.passages.push(passage);
        }
        let others = others.iter().flat_map(|document| &document.passages);
        made.passages.extend(others.take(MOST_PASSAGES.saturating_sub(made.passages.len())).cloned());
        made
    }

    /// Number of questions.
    pub fn questions(&self) -> usize {
        self.questions.len()
    }

    /// Rank of each question's passage, from 0, among all by exact products.
    ///
    /// # Errors
    /// The encoder's.
    pub fn ranks(&self, encoder: &dyn Encoder) -> Result<Vec<usize>, EncodeError> {
        let mut passages = Vec::new();
        for part in self.passages.chunks(AT_ONCE) {
            let part: Vec<_> =
                part.iter().map(|section| Passage { title: &section.heading, text: &section.text }).collect();
            passages.extend(fitting(encoder, &part)?);
        }
        let mut ranks = Vec::with_capacity(self.questions.len());
        for part in self.questions.chunks(AT_ONCE) {
            let texts: Vec<_> = part.iter().map(|(text, _)| Passage { title: "", text }).collect();
            // Neighbours as questions are as long as passages, and are cut likewise.
            for (query, (_, own)) in fitting(encoder, &texts)?.iter().zip(part) {
                let score =
                    |passage: &Vec<f32>| -> f32 { query.iter().zip(passage).map(|(a, b)| a * b).sum() };
                let least = score(&passages[*own]);
                let before =
                    passages.iter().enumerate().filter(|(at, passage)| at != own && score(passage) >= least);
                ranks.push(before.count());
            }
        }
        Ok(ranks)
    }
}

/// Vectors of passages; what is longer than the encoder reads is cut at a word.
fn fitting(encoder: &dyn Encoder, passages: &[Passage<'_>]) -> Result<Vec<Vec<f32>>, EncodeError> {
    let mut cut = Vec::with_capacity(passages.len());
    for passage in passages {
        let room = encoder.room(passage.title)?.max(1);
        let tokens = encoder.tokens(passage.text)?;
        let end = tokens.get(room - 1).map_or(passage.text.len(), |token| token.start);
        cut.push(Passage { title: passage.title, text: passage.text.get(..end).unwrap_or(passage.text) });
    }
    Ok(encoder.encode_passages(&cut)?.rows().map(<[f32]>::to_vec).collect())
}

/// Reciprocal of each rank, 0 beyond the tenth: the score by which two encoders are compared.
pub fn reciprocal(ranks: &[usize]) -> Vec<f64> {
    ranks.iter().map(|rank| if *rank < 10 { 1.0 / (rank + 1) as f64 } else { 0.0 }).collect()
}

/// Share of the ranks among the first `k`.
pub fn recall(ranks: &[usize], k: usize) -> f64 {
    ranks.iter().filter(|rank| **rank < k).count() as f64 / ranks.len().max(1) as f64
}
