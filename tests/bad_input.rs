//! Bad input gets a typed error, and the database stays as it was.

use std::sync::Arc;

use postil::HashEncoder;
use postil::ingest::{IngestOptions, Input};
use postil::plugin::EncodeError;
use postil::{Database, Document, Error, SearchOptions, StorageError};

fn open(path: &std::path::Path) -> Result<Database, Error> {
    Database::options().encoder(Arc::new(HashEncoder::default())).open(path)
}

#[test]
fn empty_documents_and_questions_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home.path().join("d.postil")).unwrap();
    for text in ["", " \n\t ", "\u{a0}\u{2003}"] {
        assert!(matches!(db.ingest(Document::new("k", text)), Err(Error::EmptyDocument { .. })), "{text:?}");
        assert!(matches!(db.ask(text), Err(Error::EmptyQuestion)), "{text:?}");
    }
    assert!(matches!(db.ingest(Document::new("", "text")), Err(Error::Storage(_))));
    assert_eq!(db.stat().unwrap().documents, 0);
}

#[test]
fn a_question_longer_than_the_model_reads_says_both_lengths() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home.path().join("d.postil")).unwrap();
    db.ingest(Document::new("k", "text")).unwrap();
    let question = "why ".repeat(5000);
    match db.ask(&question) {
        Err(Error::Encode(EncodeError::TooLong { got_tokens, max_tokens, .. })) => {
            assert!(got_tokens > max_tokens);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn k_is_at_least_one_and_may_exceed_the_rows() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home.path().join("d.postil")).unwrap();
    db.ingest(Document::new("k", "some text")).unwrap();
    assert!(db.search("text", &SearchOptions::new(0)).is_err());
    assert_eq!(db.search("text", &SearchOptions::new(1000)).unwrap().len(), 1);
}

#[test]
fn a_repeated_key_keeps_the_first_and_reports_the_second() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home.path().join("d.postil")).unwrap();
    let documents = [Document::new("k", "first words"), Document::new("k", "second words")];
    let report = db.ingest_all(documents, &postil::Watch::default()).unwrap();
    assert_eq!((report.added, report.skipped.len()), (1, 1));
    assert!(matches!(report.skipped[0].error, Error::RepeatedKey { .. }));
    assert_eq!(db.text("k").unwrap().unwrap(), "first words");
}

#[test]
fn a_path_that_is_something_else_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("notes.txt");
    std::fs::write(&file, "mine").unwrap();
    assert!(open(&file).is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");

    let folder = home.path().join("project");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("main.c"), "int main;").unwrap();
    assert!(open(&folder).is_err());
    let names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["main.c"]);
}

#[test]
fn a_database_keeps_to_its_encoder() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("d.postil");
    drop(open(&path).unwrap());
    let other = Arc::new(HashEncoder::with_dimension(64));
    match Database::options().encoder(other).open(&path) {
        Err(Error::EncoderMismatch { database_fingerprint, given_fingerprint, .. }) => {
            assert_ne!(database_fingerprint, given_fingerprint);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_document_above_the_limit_says_both_sizes() {
    let home = tempfile::tempdir().unwrap();
    let store = postil::StoreOptions { max_text_bytes: 1000, ..postil::StoreOptions::default() };
    let db = Database::options()
        .encoder(Arc::new(HashEncoder::default()))
        .store(store)
        .open(home.path().join("d.postil"))
        .unwrap();
    let file = home.path().join("long.txt");
    std::fs::write(&file, "x ".repeat(1000)).unwrap();
    let report = db
        .ingest_from(&Input::Paths(vec![file]), &IngestOptions::default(), &postil::Watch::default())
        .unwrap();
    match &report.skipped[0].error {
        Error::FileTooLarge { got_bytes: 2000, max_bytes: 1000, .. } => {}
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        db.ingest(Document::new("k", "y ".repeat(1000))),
        Err(Error::Storage(StorageError::TextTooLong { .. }))
    ));
    assert_eq!(db.stat().unwrap().documents, 0);
}

#[test]
fn a_single_line_of_many_megabytes_becomes_passages_within_the_window() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home.path().join("d.postil")).unwrap();
    let text = "0123456789abcdef".repeat(20_000);
    db.ingest(Document::new("unbroken", &text)).unwrap();
    let passages = db.store().passages("unbroken").unwrap().unwrap();
    assert_eq!(passages.first().unwrap().range.start, 0);
    assert_eq!(passages.last().unwrap().range.end, text.len() as u64);
}

#[test]
fn deep_folders_are_walked_to_the_bottom() {
    let home = tempfile::tempdir().unwrap();
    let mut folder = home.path().join("deep");
    for _ in 0..200 {
        folder.push("d");
    }
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("bottom.txt"), "It is dark here.").unwrap();
    let db = open(&home.path().join("d.postil")).unwrap();
    let input = Input::Paths(vec![home.path().join("deep")]);
    assert_eq!(
        db.ingest_from(&input, &IngestOptions::default(), &postil::Watch::default()).unwrap().added,
        1
    );
}
