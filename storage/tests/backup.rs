//! A copy made while the database is in use is one of its states, whole; an interrupted copy leaves
//! nothing under its name.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use postil_storage::{
    Batch, DocumentWrite, Metadata, Metric, Profile, SearchOptions, Step, StorageError, Store, StoreOptions,
    Value,
};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn options() -> StoreOptions {
    StoreOptions { seal_rows: 300, m: 4, ef_construction: 20, ..StoreOptions::default() }
}

/// Every batch writes all documents at one generation and one more document.
fn batch(generation: i64) -> Batch {
    let mut batch = Batch::new();
    for i in 0..100 {
        let metadata = Metadata::from([("generation".to_owned(), Value::Integer(generation))]);
        let document = DocumentWrite::row(format!("{i:03}"), vec![i as f32, generation as f32], metadata);
        batch.upsert(DocumentWrite { text: format!("generation {generation}").repeat(100), ..document });
    }
    batch.upsert(DocumentWrite::row(format!("of {generation:05}"), vec![0.5, 0.5], Metadata::new()));
    batch
}

fn create(path: &Path, generations: i64) -> Store {
    let store = Store::create(path, Profile::new(2, Metric::L2), options()).unwrap();
    (1..=generations).for_each(|generation| _ = store.commit(batch(generation)).unwrap());
    store
}

fn on(_: Step) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Ends the writer, also if an assertion fails: otherwise the test would wait for it.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Opens a copy, and checks that it is the state of its generation.
fn generation_of(path: &Path) -> u64 {
    let store = Store::open(path, options()).unwrap();
    assert_eq!(store.check().unwrap(), vec![]);
    let generation = store.stat().unwrap().generation;
    let mut documents = 0;
    for document in store.documents().map(Result::unwrap) {
        documents += 1;
        if let Some(value) = document.metadata.get("generation") {
            assert_eq!(*value, Value::Integer(generation as i64), "{}", document.key);
            let text = store.text(&document.key).unwrap().unwrap();
            assert_eq!(text, format!("generation {generation}").repeat(100));
        }
    }
    assert_eq!(documents, 100 + generation);
    let hits = store.search(&[7.0, generation as f32], &SearchOptions::new(1)).unwrap();
    assert_eq!((hits[0].key.as_str(), hits[0].score), ("007", 0.0));
    generation
}

#[test]
fn backups_made_while_a_writer_writes_are_whole_states_that_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = create(&folder.path().join("b.postil"), 5);
    let done = AtomicBool::new(false);
    let mut generations = Vec::new();
    std::thread::scope(|scope| {
        let _ends = Ends(&done);
        scope.spawn(|| {
            for generation in 6.. {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                store.commit(batch(generation)).unwrap();
                if generation % 7 == 0 {
                    store.compact().unwrap();
                }
            }
        });
        for i in 0..8 {
            let to = folder.path().join(format!("copy {i}"));
            let before = store.stat().unwrap().generation;
            assert!(store.backup(&to, &mut on).unwrap().is_continue());
            let after = store.stat().unwrap().generation;
            generations.push(generation_of(&to));
            assert!((before..=after).contains(&generations[i]), "{before} {} {after}", generations[i]);
        }
    });
    assert!(generations.is_sorted() && generations[0] < generations[7], "{generations:?}");
}

#[test]
fn a_backup_goes_on_when_its_database_is_gone_and_comes_back_by_restore() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let store = create(&at("b.postil"), 9);
    store.seal().unwrap();
    let mut told = Vec::new();
    let mut progress = |copied: Step| {
        assert!(copied.done <= copied.total);
        told.push(copied.done);
        ControlFlow::Continue(())
    };
    assert!(store.backup(at("copy"), &mut progress).unwrap().is_continue());
    assert!(told.is_sorted() && !told.is_empty());
    drop(store);
    std::fs::remove_dir_all(at("b.postil")).unwrap();
    let files = |path: &Path| {
        let mut files: Vec<_> = std::fs::read_dir(path.join("documents"))
            .unwrap()
            .chain(std::fs::read_dir(path.join("segments")).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = files(&at("copy"));
    assert!(Store::restore(at("copy"), at("b.postil"), options(), &mut on).unwrap().is_continue());
    assert!(files(&at("copy")) == before, "restoring changed the backup");
    assert_eq!(generation_of(&at("b.postil")), 9);
    assert_eq!(generation_of(&at("copy")), 9);
}

#[test]
fn nothing_is_left_by_a_backup_that_is_ended_refused_or_impossible() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let names = || {
        let mut names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let store = create(&at("b.postil"), 3);
    store.seal().unwrap();
    let mut end = |_: Step| ControlFlow::Break(());
    assert!(store.backup(at("copy"), &mut end).unwrap().is_break());
    assert_eq!(names(), ["b.postil"]);
    assert!(matches!(store.backup(at("b.postil"), &mut on), Err(StorageError::Exists { .. })));
    std::fs::create_dir(at("copy.unfinished")).unwrap();
    std::fs::write(at("copy.unfinished/mine"), "x").unwrap();
    assert!(matches!(store.backup(at("copy"), &mut on), Err(StorageError::NotADatabase { .. })));
    assert_eq!(std::fs::read(at("copy.unfinished/mine")).unwrap(), b"x");
    std::fs::remove_dir_all(at("copy.unfinished")).unwrap();
    assert!(matches!(
        Store::restore(at("nothing"), at("copy"), options(), &mut on),
        Err(StorageError::NotFound { .. })
    ));
    let pid = std::process::id();
    assert!(matches!(
        Store::restore(at("b.postil"), at("copy"), options(), &mut on),
        Err(StorageError::Locked { pid: holder, .. }) if holder == pid
    ));
    assert_eq!(names(), ["b.postil"]);
    // Damage is not copied, neither by a backup nor by a restore.
    drop(store);
    let segment = std::fs::read_dir(at("b.postil/segments")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&segment).unwrap();
    let last = bytes.len() - 70;
    bytes[last] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let is_of_segment =
        |error: StorageError| matches!(error, StorageError::Corrupt { path, .. } if path == segment);
    assert!(is_of_segment(Store::restore(at("b.postil"), at("copy"), options(), &mut on).unwrap_err()));
    let store = Store::open(at("b.postil"), options()).unwrap();
    assert!(is_of_segment(store.backup(at("copy"), &mut on).unwrap_err()));
    assert_eq!(names(), ["b.postil"]);
}

/// The child's part of the test below: makes one backup after another until it is killed.
#[test]
#[ignore = "run by a_killed_backup_is_whole_or_not_there"]
fn child_that_backs_up_until_killed() {
    let Some(folder) = std::env::var_os("POSTIL_BACKUP_TEST").map(std::path::PathBuf::from) else { return };
    let store = Store::open(folder.join("b.postil"), options()).unwrap();
    // Another child was killed before it removed its own.
    let done = folder.join(format!("done by {}", std::process::id()));
    loop {
        let to = folder.join("copy");
        assert!(store.backup(&to, &mut on).unwrap().is_continue());
        std::fs::rename(&to, &done).unwrap();
        std::fs::remove_dir_all(&done).unwrap();
    }
}

#[test]
fn a_killed_backup_is_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    drop(create(&folder.path().join("b.postil"), 9));
    for round in 0..12u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_backs_up_until_killed", "--ignored"])
            .env("POSTIL_BACKUP_TEST", folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // During a backup, however long it takes to begin; every fourth time at any time of its
        // life.
        let lock = folder.path().join("copy.unfinished/LOCK");
        let held = format!("postil {}\n", child.id());
        while round % 4 > 0 && !std::fs::read_to_string(&lock).is_ok_and(|holder| holder == held) {
            assert!(child.try_wait().unwrap().is_none(), "round {round}: the child ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(round * 5));
        child.kill().unwrap();
        child.wait().unwrap();
        let copy = folder.path().join("copy");
        if copy.exists() {
            assert_eq!(generation_of(&copy), 9);
            std::fs::remove_dir_all(&copy).unwrap();
        }
    }
    // Leftovers of the last kill do no harm.
    let store = Store::open(folder.path().join("b.postil"), options()).unwrap();
    assert!(store.backup(folder.path().join("copy"), &mut on).unwrap().is_continue());
    assert!(!folder.path().join("copy.unfinished").exists());
    assert_eq!(generation_of(&folder.path().join("copy")), 9);
}
