//! Folders and files as documents: one file is one document, and text removed from it is no longer
//! found.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

mod command;

use std::path::Path;
use std::sync::Arc;

use command::{json, run, succeed};
use postil::HashEncoder;
use postil::ingest::{IngestOptions, Input};
use postil::{Database, Document, Error};

fn write(home: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = home.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn ingest(current: &Path, database: &str, path: &str) -> serde_json::Value {
    json(current, &["ingest", database, path, "--json", "--model", "hash-256"])
}

fn keys(home: &Path) -> Vec<String> {
    let lines = succeed(home, &["export", "d.postil", "--no-vectors"]);
    let key = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned()
    };
    lines.lines().map(key).collect()
}

#[test]
fn one_file_is_one_document_under_every_spelling_of_its_path() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write(home, "d/a.txt", "The kiln is fired on Mondays.");
    write(home, "d/r.jsonl", "{\"id\": \"r\", \"text\": \"A record.\"}\n");
    assert_eq!(ingest(home, "d.postil", "d")["added"], 2);
    #[cfg(unix)]
    std::os::unix::fs::symlink("d", home.join("link")).unwrap();
    let absolute = home.join("d").to_str().unwrap().to_owned();
    let spellings = ["./d", "d/../d", "d//a.txt", "d/a.txt", "d/r.jsonl", absolute.as_str()];
    for spelling in spellings.into_iter().chain(cfg!(unix).then_some("link/a.txt")) {
        let report = ingest(home, "d.postil", spelling);
        assert_eq!((&report["added"], &report["replaced"]), (&0.into(), &0.into()), "{spelling}: {report}");
    }
    let elsewhere = ingest(&home.join("d"), "../d.postil", "a.txt");
    assert_eq!((&elsewhere["added"], &elsewhere["unchanged"]), (&0.into(), &1.into()));
    assert_eq!(keys(home), ["d/a.txt", "r"]);
}

#[test]
fn two_files_of_one_name_are_two_documents() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write(home, "x/note.txt", "The first.");
    write(home, "y/note.txt", "The second.");
    for folder in ["x", "y", "x", "y"] {
        ingest(&home.join(folder), "../d.postil", "note.txt");
    }
    assert_eq!(keys(home), ["note.txt", "y/note.txt"]);
    assert_eq!(succeed(home, &["get", "d.postil", "note.txt"]).trim(), "The first.");
    assert_eq!(succeed(home, &["get", "d.postil", "y/note.txt"]).trim(), "The second.");
}

#[test]
fn a_project_that_is_moved_keeps_its_documents() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write(home, "p/d/a.txt", "The kiln is fired on Mondays.");
    ingest(home, "p/d.postil", "p/d");
    std::fs::rename(home.join("p"), home.join("q")).unwrap();
    let report = ingest(home, "q/d.postil", "q/d");
    assert_eq!((&report["added"], &report["unchanged"]), (&0.into(), &1.into()), "{report}");
}

#[test]
fn what_was_ingested_under_two_spellings_becomes_one_and_is_named() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write(home, "d/a.txt", "The kiln is fired on Mondays.");
    let absolute = home.join("d/a.txt").canonicalize().unwrap().to_str().unwrap().to_owned();
    {
        // As a release wrote them that did not record places; the relative one is found from
        // another folder only.
        let db = Database::options()
            .encoder(Arc::new(HashEncoder::default()))
            .open(home.join("d.postil"))
            .unwrap();
        let linked = format!("{}/../d/a.txt", home.join("d").canonicalize().unwrap().display());
        for key in [absolute.as_str(), linked.as_str()] {
            let text = "The kiln is fired on Mondays.";
            db.ingest(Document::new(key, text).with_metadata("_file", key)).unwrap();
        }
    }
    let report = ingest(home, "d.postil", "d");
    assert_eq!(report["merged"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!((&report["added"], &report["removed"]), (&0.into(), &1.into()), "{report}");
    assert_eq!(keys(home).len(), 1);
    assert!(ingest(home, "d.postil", "d")["merged"].as_array().unwrap().is_empty());
}

#[test]
fn a_document_from_a_path_is_the_one_that_the_command_makes() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("leave.md");
    std::fs::write(&path, "# Leave\n\nForty days.\n").unwrap();
    let db = Database::options().encoder(Arc::new(HashEncoder::default()));
    let db = db.open(home.path().join("handbook.postil")).unwrap();
    assert_eq!(db.ingest(Document::from_path(&path).unwrap()).unwrap().added, 1);
    let input = Input::Paths(vec![path.clone()]);
    let report = db.ingest_from(&input, &IngestOptions::default(), &postil::Watch::default()).unwrap();
    assert_eq!((report.added, report.replaced, report.unchanged), (0, 0, 1));
    assert_eq!(db.ingest(Document::from_path(&path).unwrap()).unwrap().unchanged, 1);
    let stored = db.get(db.documents().next().unwrap().unwrap().key.as_str()).unwrap().unwrap();
    assert_eq!((stored.title.as_str(), &stored.metadata["_path"]), ("Leave", &"leave.md".into()));
    std::fs::write(home.path().join("r.jsonl"), "{}").unwrap();
    assert!(matches!(Document::from_path(home.path().join("r.jsonl")), Err(Error::Records { .. })));
}

#[test]
fn a_file_without_text_has_no_passages_any_more() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let files = [
        ("a.txt", "Nineteen forty two.", ""),
        ("b.md", "Nineteen forty two.", "\n \n"),
        ("c.html", "<p>Nineteen forty two.", "<script>nineteen</script><p></p>"),
        (
            "d.jsonl",
            "{\"id\": 1, \"text\": \"Nineteen.\"}\n{\"id\": 2, \"text\": \"Forty.\"}\n",
            "\u{feff}\n",
        ),
        ("e.jsonl", "{\"id\": 3, \"text\": \"Nineteen.\"}\n", "{\"id\": 3, \"text\": \" \"}\n"),
    ];
    for (name, text, _) in files {
        write(home, &format!("d/{name}"), text);
    }
    write(home, "d/keep.txt", "Kept.");
    ingest(home, "d.postil", "d");
    assert_eq!(keys(home).len(), 7);
    for (name, _, text) in files {
        write(home, &format!("d/{name}"), text);
    }
    let again = run(home, &["ingest", "d.postil", "d", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((again.status.code(), &report["removed"]), (Some(3), &6.into()), "{report}");
    assert_eq!(keys(home), ["d/keep.txt"]);
}

#[test]
fn what_is_left_out_is_counted_by_its_reason() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write(home, "d/.gitignore", "*.log.txt\nbuild/\n");
    write(home, "d/sub/.ignore", "secret.md\n");
    for name in
        ["d/a.txt", "d/x.log.txt", "d/build/b.txt", "d/build/c.txt", "d/sub/secret.md", "d/.hidden.txt"]
    {
        write(home, name, "text");
    }
    for name in ["d/e.png", "d/f.PNG", "d/g"] {
        write(home, name, "?");
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("a.txt", home.join("d/link.txt")).unwrap();
    let report = ingest(home, "d.postil", "d");
    let left_out = &report["left_out"];
    assert_eq!(left_out["ignored"], serde_json::json!({ "d/.gitignore": 2, "d/sub/.ignore": 1 }), "{report}");
    assert_eq!(left_out["hidden"], 1);
    assert_eq!(left_out["unknown"], serde_json::json!({ "png": 2, "": 1 }));
    assert_eq!(left_out["links"], if cfg!(unix) { 1 } else { 0 });
    write(home, "none/x.png", "?");
    let none = run(home, &["ingest", "e.postil", "none", "--model", "hash-256"]);
    assert_eq!(none.status.code(), Some(3));
    assert!(String::from_utf8(none.stderr).unwrap().contains("no file was taken"));
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_unicode_stay_apart() {
    use std::os::unix::ffi::OsStrExt;
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("d")).unwrap();
    for name in [&b"a\xff.txt"[..], b"a\xfe.txt", br"a\xFF.txt", "a\u{fffd}ff.txt".as_bytes()] {
        std::fs::write(home.path().join("d").join(std::ffi::OsStr::from_bytes(name)), "text").unwrap();
    }
    assert_eq!(ingest(home.path(), "d.postil", "d")["added"], 4);
    assert_eq!(ingest(home.path(), "d.postil", home.path().join("d").to_str().unwrap())["unchanged"], 4);
    assert_eq!(succeed(home.path(), &["get", "d.postil", r"d/a\xFE.txt"]).trim(), "text");
}

/// Status and JSON of an ingest that need not succeed.
fn try_ingest(home: &Path, more: &[&str]) -> (Option<i32>, serde_json::Value) {
    let done = run(home, &[&["ingest", "d.postil", "--json", "--model", "hash-256"], more].concat());
    (done.status.code(), serde_json::from_slice(&done.stdout).unwrap())
}

#[test]
fn a_record_that_is_no_longer_in_its_file_goes_unless_the_file_has_lines_that_cannot_be_read() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let line = |id: u32| format!("{{\"id\": {id}, \"text\": \"Record {id}.\"}}\n");
    write(home, "d/r.jsonl", (0..4).map(line).collect::<String>());
    ingest(home, "d.postil", "d");
    write(home, "d/r.jsonl", line(0) + &line(1) + &line(2));
    let report = ingest(home, "d.postil", "d");
    assert_eq!((&report["removed"], &report["unchanged"]), (&1.into(), &3.into()), "{report}");
    write(home, "d/r.jsonl", line(0) + "{\n");
    let (status, report) = try_ingest(home, &["d", "--prune"]);
    assert_eq!((status, &report["removed"]), (Some(3), &0.into()), "{report}");
    assert_eq!(report["skipped"][0]["kept"], true);
    assert_eq!(keys(home), ["0", "1", "2"]);
}

#[test]
fn what_an_unreadable_file_gave_before_is_kept_and_that_is_said() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write(home, "d/a.txt", "Readable.");
    ingest(home, "d.postil", "d");
    write(home, "d/a.txt", b"\xff");
    write(home, "d/new.txt", b"\xff");
    let (status, report) = try_ingest(home, &["./d", "--prune"]);
    assert_eq!((status, &report["removed"]), (Some(3), &0.into()));
    let kept: Vec<bool> =
        report["skipped"].as_array().unwrap().iter().map(|skip| skip["kept"].as_bool().unwrap()).collect();
    assert_eq!(kept, [true, false], "{report}");
    let said = String::from_utf8(run(home, &["ingest", "d.postil", "d"]).stderr).unwrap();
    assert!(said.contains("d/a.txt: byte 0 is not UTF-8; its earlier version is kept\n"), "{said}");
    assert_eq!(succeed(home, &["get", "d.postil", "d/a.txt"]).trim(), "Readable.");
}

#[test]
fn documents_of_files_that_are_gone_or_left_out_now_are_told_and_pruned() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for name in ["a", "b", "c"] {
        write(home, &format!("d/{name}.txt"), name);
    }
    ingest(home, "d.postil", "d");
    std::fs::remove_file(home.join("d/a.txt")).unwrap();
    write(home, "d/.gitignore", "b.txt\n");
    assert_eq!(ingest(home, "d.postil", "d")["stale"], 2);
    let said = String::from_utf8(run(home, &["ingest", "d.postil", "d"]).stderr).unwrap();
    assert!(said.contains("1 file left out: 1 ignored by d/.gitignore\n"), "{said}");
    assert!(
        said.contains("2 documents have no file any more, or one left out now; --prune removes them")
            && said.contains("--prune"),
        "{said}"
    );
    let (status, report) = try_ingest(home, &["d", "--prune"]);
    assert_eq!((status, &report["removed"], &report["stale"]), (Some(0), &2.into(), &0.into()));
    assert_eq!(keys(home), ["d/c.txt"]);
}

#[test]
fn a_file_that_is_named_more_than_once_is_read_once() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write(home, "d/a.txt", "Alpha.");
    write(home, "d/b.png", "?");
    let (status, report) = try_ingest(home, &["d", "./d/a.txt", "d"]);
    assert_eq!(
        (status, &report["added"], &report["left_out"]["unknown"]["png"]),
        (Some(0), &1.into(), &1.into())
    );
}

#[test]
fn a_database_and_its_files_may_be_moved_apart_or_side_by_side() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let is_known = |database: &str, path: &str| {
        let report = ingest(home, database, path);
        assert_eq!(
            (&report["added"], &report["passages"]),
            (&0.into(), &0.into()),
            "{database} {path}: {report}"
        );
    };
    write(home, "p/docs/a.txt", "Alpha.");
    std::fs::create_dir(home.join("p/dbs")).unwrap();
    ingest(home, "p/dbs/d.postil", "p/docs");
    std::fs::rename(home.join("p"), home.join("q")).unwrap();
    is_known("q/dbs/d.postil", "q/docs");
    std::fs::rename(home.join("q"), home.join("p")).unwrap();
    std::fs::create_dir_all(home.join("deep/er")).unwrap();
    std::fs::rename(home.join("p/dbs/d.postil"), home.join("deep/er/d.postil")).unwrap();
    is_known("deep/er/d.postil", home.join("p/docs").to_str().unwrap());
    is_known("deep/er/d.postil", "p/docs");
}

#[test]
fn documents_of_an_older_database_are_known_from_every_folder_without_being_embedded_again() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write(home, "p/d/a.txt", "Alpha.");
    {
        let options = Database::options().encoder(Arc::new(HashEncoder::default()));
        let db = options.open(home.join("p/d.postil")).unwrap();
        // As they were written from two folders.
        for key in ["p/d/a.txt", "d/a.txt"] {
            db.ingest(Document::new(key, "Alpha.").with_metadata("_file", key)).unwrap();
        }
    }
    let report = ingest(home, "p/d.postil", "p/d");
    assert_eq!((&report["passages"], &report["removed"]), (&0.into(), &1.into()), "{report}");
    assert_eq!(report["merged"], serde_json::json!([{ "kept": "p/d/a.txt", "removed": "d/a.txt" }]));
    let again = json(&home.join("p/d"), &["ingest", "../d.postil", "a.txt", "--json"]);
    assert_eq!((&again["unchanged"], &again["merged"]), (&1.into(), &serde_json::json!([])), "{again}");
}

#[cfg(unix)]
#[test]
fn a_link_that_was_named_is_what_it_leads_to_now() {
    use std::os::unix::fs::symlink;
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write(home, "v2.md", "The second.");
    write(home, "v3.md", "The third.");
    symlink("v2.md", home.join("current.md")).unwrap();
    ingest(home, "d.postil", "current.md");
    assert_eq!(ingest(home, "d.postil", "v2.md")["unchanged"], 1);
    std::fs::remove_file(home.join("current.md")).unwrap();
    symlink("v3.md", home.join("current.md")).unwrap();
    assert_eq!(ingest(home, "d.postil", "current.md")["replaced"], 1);
    assert_eq!(succeed(home, &["get", "d.postil", "current.md"]).trim(), "The third.");
}

#[test]
fn a_path_that_was_emptied_takes_its_document_out_and_a_key_of_ones_own_is_a_document_of_its_own() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("leave.md");
    std::fs::write(&path, "Forty days.").unwrap();
    let options = Database::options().encoder(Arc::new(HashEncoder::default()));
    let db = options.open(home.path().join("handbook.postil")).unwrap();
    let renamed = || {
        let mut document = Document::from_path(&path).unwrap();
        document.key = "leave".to_owned();
        document
    };
    assert_eq!(db.ingest(Document::from_path(&path).unwrap()).unwrap().added, 1);
    assert_eq!(db.ingest(renamed()).unwrap().added, 1);
    assert_eq!(db.ingest(renamed()).unwrap().unchanged, 1);
    // Removed and written by other ways, it is found anew.
    let key = db.documents().map(|document| document.unwrap().key).find(|key| key != "leave").unwrap();
    db.remove([key]).unwrap();
    assert_eq!(db.ingest(Document::from_path(&path).unwrap()).unwrap().added, 1);
    std::fs::write(&path, " \n").unwrap();
    assert_eq!(db.ingest(Document::from_path(&path).unwrap()).unwrap().removed, 1);
    assert!(matches!(db.ingest(Document::from_path(&path).unwrap()), Err(Error::EmptyDocument { .. })));
    let left: Vec<String> = db.documents().map(|document| document.unwrap().key).collect();
    assert_eq!(left, ["leave"]);
}
