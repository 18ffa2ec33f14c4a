//! A process killed at any moment leaves whole batches, and every batch that it was told is
//! durable.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use postil_storage::{
    Batch, DocumentWrite, Metadata, Metric, Profile, SearchOptions, StorageError, Store, StoreOptions,
};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PER_BATCH: u64 = 3;
/// Longest time that a child takes for some batches, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn options() -> StoreOptions {
    StoreOptions { seal_rows: 20, m: 4, ef_construction: 20, ..StoreOptions::default() }
}

/// The child's part of the test below: writes until it is killed, and notes each batch that was
/// acknowledged.
#[test]
#[ignore = "run by a_killed_process_leaves_whole_batches"]
fn child_that_writes_until_killed() {
    let Some(folder) = std::env::var_os("POSTIL_CRASH_TEST").map(std::path::PathBuf::from) else { return };
    let store = Store::open(folder.join("c.postil"), options()).unwrap();
    let first = store.stat().unwrap().generation;
    for generation in first + 1.. {
        let mut batch = Batch::new();
        for i in 0..PER_BATCH {
            let vector = vec![generation as f32, i as f32];
            let text = format!("batch {generation} document {i} ").repeat(2000);
            let document = DocumentWrite::row(format!("{generation:09} {i}"), vector, Metadata::new());
            batch.upsert(DocumentWrite { text, ..document });
        }
        // Every batch but the first also removes one document of the previous batch.
        if generation > 1 {
            batch.remove(format!("{:09} 0", generation - 1));
        }
        store.commit(batch).unwrap();
        if generation.is_multiple_of(5) {
            store.compact().unwrap();
        }
        std::fs::write(folder.join("acknowledged"), generation.to_string()).unwrap();
    }
}

#[test]
fn a_killed_process_leaves_whole_batches() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.postil");
    Store::create(&path, Profile::new(2, Metric::L2), options()).unwrap().close().unwrap();
    let mut generations = 0;
    for round in 0..6u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_writes_until_killed", "--ignored"])
            .env("POSTIL_CRASH_TEST", folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let acknowledged = || -> u64 {
            std::fs::read_to_string(folder.path().join("acknowledged"))
                .ok()
                .and_then(|n| n.parse().ok())
                .unwrap_or(0)
        };
        // Some batches first, then a moment that differs from round to round.
        let start = Instant::now();
        while acknowledged() < generations + 9 && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        if round == 0 {
            let error = Store::open(&path, options()).unwrap_err();
            assert!(matches!(error, StorageError::Locked { pid, .. } if pid == child.id()), "{error}");
        }
        std::thread::sleep(Duration::from_millis(round * 7));
        child.kill().unwrap();
        child.wait().unwrap();

        let store = Store::open(&path, options()).unwrap();
        let stat = store.stat().unwrap();
        assert!(stat.generation >= acknowledged(), "round {round}: an acknowledged batch is gone");
        assert!(stat.generation > generations, "round {round}: the child wrote nothing");
        generations = stat.generation;
        assert_eq!(store.check().unwrap(), vec![], "round {round}");
        assert_eq!(stat.documents, generations * PER_BATCH - (generations - 1));
        let hits = store.search(&[1.0, 0.0], &SearchOptions::new(usize::MAX)).unwrap();
        assert_eq!(hits.len() as u64, stat.passages);
        assert_eq!(store.documents().map(Result::unwrap).count() as u64, stat.documents);
    }
}
