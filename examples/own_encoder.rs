//! A custom encoder, which counts letters. A real one calls a model, local or remote.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::ops::Range;
use std::sync::Arc;

use postil::plugin::{Embeddings, EncodeError, Encoder, EncoderProfile, Passage, Similarity};
use postil::{Database, Document, SearchOptions};

const LETTERS: usize = 26;

struct LetterEncoder(EncoderProfile);

impl LetterEncoder {
    fn new() -> Self {
        Self(EncoderProfile {
            name: "letters".to_owned(),
            // Any change of the vectors must change it: a database keeps to one fingerprint.
            fingerprint: "letters-1".to_owned(),
            dimension: LETTERS,
            max_tokens: 512,
            similarity: Similarity::Cosine,
            score_scale: 20.0,
        })
    }

    fn encode<'a>(&self, texts: impl Iterator<Item = [&'a str; 2]>) -> Result<Embeddings, EncodeError> {
        let vector = |texts: [&str; 2]| {
            let mut counts = [0.0f32; LETTERS];
            // A vector of zeros has no direction, so no text may have one.
            counts[0] = 1e-3;
            for letter in texts.iter().flat_map(|text| text.bytes()).filter(u8::is_ascii_alphabetic) {
                counts[usize::from(letter.to_ascii_lowercase() - b'a')] += 1.0;
            }
            counts
        };
        let reason = "its vectors are not of one length".to_owned();
        Embeddings::new(LETTERS, texts.flat_map(vector).collect())
            .ok_or_else(|| EncodeError::Model { model: self.0.name.clone(), reason })
    }
}

impl Encoder for LetterEncoder {
    fn profile(&self) -> &EncoderProfile {
        &self.0
    }

    /// Words are its tokens; how long passages become is counted in them.
    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError> {
        let start = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
        Ok(text.split_whitespace().map(|word| start(word)..start(word) + word.len()).collect())
    }

    fn room(&self, title: &str) -> Result<usize, EncodeError> {
        Ok(self.0.max_tokens.saturating_sub(title.split_whitespace().count()))
    }

    fn encode_questions(&self, questions: &[&str]) -> Result<Embeddings, EncodeError> {
        self.encode(questions.iter().map(|question| [*question, ""]))
    }

    fn encode_passages(&self, passages: &[Passage<'_>]) -> Result<Embeddings, EncodeError> {
        self.encode(passages.iter().map(|passage| [passage.title, passage.text]))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = tempfile::tempdir()?;
    let db =
        Database::options().encoder(Arc::new(LetterEncoder::new())).open(home.path().join("l.postil"))?;
    db.ingest(Document::new("zoo", "Zebras doze."))?;
    db.ingest(Document::new("sea", "The sea is still."))?;
    let hits = db.search("dozing zebras", &SearchOptions::new(1))?;
    println!("{} {:.3}", hits[0].key, hits[0].score);
    assert_eq!(hits[0].key, "zoo");
    Ok(())
}
