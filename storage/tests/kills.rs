//! A process killed at random times while it writes, removes, seals and compacts, again and again
//! on one database: everything acknowledged is there, whole and found, and nothing that was removed
//! is back.
//!
//! `POSTIL_KILLS` is the number of kills, 200 by default; 2,000 is the long form.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

mod workload;

use postil_hostile::figures;
use postil_storage::Store;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use workload::{batch, create, hash, options, sound};

/// Longest life of a child, or longest time that it works: time to open and for some tens of
/// batches.
const LIFE_US: u64 = 150_000;
/// Longest time before a child works, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The child's part of the test below.
#[test]
#[ignore = "run by a_process_killed_at_any_time_loses_nothing"]
fn child_that_works_until_killed() {
    let Some(folder) = std::env::var_os("POSTIL_KILLS_FOLDER") else { return };
    let folder = Path::new(&folder);
    let store = Store::open(folder.join("k.postil"), options()).unwrap();
    let mut acknowledged =
        std::fs::OpenOptions::new().create(true).append(true).open(folder.join("acknowledged")).unwrap();
    let first = store.stat().unwrap().generation;
    for generation in first + 1.. {
        store.commit(batch(generation)).unwrap();
        acknowledged.write_all(&generation.to_le_bytes()).unwrap();
        match hash(generation) % 32 {
            0..3 => store.seal().unwrap(),
            3..5 => store.compact().unwrap(),
            _ => {}
        }
    }
}

/// Returns the last generation that the child was told is durable.
fn acknowledged(folder: &Path) -> u64 {
    let bytes = std::fs::read(folder.join("acknowledged")).unwrap_or_default();
    bytes.as_chunks().0.last().map_or(0, |&last| u64::from_le_bytes(last))
}

/// Returns the bytes that children have noted.
fn written(folder: &Path) -> u64 {
    std::fs::metadata(folder.join("acknowledged")).map_or(0, |file| file.len())
}

#[test]
fn a_process_killed_at_any_time_loses_nothing() {
    let kills: u64 =
        std::env::var("POSTIL_KILLS").map_or(200, |kills| kills.parse().expect("POSTIL_KILLS is a number"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k.postil");
    create(&path).close().unwrap();
    let (mut generation, mut working) = (0, 0);
    for kill in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_works_until_killed", "--ignored"])
            .env("POSTIL_KILLS_FOLDER", folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        if kill % 4 < 2 {
            // At any time of its work, however long it takes to begin; otherwise at any time of its
            // life.
            let before = written(folder.path());
            let spawned = Instant::now();
            while written(folder.path()) == before && spawned.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        std::thread::sleep(Duration::from_micros(hash(kill ^ u64::from(child.id()) << 32) % LIFE_US));
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "kill {kill}: the child ended by itself: {ended:?}");
        child.kill().unwrap();
        child.wait().unwrap();

        let acknowledged = acknowledged(folder.path()).max(generation);
        let store = Store::open(&path, options()).unwrap_or_else(|error| panic!("kill {kill}: {error}"));
        // The batch that was being written may be there, whole, or not.
        let now = sound(&store, acknowledged..=acknowledged + 1);
        working += u64::from(now > generation);
        generation = now;
        if kill.is_multiple_of(2) {
            store.close().unwrap();
        }
    }
    assert!(working * 3 > kills, "only {working} of {kills} children came to write anything");
    let figures = [
        ("tried", kills),
        ("survived", kills),
        ("while_writing", working),
        ("batches", generation),
        ("documents_lost", 0),
    ];
    figures::report("kills", &figures.map(|(name, value)| (name, value.into())));
}
