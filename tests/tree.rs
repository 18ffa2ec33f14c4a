//! Ingest reads the files of the tree it was given, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]
#![cfg(unix)]

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use postil::Database;
use postil::ingest::{IngestOptions, Ingested, Input};
use postil_encoder::HashEncoder;

const SECRET: &str = "The password of the safe is swordfish.";

fn ingest(db: &Database, tree: &Path) -> Ingested {
    db.ingest_from(&Input::Paths(vec![tree.to_owned()]), &IngestOptions::default(), &|_| {}).unwrap()
}

fn open(home: &Path) -> Database {
    Database::options().encoder(Arc::new(HashEncoder::default())).open(home.join("d.postil")).unwrap()
}

#[test]
fn links_that_lead_out_of_the_tree_are_not_followed() {
    let home = tempfile::tempdir().unwrap();
    let (tree, outside) = (home.path().join("tree"), home.path().join("outside"));
    std::fs::create_dir_all(tree.join("sub")).unwrap();
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret.txt"), SECRET).unwrap();
    std::fs::write(tree.join("own.txt"), "What is in the tree.").unwrap();
    symlink(outside.join("secret.txt"), tree.join("file.txt")).unwrap();
    symlink("../../outside/secret.txt", tree.join("sub/relative.txt")).unwrap();
    symlink(&outside, tree.join("folder")).unwrap();
    symlink("/", tree.join("sub/root")).unwrap();
    // In circles, and to nothing.
    symlink("..", tree.join("sub/up")).unwrap();
    symlink("loop.txt", tree.join("loop.txt")).unwrap();
    symlink("nowhere", tree.join("dangling.md")).unwrap();
    let db = open(home.path());
    let report = ingest(&db, &tree);
    assert_eq!((report.added, report.skipped.len()), (1, 0));
    for document in db.documents() {
        let key = document.unwrap().key;
        assert!(!db.text(&key).unwrap().unwrap().contains("swordfish"), "{key}");
    }
}

#[test]
fn a_file_that_became_a_link_is_taken_out_with_what_it_was() {
    let home = tempfile::tempdir().unwrap();
    let tree = home.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(home.path().join("secret.txt"), SECRET).unwrap();
    std::fs::write(tree.join("a.txt"), "An honest file.").unwrap();
    let db = open(home.path());
    assert_eq!(ingest(&db, &tree).added, 1);
    std::fs::remove_file(tree.join("a.txt")).unwrap();
    symlink("../secret.txt", tree.join("a.txt")).unwrap();
    let options = IngestOptions { prune: true, ..IngestOptions::default() };
    let report = db.ingest_from(&Input::Paths(vec![tree]), &options, &|_| {}).unwrap();
    assert_eq!((report.added, report.replaced), (0, 0));
    for document in db.documents() {
        let key = document.unwrap().key;
        assert_eq!(db.text(&key).unwrap().unwrap(), "An honest file.");
    }
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    let home = tempfile::tempdir().unwrap();
    let tree = home.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    // Opening a pipe for reading would wait for ever, and a socket cannot be opened.
    let pipe = std::process::Command::new("mkfifo").arg(tree.join("pipe.txt")).status();
    assert!(pipe.unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(tree.join("socket.txt")).unwrap();
    let db = open(home.path());
    let report = ingest(&db, &tree);
    assert_eq!((report.added, report.skipped.len()), (0, 0));
    for path in [tree.join("pipe.txt"), "/dev/zero".into()] {
        assert_eq!(ingest(&db, &path).added, 0);
    }
}

#[test]
fn a_file_without_a_size_is_read_up_to_the_limit() {
    // Files of /proc say that they have 0 bytes.
    let path = Path::new("/proc/self/smaps");
    if !path.exists() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let store = postil::StoreOptions { max_text_bytes: 1000, ..postil::StoreOptions::default() };
    let options = Database::options().encoder(Arc::new(HashEncoder::default())).store(store);
    let db = options.open(home.path().join("d.postil")).unwrap();
    let report = ingest(&db, path);
    assert_eq!((report.added, report.skipped.len()), (0, 1));
    let error = report.skipped[0].error.to_string();
    assert!(error.contains("1001") && error.contains("1000"), "{error}");
}
