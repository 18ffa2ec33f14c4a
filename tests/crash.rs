//! An ingest killed at any moment loses nothing that was acknowledged, and rerunning it ends in the
//! same database as an ingest that was never disturbed.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

mod command;

use std::path::Path;
use std::time::Duration;

use command::{MODEL, json, postil, succeed};

const DOCUMENTS: usize = 4000;
const KILLS: u64 = 6;

/// The last generation that a database notes as durable.
fn committed(database: &Path) -> u64 {
    let note = std::fs::read(database.join("COMMITTED")).unwrap_or_default();
    note.first_chunk().map_or(0, |&generation| u64::from_le_bytes(generation))
}

#[test]
fn an_ingest_killed_and_rerun_ends_as_if_undisturbed() {
    let home = tempfile::tempdir().unwrap();
    let lines: String = (0..DOCUMENTS)
        .map(|i| {
            let text = format!("Document {i} is about subject {}. ", i % 97).repeat(i % 11 + 1);
            format!("{{\"id\": \"{i:05}\", \"text\": \"{text}\", \"number\": {i}}}\n")
        })
        .collect();
    std::fs::write(home.path().join("many.jsonl"), lines).unwrap();
    let ingest = |database: &'static str| ["ingest", database, "many.jsonl", "--model", MODEL];

    succeed(home.path(), &ingest("undisturbed.postil"));
    let mut acknowledged = 0;
    for kill in 0..KILLS {
        let mut child = postil(home.path(), &ingest("killed.postil")).spawn().unwrap();
        // Once it has committed something more, however long it takes to come to that; the first at
        // some time of its life.
        let before = committed(&home.path().join("killed.postil"));
        while kill > 0
            && committed(&home.path().join("killed.postil")) == before
            && child.try_wait().unwrap().is_none()
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(25 * kill));
        child.kill().unwrap();
        child.wait().unwrap();
        if !home.path().join("killed.postil").exists() {
            continue;
        }
        let output = command::run(home.path(), &["stat", "killed.postil", "--json"]);
        let Ok(stat) = serde_json::from_slice::<serde_json::Value>(&output.stdout) else {
            // Killed before the database was made: nothing was acknowledged yet.
            assert_eq!(acknowledged, 0, "{}", String::from_utf8_lossy(&output.stderr));
            continue;
        };
        let documents = stat["documents"].as_u64().unwrap();
        assert!(documents >= acknowledged, "{acknowledged} documents became {documents}");
        acknowledged = documents;
        assert_eq!(json(home.path(), &["check", "killed.postil", "--json"])["clean"], true);
    }
    assert!(acknowledged > 0, "every ingest was killed before it wrote anything");
    succeed(home.path(), &ingest("killed.postil"));
    let export = |database| succeed(home.path(), &["export", database]);
    assert!(export("killed.postil") == export("undisturbed.postil"), "the two databases differ");
}
