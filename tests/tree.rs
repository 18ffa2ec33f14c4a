//! Ingest reads the files of the tree it was given, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]
#![cfg(unix)]

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use postil::Database;
use postil::HashEncoder;
use postil::ingest::{IngestOptions, Ingested, Input};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const SECRET: &str = "The password of the safe is swordfish.";

fn ingest(db: &Database, tree: &Path) -> Ingested {
    db.ingest_from(&Input::Paths(vec![tree.to_owned()]), &IngestOptions::default(), &postil::Watch::default())
        .unwrap()
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
    let options = IngestOptions::new().prune(true);
    let report = db.ingest_from(&Input::Paths(vec![tree]), &options, &postil::Watch::default()).unwrap();
    assert_eq!((report.added, report.replaced), (0, 0));
    for document in db.documents() {
        let key = document.unwrap().key;
        assert_eq!(db.text(&key).unwrap().unwrap(), "An honest file.");
    }
}

/// Ingests a tree, and does `swap` once its first file is read: progress is told between the reads
/// of two files, by the thread that reads.
fn ingest_swapping(db: &Database, tree: &Path, swap: impl Fn() + Sync) -> Ingested {
    let once = std::sync::Once::new();
    let input = Input::Paths(vec![tree.to_owned()]);
    let progress = |progress: &postil::Progress| {
        if progress.documents_read == 1 {
            once.call_once(&swap);
        }
    };
    let watch = postil::Watch::new().progress(&progress);
    let report = db.ingest_from(&input, &IngestOptions::default(), &watch);
    assert!(once.is_completed());
    report.unwrap()
}

/// A tree of two files, and one of the second's name outside of it.
fn two_files(home: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let (tree, outside) = (home.join("tree"), home.join("outside"));
    std::fs::create_dir_all(tree.join("sub/deep")).unwrap();
    std::fs::create_dir_all(outside.join("deep")).unwrap();
    std::fs::write(tree.join("a.txt"), "An honest file.").unwrap();
    for (folder, text) in [(&tree.join("sub"), "Another honest file."), (&outside, SECRET)] {
        std::fs::write(folder.join("deep/b.txt"), text).unwrap();
        std::fs::write(folder.join("deep/c.jsonl"), format!("{{\"id\": \"c\", \"text\": {text:?}}}"))
            .unwrap();
    }
    (tree, outside)
}

/// That nothing secret came in, and that both files that were replaced are named.
fn both_were_refused(db: &Database, report: &Ingested) {
    let skipped: Vec<&str> = report.skipped.iter().map(|skip| skip.source.as_str()).collect();
    assert!(skipped.len() == 2 && skipped[0].ends_with("deep/b.txt") && skipped[1].ends_with("deep/c.jsonl"));
    for skip in &report.skipped {
        assert!(matches!(skip.error, postil::Error::Replaced { .. }), "{}", skip.error);
    }
    let keys: Vec<String> = db.documents().map(|document| document.unwrap().key).collect();
    assert!(keys.len() == 1 && keys[0].ends_with("a.txt"), "{keys:?}");
}

#[test]
fn a_file_swapped_for_a_link_between_walk_and_read_is_not_read() {
    let home = tempfile::tempdir().unwrap();
    let (tree, outside) = two_files(home.path());
    let db = open(home.path());
    let report = ingest_swapping(&db, &tree, || {
        for name in ["b.txt", "c.jsonl"] {
            std::fs::remove_file(tree.join("sub/deep").join(name)).unwrap();
            symlink(outside.join("deep").join(name), tree.join("sub/deep").join(name)).unwrap();
        }
    });
    both_were_refused(&db, &report);
}

#[test]
fn a_folder_swapped_for_a_link_between_walk_and_read_is_not_entered() {
    for folder in ["sub", "sub/deep"] {
        let home = tempfile::tempdir().unwrap();
        let (tree, outside) = two_files(home.path());
        let db = open(home.path());
        let report = ingest_swapping(&db, &tree, || {
            std::fs::remove_dir_all(tree.join(folder)).unwrap();
            let target = if folder == "sub" { outside.clone() } else { outside.join("deep") };
            symlink(target, tree.join(folder)).unwrap();
        });
        both_were_refused(&db, &report);
    }
}

#[test]
fn a_file_swapped_for_a_pipe_or_a_folder_is_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let (tree, _) = two_files(home.path());
    let db = open(home.path());
    let report = ingest_swapping(&db, &tree, || {
        let (pipe, folder) = (tree.join("sub/deep/b.txt"), tree.join("sub/deep/c.jsonl"));
        std::fs::remove_file(&pipe).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
        std::fs::remove_file(&folder).unwrap();
        std::fs::create_dir(folder).unwrap();
    });
    both_were_refused(&db, &report);
}

#[test]
fn a_root_swapped_for_a_link_is_read_where_it_was() {
    let home = tempfile::tempdir().unwrap();
    let (tree, outside) = two_files(home.path());
    let db = open(home.path());
    let report = ingest_swapping(&db, &tree, || {
        std::fs::rename(&tree, home.path().join("moved")).unwrap();
        std::fs::create_dir(outside.join("sub")).unwrap();
        std::fs::rename(outside.join("deep"), outside.join("sub/deep")).unwrap();
        symlink(&outside, &tree).unwrap();
    });
    assert_eq!((report.added, report.skipped.len()), (3, 0));
    assert_eq!(db.text("c").unwrap().unwrap(), "Another honest file.");
}

#[test]
fn a_file_saved_anew_between_walk_and_read_is_read_as_it_is_then() {
    let home = tempfile::tempdir().unwrap();
    let (tree, _) = two_files(home.path());
    let db = open(home.path());
    let report = ingest_swapping(&db, &tree, || {
        // As editors do: the new file takes the old one's name.
        std::fs::write(tree.join("new"), r#"{"id": "c", "text": "Saved anew."}"#).unwrap();
        std::fs::rename(tree.join("new"), tree.join("sub/deep/c.jsonl")).unwrap();
    });
    assert_eq!((report.added, report.skipped.len()), (3, 0));
    assert_eq!(db.text("c").unwrap().unwrap(), "Saved anew.");
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

/// Files of a generated tree: folder, name and content.
fn files() -> impl Strategy<Value = Vec<(&'static str, &'static str, usize)>> {
    let folders = select(vec!["", "sub", "sub/deeper", ".hidden", "ignored", "sub/.cache", "empty.postil"]);
    let names = select(vec![
        "a.txt", "b.md", "c.HTML", "d.csv", "e.pdf", "f.docx", "g.epub", "h.gz", "i.zip", "j.png", "k",
        "l.skip", ".m.txt", "n.tar.gz", "o.txt", "p.json", "q.xlsx", "r.é",
    ]);
    vec((folders, names, 0..CONTENTS.len()), 0..24)
}

/// Text, nothing, blanks, bytes of no text, a damaged PDF and zip, a page without text, too much.
const CONTENTS: [&[u8]; 8] = [
    b"Trains are booked by the front desk.",
    b"",
    b" \n\t\n",
    b"\xff\xfe\x00\x01",
    b"%PDF-1.7\nnothing else",
    b"PK\x03\x04\x00\x00",
    b"<!doctype html><html><body></body></html>",
    &[b'x'; 3000],
];

/// Files and folders that a report has to account for: those not entered count as one.
fn there(folder: &Path) -> u64 {
    let count = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        let (name, kind) = (entry.file_name(), entry.file_type().unwrap());
        let name = name.to_str().unwrap();
        match name {
            ".gitignore" => 0,
            _ if kind.is_dir() && !name.starts_with('.') && name != "ignored" => there(&entry.path()),
            _ => 1,
        }
    };
    std::fs::read_dir(folder).unwrap().map(count).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_file_of_a_tree_is_taken_or_named_by_its_reason(files in files(), links in 0..3usize) {
        let home = tempfile::tempdir().unwrap();
        let tree = home.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        std::fs::write(tree.join(".gitignore"), "ignored/\n*.skip\n").unwrap();
        for (folder, name, content) in &files {
            std::fs::create_dir_all(tree.join(folder)).unwrap();
            std::fs::write(tree.join(folder).join(name), CONTENTS[*content]).unwrap();
        }
        for link in 0..links {
            symlink("/", tree.join(format!("link{link}.txt"))).unwrap();
        }
        let options = Database::options().encoder(Arc::new(HashEncoder::default()));
        let store = postil::StoreOptions { max_text_bytes: 2000, ..postil::StoreOptions::default() };
        let db = options.store(store).open(home.path().join("d.postil")).unwrap();
        let first = ingest(&db, &tree);
        let again = ingest(&db, &tree);
        for report in [&first, &again] {
            let Ingested { added, replaced, unchanged, skipped, left_out, .. } = report;
            let told = added + replaced + unchanged + skipped.len() as u64 + left_out.count();
            prop_assert_eq!(told, there(&tree), "{:?}", report);
            for skip in skipped {
                prop_assert!(skip.source.contains("tree/") && !skip.reason().is_empty(), "{:?}", skip);
            }
            let reasons = report.skipped_by_reason();
            let counts = reasons.split(", ").filter_map(|part| part.split(' ').next()?.parse::<usize>().ok());
            prop_assert_eq!(counts.sum::<usize>(), skipped.len(), "{}", reasons);
        }
        prop_assert_eq!((again.added, again.replaced), (0, 0));
        prop_assert_eq!(db.stat().unwrap().documents, again.unchanged);
    }
}
