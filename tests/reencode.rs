//! A database gets another encoder in one step, or stays as it was.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]
#![cfg(feature = "encoder")]

use std::ops::Range;
use std::sync::Arc;

use postil::plugin::{Embeddings, EncodeError, Encoder, EncoderProfile, Passage};
use postil::{Database, Document, Error, HashEncoder, SearchOptions, Watch};

/// The stand-in under another name, which may fail.
struct Other {
    inner: HashEncoder,
    profile: EncoderProfile,
    fails: bool,
}

fn other(fails: bool) -> Arc<dyn Encoder> {
    let inner = HashEncoder::default();
    let profile = inner.profile().clone();
    let profile = EncoderProfile { name: "other".into(), fingerprint: "f".repeat(64), ..profile };
    Arc::new(Other { inner, profile, fails })
}

impl Encoder for Other {
    fn profile(&self) -> &EncoderProfile {
        &self.profile
    }

    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError> {
        self.inner.tokens(text)
    }

    fn room(&self, title: &str) -> Result<usize, EncodeError> {
        self.inner.room(title)
    }

    fn encode_questions(&self, questions: &[&str]) -> Result<Embeddings, EncodeError> {
        self.inner.encode_questions(questions)
    }

    fn encode_passages(&self, passages: &[Passage<'_>]) -> Result<Embeddings, EncodeError> {
        match self.fails {
            true => Err(EncodeError::Model { model: "other".into(), reason: "broken".into() }),
            false => self.inner.encode_passages(passages),
        }
    }
}

#[test]
fn a_database_gets_another_encoder_with_all_its_documents_or_stays_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("d.postil");
    let first: Arc<dyn Encoder> = Arc::new(HashEncoder::default());
    let open = |encoder: &Arc<dyn Encoder>| Database::options().encoder(Arc::clone(encoder)).open(&path);
    let db = open(&first).unwrap();
    for key in ["a", "b", "c"] {
        db.ingest(Document::new(key, format!("Document {key} tells of travel."))).unwrap();
    }
    // Somebody has it open.
    let reencode = |encoder| Database::options().encoder(encoder).reencode(&path, &Watch::default());
    assert!(matches!(reencode(other(false)), Err(Error::Storage(_))));
    db.close().unwrap();

    assert!(matches!(reencode(other(true)), Err(Error::Encode(_))));
    assert_eq!(open(&first).unwrap().stat().unwrap().documents, 3);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);

    let done = reencode(other(false)).unwrap();
    assert_eq!((done.after.as_str(), done.passages), ("other", 3));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    assert!(matches!(open(&first), Err(Error::EncoderMismatch { .. })));
    let db = open(&other(false)).unwrap();
    let hits = db.search("Document b tells of travel.", &SearchOptions::new(1)).unwrap();
    assert_eq!((hits[0].key.as_str(), db.stat().unwrap().documents), ("b", 3));
    db.close().unwrap();

    assert_eq!(reencode(other(false)).unwrap().passages, 0);
    assert_eq!(reencode(first.clone()).unwrap().passages, 3);
    assert_eq!(open(&first).unwrap().text("c").unwrap().unwrap(), "Document c tells of travel.");
}
