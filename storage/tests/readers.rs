//! Readers in other processes beside a writer: each sees one published state, whole, until it
//! opens a newer one; and no other process can open the files in use.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use postil_storage::{
    Batch, DocumentWrite, Filter, Metadata, Metric, Profile, SearchOptions, StorageError, Store, StoreOptions,
};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const DOCUMENTS: u64 = 400;
/// States that each reader sees before the writer ends, unless that takes longer than [`PATIENCE`].
const STATES: u64 = 3;
const PATIENCE: Duration = Duration::from_secs(120);

fn options() -> StoreOptions {
    StoreOptions { seal_rows: 250, m: 4, ef_construction: 20, ..StoreOptions::default() }
}

/// Makes a batch with all documents at one generation, and one more.
fn batch(generation: u64) -> Batch {
    let mut batch = Batch::new();
    for i in 0..DOCUMENTS {
        let document = DocumentWrite::row(format!("{i:03}"), vec![i as f32, 1.0], Metadata::new());
        let title = generation.to_string();
        batch.upsert(DocumentWrite { text: format!("generation {generation}"), title, ..document });
    }
    batch.upsert(DocumentWrite::row(format!("of {generation:06}"), vec![-5.0, 0.0], Metadata::new()));
    batch
}

/// Checks that a store has one whole state; returns its generation.
fn whole(store: &Store) -> u64 {
    let stat = store.stat().unwrap();
    assert_eq!(stat.documents, DOCUMENTS + stat.generation);
    for i in [0, 7, DOCUMENTS - 1] {
        let text = store.text(&format!("{i:03}")).unwrap().unwrap();
        assert_eq!(text, format!("generation {}", stat.generation));
    }
    let hits = store.search(&[7.2, 1.0], &SearchOptions::new(2)).unwrap();
    assert_eq!((hits[0].key.as_str(), hits[1].key.as_str()), ("007", "008"));
    assert_eq!(hits[0].title, stat.generation.to_string());
    stat.generation
}

fn child(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--ignored", "--nocapture"]);
    command.env("POSTIL_READERS_TEST", folder).stdout(Stdio::piped());
    command
}

fn given() -> Option<PathBuf> {
    std::env::var_os("POSTIL_READERS_TEST").map(PathBuf::from)
}

/// Reads and refreshes until the folder has a file `stop`; notes the states it saw.
#[test]
#[ignore = "run by readers_in_other_processes_see_whole_states_that_follow_each_other"]
fn child_that_reads() {
    let Some(folder) = given() else { return };
    let mut store = Store::open_published(folder.join("r.postil"), options()).unwrap();
    let mut seen = whole(&store);
    let mut states = 1;
    // As many bytes as states: the writer goes on until there were some.
    let note = folder.join(format!("states {}", std::process::id()));
    let mut note = std::fs::OpenOptions::new().create(true).append(true).open(note).unwrap();
    note.write_all(b".").unwrap();
    let refused = store.commit(batch(1)).unwrap_err();
    assert!(matches!(refused, StorageError::ReadOnly { .. }), "{refused}");
    while !folder.join("stop").exists() {
        assert_eq!(whole(&store), seen, "a state changed by itself");
        if let Some(newer) = store.newer().unwrap() {
            store = newer;
            let now = whole(&store);
            assert!(now > seen, "{now} after {seen}");
            (seen, states) = (now, states + 1);
            note.write_all(b".").unwrap();
        }
    }
    if let Some(newer) = store.newer().unwrap() {
        store = newer;
    }
    println!("states {states}, last {}", whole(&store));
}

#[test]
fn readers_in_other_processes_see_whole_states_that_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.postil");
    let store = Store::create(&path, Profile::new(2, Metric::L2), options()).unwrap();
    store.commit(batch(1)).unwrap();
    let none = Store::open_published(&path, options()).unwrap_err();
    assert!(matches!(none, StorageError::NotPublished { .. }), "{none}");
    store.publish().unwrap();
    let readers: Vec<Child> =
        (0..3).map(|_| child("child_that_reads", folder.path()).spawn().unwrap()).collect();
    let start = Instant::now();
    let mut generation = 1;
    let seen = |reader: &Child| {
        let note = folder.path().join(format!("states {}", reader.id()));
        std::fs::metadata(note).map_or(0, |note| note.len())
    };
    while start.elapsed() < Duration::from_secs(4)
        || readers.iter().any(|reader| seen(reader) < STATES) && start.elapsed() < PATIENCE
    {
        generation += 1;
        store.commit(batch(generation)).unwrap();
        if generation % 3 == 0 {
            store.publish().unwrap();
        }
        if generation % 10 == 0 {
            store.compact().unwrap();
        }
    }
    store.publish().unwrap();
    store.publish().unwrap();
    assert_eq!(std::fs::read_dir(path.join("published")).unwrap().count(), 1);
    assert_eq!(store.check().unwrap(), vec![]);
    std::fs::write(folder.path().join("stop"), "").unwrap();
    for reader in readers {
        let output = reader.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}");
        assert!(said.contains(&format!("last {generation}")), "{said}");
        let states = said.split("states ").nth(1).unwrap().split(',').next().unwrap();
        assert!(states.parse::<u64>().unwrap() >= STATES, "{said}");
    }
}

#[test]
fn documents_that_are_replaced_while_they_are_listed_are_listed_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let store =
        Store::create(folder.path().join("r.postil"), Profile::new(2, Metric::L2), options()).unwrap();
    store.commit(batch(1)).unwrap();
    let all: Filter = "missing(year)".parse().unwrap();
    let listed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut generation = 1;
            while !listed.load(Ordering::Relaxed) {
                generation += 1;
                store.commit(batch(generation)).unwrap();
                if generation % 4 == 0 {
                    store.compact().unwrap();
                }
            }
        });
        let lists = (0..30).map(|round| {
            let documents: Vec<_> = match round % 2 {
                0 => store.documents().collect(),
                _ => store.documents_where(&all).unwrap().collect(),
            };
            let keys = documents.into_iter().map(|document| document.unwrap().key);
            keys.filter(|key| key.len() == 3).count() as u64
        });
        let lists: Vec<_> = lists.collect();
        listed.store(true, Ordering::Relaxed);
        assert_eq!(lists, [DOCUMENTS; 30]);
    });
}

#[test]
fn a_list_that_is_begun_goes_on_over_compactions_and_leaves_no_files_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.postil");
    let store = Store::create(&path, Profile::new(2, Metric::L2), options()).unwrap();
    // Texts so large that sled gives them their own files, which it opens when they are read.
    let write = |generation: u64| {
        let mut batch = Batch::new();
        for i in 0..40 {
            let document = DocumentWrite::row(format!("{i:03}"), vec![i as f32, 1.0], Metadata::new());
            let text = format!("generation {generation} ").repeat(20_000);
            batch.upsert(DocumentWrite { text, title: generation.to_string(), ..document });
        }
        store.commit(batch).unwrap();
    };
    let trees = || {
        let names = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("documents")).count()
    };
    write(1);
    let mut documents = store.documents();
    assert_eq!(documents.next().unwrap().unwrap().key, "000");
    for generation in 2..4 {
        write(generation);
        store.compact().unwrap();
    }
    let rest: Vec<_> = documents.map(|document| document.unwrap().key).collect();
    assert_eq!(rest, (1..40).map(|i| format!("{i:03}")).collect::<Vec<_>>());
    assert_eq!(trees(), 1);
    assert_eq!(store.check().unwrap(), vec![]);
}

#[test]
fn a_reader_keeps_its_state_when_the_writer_moves_on_and_when_the_database_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.postil");
    let writer = Store::create(&path, Profile::new(2, Metric::L2), options()).unwrap();
    (1..=3).for_each(|generation| _ = writer.commit(batch(generation)).unwrap());
    writer.seal().unwrap();
    writer.publish().unwrap();
    assert!(writer.newer().unwrap().is_none());
    let reader = Store::open_published(&path, options()).unwrap();
    writer.commit(batch(4)).unwrap();
    writer.compact().unwrap();
    assert!(reader.newer().unwrap().is_none(), "what is not published is not seen");
    writer.publish().unwrap();
    assert_eq!(whole(&reader), 3);
    let second = Store::open_published(&path, options()).unwrap();
    assert_eq!((whole(&second), whole(&reader)), (4, 3));
    assert!(matches!(reader.compact().unwrap_err(), StorageError::ReadOnly { .. }));
    let reader = reader.newer().unwrap().unwrap();
    assert_eq!(whole(&reader), 4);
    drop(writer);
    std::fs::remove_dir_all(&path).unwrap();
    assert_eq!((whole(&second), whole(&reader)), (4, 4));
    assert!(reader.newer().unwrap().is_none());
}

#[test]
fn what_a_crash_left_of_publications_is_removed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.postil");
    let store = Store::create(&path, Profile::new(2, Metric::L2), options()).unwrap();
    (1..=3).for_each(|generation| _ = store.commit(batch(generation)).unwrap());
    for left in
        ["000000000002", "000000000002.old", "000000000002.new", "000000000002.new.old", "000000000003.new"]
    {
        std::fs::create_dir_all(path.join("published").join(left).join("documents")).unwrap();
    }
    store.publish().unwrap();
    let left: Vec<_> =
        std::fs::read_dir(path.join("published")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["000000000003"]);
    assert_eq!(whole(&Store::open_published(&path, options()).unwrap()), 3);
}

/// Holds the database until it is killed.
#[test]
#[ignore = "run by the_holder_is_named_to_other_processes_and_its_lock_goes_with_it"]
fn child_that_holds() {
    let Some(folder) = given() else { return };
    let _store = Store::open(folder.join("r.postil"), options()).unwrap();
    println!("\nholding");
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn the_holder_is_named_to_other_processes_and_its_lock_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.postil");
    drop(Store::create(&path, Profile::new(2, Metric::L2), options()).unwrap());
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(path.join("documents"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| (std::fs::metadata(&path).unwrap().modified().unwrap(), path))
            .collect();
        files.sort();
        files
    };
    for _ in 0..2 {
        let mut holder = child("child_that_holds", folder.path()).spawn().unwrap();
        let mut said = BufReader::new(holder.stdout.take().unwrap()).lines();
        assert!(said.any(|line| line.unwrap() == "holding"));
        let before = files();
        for refused in [
            Store::open(&path, options()).unwrap_err(),
            Store::create(&path, Profile::new(2, Metric::L2), options()).unwrap_err(),
        ] {
            assert!(matches!(refused, StorageError::Locked { pid, .. } if pid == holder.id()), "{refused}");
        }
        assert_eq!(files(), before, "bytes were touched before the lock was taken");
        holder.kill().unwrap();
        holder.wait().unwrap();
        // A killed process holds nothing, and its id in the file means nothing.
        let text = std::fs::read_to_string(path.join("LOCK")).unwrap();
        assert_eq!(text, format!("postil {}\n", holder.id()));
        drop(Store::open(&path, options()).unwrap());
    }
}
