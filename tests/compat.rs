//! Databases that older builds wrote, kept in `fixtures/databases`: every later build opens them,
//! reads their documents, and writes to them.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

mod command;

use std::path::Path;

use command::{fail, json, succeed};
use postil::{Database, Document, Filter, RetrieveOptions, SearchOptions, Value};

/// Those whose documents have texts, with the number of documents.
const TEXTS: [(&str, u64); 4] = [("growing", 15), ("sealed", 14), ("half", 15), ("published", 14)];

/// A folder with the databases of one file of fixtures.
fn unpacked(name: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/databases").join(name);
    zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap().extract(home.path()).unwrap();
    home
}

fn open(home: &Path, name: &str) -> Database {
    Database::options().must_exist(true).open(home.join(format!("{name}.postil"))).unwrap()
}

fn lines(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The fields of an export line that older builds wrote too.
fn comparable(mut line: serde_json::Value) -> serde_json::Value {
    let fields = line.as_object_mut().unwrap();
    for newer in ["content_hash", "source_map", "database"] {
        fields.remove(newer);
    }
    for passage in line["passages"].as_array_mut().unwrap() {
        let passage = passage.as_object_mut().unwrap();
        passage.remove("text_range");
        if let Some(title) = passage.remove("title") {
            passage.insert("heading".to_owned(), title);
        }
    }
    line
}

fn assert_as_exported(home: &Path, name: &str) {
    let then = std::fs::read_to_string(home.join(format!("{name}.jsonl"))).unwrap();
    let now = succeed(home, &["export", &format!("{name}.postil")]);
    let (then, now) = (lines(&then), lines(&now));
    assert_eq!(then.len(), now.len(), "{name}");
    for (then, now) in then.into_iter().zip(now) {
        assert_eq!(comparable(now), comparable(then), "{name}");
    }
}

fn keys(db: &Database, filter: &str) -> Vec<String> {
    let filter: Filter = filter.parse().unwrap();
    db.documents_where(&filter).unwrap().map(|document| document.unwrap().key).collect()
}

fn assert_found(db: &Database, name: &str) {
    let options = |filter: Option<&str>, exact| {
        let mut search = SearchOptions::new(3);
        search.exact = exact;
        search.filter = filter.map(|filter| filter.parse().unwrap());
        RetrieveOptions::from(search)
    };
    for exact in [false, true] {
        let found = db.retrieve("parental leave of forty days", &options(None, exact)).unwrap();
        assert_eq!(found[0].hit.key, "leave.md", "{name}");
        assert!(found[0].hit.text.contains("forty days"), "{name}");
        let found = db.retrieve("Part number 7", &options(Some("kind == 'nut' and n > 4"), exact)).unwrap();
        assert!(found.iter().all(|found| found.hit.metadata["kind"] == "nut".into()));
        assert!(found.iter().any(|found| found.hit.key == "record-07"), "{name}");
    }
    assert_eq!(keys(db, "big == 9007199254740999"), ["record-07"], "{name}");
    assert_eq!(keys(db, "big > 9007199254740999 and tags contains 'c' and in_stock == false"), ["record-11"]);
    assert_eq!(keys(db, "weight <= 0.6 and exists(in_stock)"), ["record-00", "record-01"]);
    assert_eq!(keys(db, "kind == 'odd\\nline' and tags == []"), ["record-ü"]);
}

#[test]
fn databases_of_version_1_have_what_was_put_in_and_are_written_on() {
    let home = unpacked("v1.zip");
    let home = home.path();
    for (name, documents) in TEXTS {
        let file = format!("{name}.postil");
        assert_eq!(json(home, &["check", &file, "--json"])["clean"], true, "{name}");
        assert_as_exported(home, name);
        let db = open(home, name);
        assert_eq!(db.count(None).unwrap(), documents);
        assert_found(&db, name);
        assert_eq!(
            db.text("leave.md").unwrap().unwrap(),
            std::fs::read_to_string(home.join("leave.md")).unwrap()
        );

        // Records of the next version beside those of the first, in the trees and then in a base.
        let nested = postil::json::read_object(
            r#"{"author": {"name": "Kim"}, "until": null, "n": 18446744073709551615}"#,
        );
        let mut document = Document::new("new", "A part that was added by a later build.");
        document.metadata = nested.unwrap();
        let replaced = Document::new("record-02", "Part number 2 was replaced.").with_metadata("n", 2);
        let report = db.ingest_all([document.clone(), replaced], &postil::Watch::default()).unwrap();
        assert_eq!((report.added, report.replaced), (1, 1), "{name}");
        assert_eq!(db.remove_where(&Filter::eq("big", 9_007_199_254_741_000_i64)).unwrap(), 1);
        for compacted in [false, true] {
            if compacted {
                db.compact(&postil::Watch::default()).unwrap();
            }
            assert_found(&db, name);
            assert_eq!(keys(&db, "author.name == 'Kim' and until == null"), ["new"]);
            assert_eq!(keys(&db, "n == 18446744073709551615 or n == 2"), ["new", "record-02"]);
            assert_eq!(db.get("new").unwrap().unwrap().metadata, document.metadata);
        }
        db.close().unwrap();
        assert_eq!(json(home, &["check", &file, "--json"])["clean"], true, "{name}");
        let db = open(home, name);
        assert_eq!(db.count(None).unwrap(), documents);
        assert_found(&db, name);
        drop(db);
    }
}

#[test]
fn what_a_database_of_version_1_has_unchanged_is_not_embedded_again() {
    let home = unpacked("v1.zip");
    let report = json(home.path(), &["ingest", "growing.postil", "records.jsonl", "leave.md", "--json"]);
    assert_eq!((report["unchanged"].as_u64(), report["passages"].as_u64()), (Some(14), Some(0)), "{report}");
}

#[test]
fn vectors_in_a_run_of_version_1_are_searched_sealed_and_copied() {
    let home = unpacked("v1.zip");
    let home = home.path();
    assert_as_exported(home, "runs");
    let db = open(home, "runs");
    let nearest = |db: &Database, filter: Option<Filter>| {
        let mut options = SearchOptions::new(1);
        options.filter = filter;
        db.search_vector(&[512.2, 1.0, -256.0, 1.0], &options).unwrap().remove(0)
    };
    for compacted in [false, true] {
        if compacted {
            db.compact(&postil::Watch::default()).unwrap();
        }
        let hit = nearest(&db, None);
        assert_eq!((hit.key.as_str(), &hit.metadata["n"]), ("row 0512", &Value::Integer(512)));
        assert_eq!(nearest(&db, Some(Filter::ge("n", 600))).key, "row 0600");
    }
    db.close().unwrap();
    assert_eq!(json(home, &["check", "runs.postil", "--json"])["clean"], true);
    assert_as_exported(home, "runs");
}

#[test]
fn a_publication_of_version_1_is_read_and_followed_by_one_of_now() {
    let home = unpacked("v1.zip");
    let home = home.path();
    let get = ["get", "published.postil", "record-05", "--published", "--json"];
    assert_eq!(json(home, &get)["metadata"]["n"], 5);
    succeed(home, &["rm", "published.postil", "record-05"]);
    assert_eq!(json(home, &get)["metadata"]["n"], 5);
    succeed(home, &["publish", "published.postil"]);
    assert!(fail(home, &get).contains("record-05"));
}
