//! Everything that grows with its input has a limit, which a caller can set, and whose error has
//! both numbers.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

use std::sync::Arc;

use postil::HashEncoder;
use postil::ingest::{IngestOptions, Input};
use postil::{Database, Document, Error, SearchOptions, StorageError, StoreOptions};

fn open(home: &tempfile::TempDir, store: StoreOptions) -> Database {
    let options = Database::options().encoder(Arc::new(HashEncoder::default())).store(store);
    options.max_question_bytes(100).open(home.path().join("d.postil")).unwrap()
}

/// The error of ingesting one document, and that it is refused as a whole.
fn refused(store: StoreOptions, document: Document) -> StorageError {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home, store);
    let key = document.key.clone();
    let error = db.ingest(document.clone()).unwrap_err();
    assert!(db.get(&key).unwrap().is_none());
    // Beside others, it alone is skipped.
    let others = [Document::new("before", "one"), document, Document::new("after", "two")];
    let report = db.ingest_all(others, &postil::Watch::default()).unwrap();
    assert_eq!((report.added, report.skipped.len()), (2, 1));
    match error {
        Error::Storage(error) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn metadata_titles_and_passages_have_limits_with_both_numbers() {
    let limited = StoreOptions {
        max_metadata_bytes: 50,
        max_title_bytes: 20,
        max_passages: 3,
        ..StoreOptions::default()
    };
    let cases = [
        (Document::new("k", "text").with_metadata("field", "v".repeat(60)), "bytes of metadata", 65, 50),
        (Document::new("k", "text").with_title("t".repeat(21)), "bytes of a title", 21, 20),
        (Document::new("k", "One more sentence of a few words. ".repeat(400)), "passages", 0, 3),
    ];
    for (document, expected, least, most) in cases {
        match refused(limited.clone(), document) {
            StorageError::TooMuch { key, what, got, limit } => {
                assert_eq!((key.as_str(), what, limit), ("k", expected, most));
                assert!(got == least || (least == 0 && got > limit), "{got}");
                let text = StorageError::TooMuch { key, what, got, limit }.to_string();
                assert!(text.contains(&got.to_string()) && text.contains(&limit.to_string()), "{text}");
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn what_is_at_a_limit_is_taken() {
    let home = tempfile::tempdir().unwrap();
    let limited = StoreOptions { max_metadata_bytes: 10, max_title_bytes: 20, ..StoreOptions::default() };
    let db = open(&home, limited);
    let document =
        Document::new("k".repeat(4096), "text").with_title("t".repeat(20)).with_metadata("ab", 1i64);
    assert_eq!(db.ingest(document).unwrap().added, 1);
    assert!(matches!(
        db.ingest(Document::new("k".repeat(4097), "text")),
        Err(Error::Storage(StorageError::Key { got: 4097, limit: 4096 }))
    ));
}

#[test]
fn a_question_over_the_limit_is_refused_before_it_is_read() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home, StoreOptions::default());
    let question = "w".repeat(101);
    let refused = |result: Result<(), Error>| match result.unwrap_err() {
        Error::QuestionTooLong { got_bytes: 101, max_bytes: 100 } => {}
        other => panic!("{other}"),
    };
    refused(db.search(&question, &SearchOptions::new(1)).map(|_| ()));
    refused(db.ask(&question).map(|_| ()));
    db.search(&question[..100], &SearchOptions::new(1)).unwrap();
}

#[test]
fn a_record_over_the_limit_is_skipped_with_both_sizes() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home, StoreOptions { max_text_bytes: 100, ..StoreOptions::default() });
    let file = home.path().join("r.jsonl");
    let line = |id: u32, text: &str| format!("{{\"id\":{id},\"text\":\"{text}\"}}\n");
    std::fs::write(&file, line(1, "short") + &line(2, &"x".repeat(200)) + &line(3, "short too")).unwrap();
    let report = db
        .ingest_from(&Input::Paths(vec![file]), &IngestOptions::default(), &postil::Watch::default())
        .unwrap();
    assert_eq!((report.added, report.skipped.len()), (2, 1));
    let error = report.skipped[0].error.to_string();
    assert!(error.contains("218 bytes") && error.contains("100"), "{error}");
}
