//! Backup, restore and rebuild, as a user types them.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

mod command;

use std::path::Path;

use command::{MODEL, fail, json, run, succeed};

/// A folder with `a.postil`: three documents in a segment, a fourth in no segment yet.
fn database() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let lines = [
        r#"{"id": "red", "text": "Apples are red.", "year": 2020}"#,
        r#"{"id": "yellow", "text": "Bananas are yellow.", "year": 2021}"#,
        r#"{"id": "dark", "text": "Cherries are dark.", "year": 2022}"#,
    ];
    std::fs::write(home.path().join("three.jsonl"), lines.join("\n")).unwrap();
    std::fs::write(home.path().join("brown.txt"), "Dates are brown.").unwrap();
    succeed(home.path(), &["ingest", "a.postil", "three.jsonl", "--model", MODEL]);
    succeed(home.path(), &["compact", "a.postil"]);
    succeed(home.path(), &["ingest", "a.postil", "brown.txt"]);
    home
}

fn export(home: &Path, database: &str) -> String {
    succeed(home, &["export", database])
}

#[test]
fn a_backup_outlives_its_database_and_is_restored() {
    let home = database();
    let home = home.path();
    let all = export(home, "a.postil");
    let copied = json(home, &["backup", "a.postil", "copy.postil", "--json"]);
    assert_eq!(copied["interrupted"], false);
    assert!(copied["bytes"].as_u64().unwrap() > 0);
    succeed(home, &["rm", "a.postil", "red"]);
    assert!(export(home, "copy.postil") == all);
    assert!(fail(home, &["backup", "a.postil", "copy.postil"]).contains("already there"));
    assert!(fail(home, &["restore", "copy.postil", "a.postil"]).contains("already there"));
    std::fs::remove_dir_all(home.join("a.postil")).unwrap();
    assert!(succeed(home, &["restore", "copy.postil", "a.postil"]).contains("bytes copied to a.postil"));
    assert!(export(home, "a.postil") == all);
    assert_eq!(json(home, &["check", "a.postil", "--json"])["clean"], true);
    assert!(fail(home, &["restore", "nothing.postil", "b.postil"]).contains("nothing.postil"));
}

#[test]
fn a_damaged_database_is_rebuilt_and_what_was_lost_is_listed() {
    let home = database();
    let home = home.path();
    let all = export(home, "a.postil");
    let rebuilt = json(home, &["rebuild", "a.postil", "whole.postil", "--json"]);
    assert_eq!((rebuilt["documents"].as_u64(), rebuilt["embedded"].as_u64()), (Some(4), Some(0)));
    assert!(export(home, "whole.postil") == all);

    // The header of the only segment: all its vectors are lost, and made anew from the texts.
    let segment = std::fs::read_dir(home.join("a.postil/segments")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[70] ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    assert!(fail(home, &["check", "a.postil"]).contains("checksum"));
    let output = run(home, &["rebuild", "a.postil", "new.postil", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let rebuilt: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((rebuilt["documents"].as_u64(), rebuilt["embedded"].as_u64()), (Some(4), Some(3)));
    assert_eq!(rebuilt["lost"].as_array().unwrap().len(), 1);
    assert!(rebuilt["lost"][0]["name"].as_str().unwrap().ends_with(".seg"), "{rebuilt}");
    assert!(export(home, "new.postil") == all);
    assert_eq!(json(home, &["check", "new.postil", "--json"])["clean"], true);
    assert!(std::fs::read(&segment).unwrap() == bytes);
    // A second ingest of the same files finds them unchanged: nothing about them was made up.
    let again = json(home, &["ingest", "new.postil", "three.jsonl", "--json"]);
    assert_eq!(again["unchanged"].as_u64(), Some(3));
}
