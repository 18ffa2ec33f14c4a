//! Real limits of the operating system: a full or read-only file system, few open files, little
//! memory. The process that hits one gets a typed error or goes on; the database is whole
//! afterwards.
//!
//! The children run under `ulimit`. Mounts need the right to mount; without it, the test says so.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test says no more by expecting")]

mod workload;

use postil_hostile::figures;
use postil_storage::{
    Batch, DocumentWrite, Metadata, Metric, Profile, Result, SearchOptions, StorageError, Store, StoreOptions,
};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use workload::{batch, create, hash, options, sound};

/// A file system in memory, unmounted when dropped.
struct Mount(PathBuf);

impl Mount {
    fn new(at: &Path, options: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output();
        let mounted = mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()));
        if mounted.is_none() {
            println!("skipped: no right to mount a file system");
        }
        mounted
    }

    fn again(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Runs the test of that name, alone, in a process under `ulimit` with those arguments.
fn child(test: &str, limit: &str, folder: &Path) -> Output {
    let run = format!("ulimit {limit} && exec \"$0\" --exact {test} --ignored --nocapture");
    let mut shell = Command::new("sh");
    shell.args(["-c", &run]).arg(std::env::current_exe().unwrap());
    shell.env("POSTIL_LIMITS_FOLDER", folder).env("RUST_BACKTRACE", "0").output().unwrap()
}

fn folder_of_the_parent() -> Option<PathBuf> {
    std::env::var_os("POSTIL_LIMITS_FOLDER").map(PathBuf::from)
}

/// Commits, seals and compacts until something fails; returns the last acknowledged generation,
/// too.
fn work(store: &Store, batches: u64) -> (u64, Result<()>) {
    let mut acknowledged = match store.stat() {
        Ok(stat) => stat.generation,
        Err(error) => return (0, Err(error)),
    };
    let outcome = (acknowledged + 1..=acknowledged + batches).try_for_each(|generation| {
        store.commit(batch(generation))?;
        acknowledged = generation;
        match generation % 8 {
            3 => store.seal(),
            7 => store.compact(),
            _ => Ok(()),
        }
    });
    (acknowledged, outcome)
}

#[test]
fn a_file_system_that_is_full_at_any_size_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (mut sizes, mut full) = (0, 0);
    for kilobytes in (1_000..7_000).step_by(300) {
        let Some(disk) = Mount::new(&home.path().join("disk"), &format!("size={kilobytes}k")) else { return };
        let path = disk.0.join("f.postil");
        let acknowledged = Store::create(&path, workload::profile(), options()).map_or(None, |store| {
            let (acknowledged, outcome) = work(&store, 200);
            full += u32::from(outcome.is_err());
            Some(acknowledged)
        });
        // A full disk must not get worse when the database is opened.
        for _ in 0..2 {
            drop(Store::open(&path, options()));
        }
        disk.again("size=200m");
        let store = match acknowledged {
            Some(_) => Store::open(&path, options()).unwrap(),
            // It may have been created completely before the error.
            None => Store::open(&path, options()).unwrap_or_else(|_| create(&path)),
        };
        let acknowledged = acknowledged.unwrap_or(0);
        let generation = sound(&store, acknowledged..=acknowledged + 1);
        let (acknowledged, outcome) = work(&store, 5);
        outcome.unwrap();
        assert_eq!(acknowledged, generation + 5);
        store.compact().unwrap();
        sound(&store, acknowledged..=acknowledged);
        sizes += 1;
        drop(store);
    }
    assert!(full > sizes / 3, "the disk was full at {full} of {sizes} sizes only");
    figures::report("disk_sizes", &[("tried", f64::from(sizes).into()), ("full", f64::from(full).into())]);
}

#[test]
fn a_read_only_file_system_is_a_typed_error_and_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let Some(disk) = Mount::new(&home.path().join("disk"), "size=50m") else { return };
    let path = disk.0.join("r.postil");
    let store = create(&path);
    work(&store, 20).1.unwrap();
    drop(store);
    disk.again("ro");
    let opened = Store::open(&path, options());
    assert!(matches!(opened, Err(StorageError::NotWritable { .. })), "{opened:?}");
    let made = Store::create(disk.0.join("new.postil"), workload::profile(), options());
    assert!(matches!(made, Err(StorageError::Io { .. })), "{made:?}");
    disk.again("rw");
    sound(&Store::open(&path, options()).unwrap(), 20..=20);
}

#[test]
#[ignore = "run by few_open_files_are_a_typed_error"]
fn child_with_few_open_files() {
    let Some(folder) = folder_of_the_parent() else { return };
    let outcome = Store::open(folder.join("o.postil"), options()).and_then(|store| work(&store, 40).1);
    if let Err(error) = outcome {
        assert!(
            matches!(
                error,
                StorageError::Io { .. }
                    | StorageError::Documents { .. }
                    | StorageError::Poisoned { .. }
                    | StorageError::Sealing { .. }
            ),
            "{error:?}"
        );
        println!("typed");
    }
}

#[test]
fn few_open_files_are_a_typed_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("o.postil");
    work(&create(&path), 20).1.unwrap();
    let (mut tried, mut typed) = (0, 0);
    for files in 3..24 {
        let output = child("child_with_few_open_files", &format!("-n {files}"), folder.path());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        // With next to no memory the program cannot be started.
        if said.contains("running 1 test") {
            assert!(output.status.success(), "{files}: {said}{}", String::from_utf8_lossy(&output.stderr));
            typed += u32::from(said.contains("typed"));
            tried += 1;
        }
        let store = Store::open(&path, options()).unwrap();
        sound(&store, 20..=u64::MAX);
    }
    assert!(typed > 2, "{typed} of {tried}");
    figures::report(
        "open_file_limits",
        &[("tried", f64::from(tried).into()), ("typed", f64::from(typed).into())],
    );
}

const WIDE: usize = 1_024;
const ROWS: u64 = 16_000;
/// Less memory than the vectors have, which is 65 MB.
const MEMORY_KILOBYTES: u64 = 60_000;

fn wide(row: u64) -> Vec<f32> {
    (0..WIDE as u64).map(|i| (hash(row << 12 | i) >> 40) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// Address space cannot be limited below the size of the mapped files; the process's own memory
/// can.
#[test]
#[ignore = "run by a_database_larger_than_memory_answers"]
fn child_with_little_memory() {
    let Some(folder) = folder_of_the_parent() else { return };
    let store = Store::open(folder.join("m.postil"), options()).unwrap();
    for row in (0..ROWS).step_by(977) {
        let hits = store.search(&wide(row), &SearchOptions::new(3).exact()).unwrap();
        assert_eq!(hits[0].key, row.to_string());
    }
    let mut batch = Batch::new();
    batch.upsert(DocumentWrite::row("new", wide(ROWS), Metadata::new()));
    store.commit(batch).unwrap();
    assert_eq!(store.search(&wide(ROWS), &SearchOptions::new(1)).unwrap()[0].key, "new");
    println!("answered");
}

#[test]
fn a_database_larger_than_memory_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.postil");
    let options = StoreOptions { m: 4, ef_construction: 12, min_free_bytes: 0, ..StoreOptions::default() };
    let store = Store::create(&path, Profile::new(WIDE, Metric::Cosine), options.clone()).unwrap();
    for block in (0..ROWS).collect::<Vec<_>>().chunks(2_000) {
        let mut batch = Batch::new();
        block.iter().for_each(|&row| {
            batch.upsert(DocumentWrite::row(row.to_string(), wide(row), Metadata::new()));
        });
        store.commit(batch).unwrap();
    }
    store.compact().unwrap();
    let bytes = store.stat().unwrap().disk_bytes;
    assert!(bytes > MEMORY_KILOBYTES * 1024, "{bytes}");
    drop(store);
    // Of data, not of address space: a mapped file takes the latter only.
    let output = child("child_with_little_memory", &format!("-d {MEMORY_KILOBYTES}"), folder.path());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("answered"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let figures = [("database_bytes", bytes as f64), ("memory_bytes", (MEMORY_KILOBYTES * 1024) as f64)];
    figures::report("larger_than_memory", &figures.map(|(name, value)| (name, value.into())));
    sound_enough(&path, &options);
}

fn sound_enough(path: &Path, options: &StoreOptions) {
    let store = Store::open(path, options.clone()).unwrap();
    assert_eq!(store.check().unwrap(), vec![]);
    assert_eq!(store.stat().unwrap().documents, ROWS + 1);
}
