//! A database of documents from first ingest to answer, through the public API.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

use std::sync::Arc;

use postil::HashEncoder;
use postil::ingest::{IngestOptions, Input};
use postil::{AskOptions, Cancel, Database, Document, Filter, Mode, SearchOptions, Watch};

fn open(path: &std::path::Path) -> Database {
    Database::options().encoder(Arc::new(HashEncoder::default())).open(path).unwrap()
}

fn handbook() -> [Document; 3] {
    [
        Document::markdown(
            "leave.md",
            "# Leave\n\nEvery parent gets forty days of parental leave. Ask your manager early.\n\n\
             ## Sick leave\n\nCall the office before nine when you are ill.\n",
        )
        .with_title("Handbook")
        .with_metadata("year", 2024),
        Document::new(
            "travel.txt",
            "Trains are booked by the front desk. Hotels cost at most 120 euros a night.",
        )
        .with_metadata("year", 2019),
        Document::new("security.txt", "Passwords have sixteen characters or more. Never share a badge.")
            .with_metadata("year", 2021),
    ]
}

#[test]
fn an_answer_quotes_the_document_and_says_where() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home.path().join("handbook.postil"));
    for document in handbook() {
        assert_eq!(db.ingest(document).unwrap().added, 1);
    }
    for mode in [Mode::Sequence, Mode::Token] {
        let options = AskOptions::new().mode(mode);
        let answer = db.ask_with("How many days of parental leave does every parent get?", &options).unwrap();
        assert!(answer.text.contains("forty"), "{answer:?}");
        let citation = &answer.citations()[0];
        assert_eq!(citation.document, "leave.md");
        let text = db.text("leave.md").unwrap().unwrap();
        let range = citation.range.start as usize..citation.range.end as usize;
        assert_eq!(text[range], citation.quote);
        let mass: f64 = answer.citations().iter().map(|citation| citation.posterior).sum();
        assert!((mass - 1.0).abs() < 1e-6, "posteriors sum to {mass}");
        assert!(answer.to_string().contains("[1] leave.md"));
    }
}

#[test]
fn an_unchanged_document_is_skipped_and_a_changed_one_replaced() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home.path().join("handbook.postil"));
    let ingest = |documents| db.ingest_all(documents, &postil::Watch::default()).unwrap();
    assert_eq!(ingest(handbook().to_vec()).added, 3);
    let again = ingest(handbook().to_vec());
    assert_eq!((again.added, again.replaced, again.unchanged, again.passages), (0, 0, 3, 0));

    let changed = ingest(vec![Document::new("travel.txt", "Trains are booked by yourself.")]);
    assert_eq!((changed.added, changed.replaced), (0, 1));
    assert_eq!(db.stat().unwrap().documents, 3);
    let hits = db.search("hotels cost euros a night", &SearchOptions::new(10)).unwrap();
    assert!(hits.iter().all(|hit| !hit.text.contains("Hotels")), "the old text is still found");
}

#[test]
fn filters_removal_and_counting_agree() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home.path().join("handbook.postil"));
    db.ingest_all(handbook(), &postil::Watch::default()).unwrap();
    let recent: Filter = "year >= 2020".parse().unwrap();
    assert_eq!(db.count(Some(&recent)).unwrap(), 2);
    let options = SearchOptions::new(10).filter(recent.clone());
    let hits = db.search("trains booked by the front desk", &options).unwrap();
    assert!(!hits.is_empty() && hits.iter().all(|hit| hit.key != "travel.txt"));
    assert_eq!(db.remove(["leave.md", "absent"]).unwrap(), 1);
    assert_eq!(db.count(Some(&recent)).unwrap(), 1);
    assert!(db.get("leave.md").unwrap().is_none());
    let keys: Vec<String> = db.documents().map(|document| document.unwrap().key).collect();
    assert_eq!(keys, ["security.txt", "travel.txt"]);
}

#[test]
fn a_database_survives_closing_and_gives_the_same_hits() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("handbook.postil");
    let db = open(&path);
    db.ingest_all(handbook(), &postil::Watch::default()).unwrap();
    let before = db.search("badge", &SearchOptions::new(10)).unwrap();
    db.close().unwrap();
    let after = open(&path).search("badge", &SearchOptions::new(10)).unwrap();
    let view = |hits: &[postil::Hit]| -> Vec<(String, f32)> {
        hits.iter().map(|hit| (hit.text.clone(), hit.score)).collect()
    };
    assert_eq!(view(&before), view(&after));
}

#[test]
fn folders_are_ingested_incrementally_and_pruned() {
    let home = tempfile::tempdir().unwrap();
    let docs = home.path().join("docs");
    std::fs::create_dir_all(docs.join("deep/er")).unwrap();
    std::fs::write(docs.join("a.md"), "# A\n\nApples are red.").unwrap();
    std::fs::write(docs.join("deep/er/b.txt"), "Bananas are yellow.").unwrap();
    std::fs::write(
        docs.join("page.html"),
        "<html><title>Cherries</title><p>Cherries are <b>dark</b> &amp; sweet.</p>",
    )
    .unwrap();
    std::fs::write(
        docs.join("many.jsonl"),
        "{\"id\": \"d\", \"text\": \"Dates are brown.\", \"year\": 2020}\n",
    )
    .unwrap();
    std::fs::write(docs.join(".gitignore"), "ignored.md\n").unwrap();
    std::fs::write(docs.join("ignored.md"), "Never read.").unwrap();
    std::fs::write(docs.join("picture.png"), [0u8, 159, 146, 150]).unwrap();

    let db = open(&home.path().join("fruit.postil"));
    let input = Input::Paths(vec![docs.clone()]);
    let options = IngestOptions::new().prune(true);
    let first = db.ingest_from(&input, &options, &postil::Watch::default()).unwrap();
    assert_eq!((first.added, first.skipped.len()), (4, 0), "{first:?}");
    let hit = &db.search("cherries dark sweet", &SearchOptions::new(1)).unwrap()[0];
    assert!(hit.text.contains("Cherries are dark & sweet."), "{:?}", hit.text);
    let source = std::fs::read_to_string(docs.join("page.html")).unwrap();
    let range = hit.source_range.start as usize..hit.source_range.end as usize;
    assert!(source[range].contains("<b>dark</b> &amp; sweet"));

    let again = db.ingest_from(&input, &options, &postil::Watch::default()).unwrap();
    assert_eq!((again.added, again.unchanged, again.removed), (0, 4, 0));
    std::fs::remove_file(docs.join("a.md")).unwrap();
    std::fs::write(docs.join("many.jsonl"), "{\"id\": \"e\", \"text\": \"Elderberries are black.\"}\n")
        .unwrap();
    let pruned = db.ingest_from(&input, &options, &postil::Watch::default()).unwrap();
    assert_eq!((pruned.added, pruned.removed), (1, 2), "{pruned:?}");
}

#[test]
fn pruning_spares_what_could_not_be_read_and_removes_what_was_emptied() {
    let home = tempfile::tempdir().unwrap();
    let (docs, private) = (home.path().join("docs"), home.path().join("docs/private"));
    std::fs::create_dir_all(&private).unwrap();
    for (name, text) in [("a.txt", "Apples."), ("b.txt", "Bananas."), ("private/c.txt", "Cherries.")] {
        std::fs::write(docs.join(name), text).unwrap();
    }
    let db = open(&home.path().join("fruit.postil"));
    let input = Input::Paths(vec![docs.clone()]);
    let options = IngestOptions::new().prune(true);
    assert_eq!(db.ingest_from(&input, &options, &postil::Watch::default()).unwrap().added, 3);
    std::fs::write(docs.join("a.txt"), "").unwrap();
    std::fs::remove_file(docs.join("b.txt")).unwrap();
    let lock = |mode| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&private, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    lock(0o000);
    let is_barred = std::fs::read_dir(&private).is_err();
    let report = db.ingest_from(&input, &options, &postil::Watch::default());
    lock(0o755);
    let report = report.unwrap();
    assert_eq!((report.removed, db.stat().unwrap().documents), (2, 1), "{report:?}");
    // Whoever may read everything, as root may, has only the emptied file skipped.
    assert_eq!(report.skipped.len(), if is_barred { 2 } else { 1 });
}

#[test]
fn a_cancelled_ingest_keeps_what_is_committed_and_can_go_on() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home.path().join("many.postil"));
    let documents =
        || (0..5000).map(|i| Document::new(format!("{i:04}"), format!("Document number {i} says hello.")));
    let cancel = Cancel::default();
    let stop_early = |progress: &postil::Progress| {
        if progress.documents_committed > 0 {
            cancel.cancel();
        }
    };
    let stopped = db.ingest_all(documents(), &Watch::new().progress(&stop_early).cancel(&cancel)).unwrap();
    assert!(stopped.interrupted);
    let kept = db.stat().unwrap().documents;
    assert_eq!(kept, stopped.added);
    assert!(kept > 0 && kept < 5000, "{kept}");
    let rest = db.ingest_all(documents(), &postil::Watch::default()).unwrap();
    assert_eq!(rest.unchanged, kept);
    assert_eq!(db.stat().unwrap().documents, 5000);
}

#[test]
fn asking_an_empty_database_is_an_answer_and_not_an_error() {
    let home = tempfile::tempdir().unwrap();
    let db = open(&home.path().join("empty.postil"));
    let answer = db.ask("Is anybody here?").unwrap();
    assert!(answer.no_answer && answer.citations.is_empty());
}
