//! The disk fills up, syncing fails, or files cannot be opened any more, at each such call of a script in turn: a typed
//! error, reads go on, and once the cause is gone the database is whole and can be written to.
//!
//! All calls are tried if `POSTIL_EXHAUSTION` says `all`; otherwise a share of them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

mod figures;
mod power;
mod workload;

use postil_storage::{Result, StorageError, Store};
use power::record::{self, Need, Refusal};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use workload::{agree, batch, create, model, options, sound};

const BATCHES: u64 = 10;
/// Calls tried of each need, when not all are.
const TRIED: u64 = 60;

/// What is left where the script ended.
#[derive(Default)]
struct Left {
    store: Option<Store>,
    acknowledged: u64,
}

/// Commits, seals, compacts and reopens until something fails.
fn script(path: &Path) -> (Left, Result<()>) {
    let mut left = Left::default();
    let outcome = (0..=BATCHES).try_for_each(|generation| {
        if generation % 4 == 0 {
            left.store = None;
            left.store = Some(Store::open(path, options())?);
        }
        if generation == 0 {
            return Ok(());
        }
        let store = left.store.as_ref().expect("it was opened before the first batch");
        store.commit(batch(generation))?;
        left.acknowledged = generation;
        match generation % 4 {
            1 => store.seal(),
            3 => store.compact(),
            _ => Ok(()),
        }
    });
    (left, outcome)
}

/// How many calls of the script need it.
fn calls(folder: &Path, need: Need) -> u64 {
    let path = folder.join("counted.postil");
    drop(create(&path));
    record::start(folder);
    let (left, outcome) = script(&path);
    outcome.unwrap();
    drop(left);
    let calls = record::calls(need);
    record::stop();
    std::fs::remove_dir_all(path).unwrap();
    calls
}

/// What went wrong with `refusal`.
fn tried(folder: &Path, refusal: Refusal) -> Result<(), String> {
    let path = folder.join("refused.postil");
    let _ = std::fs::remove_dir_all(&path);
    drop(create(&path));
    record::start(folder);
    record::refuse(refusal);
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let (Left { store, acknowledged }, outcome) = script(&path);
        if let (Some(store), Err(_)) = (&store, &outcome)
            && store.is_writable()
        {
            // Memory and trees agree: all that was committed is served.
            agree(store, &model(store.stat().unwrap().generation));
        }
        drop(store);
        (acknowledged, outcome)
    }));
    record::stop();
    let (acknowledged, outcome) = ended.map_err(|_| "panicked".to_owned())?;
    match outcome {
        Ok(())
        | Err(
            StorageError::Io { .. }
            | StorageError::Documents { .. }
            | StorageError::Poisoned { .. }
            | StorageError::Sealing { .. },
        ) => {}
        Err(error) => return Err(format!("the wrong error: {error:?}")),
    }
    let after = catch_unwind(AssertUnwindSafe(|| {
        let store = Store::open(&path, options()).map_err(|error| format!("does not open again: {error}"))?;
        let generation = sound(&store, acknowledged..=acknowledged + 1);
        store.commit(batch(generation + 1)).map_err(|error| format!("cannot be written: {error}"))?;
        store.compact().map_err(|error| format!("cannot be compacted: {error}"))?;
        sound(&store, generation + 1..=generation + 1);
        Ok(())
    }));
    after.unwrap_or_else(|_| Err("panicked after it".to_owned()))
}

#[test]
fn no_resource_that_runs_out_costs_anything_that_was_acknowledged() {
    let folder = workload::quick_folder();
    let all = std::env::var("POSTIL_EXHAUSTION").is_ok_and(|which| which == "all");
    let mut failed = Vec::new();
    let mut figures = vec![("documents_lost", 0.0)];
    for (name, need, once, error) in [
        ("full_disk", Need::Room, false, libc::ENOSPC),
        ("failed_sync", Need::Sync, true, libc::EIO),
        ("open_files", Need::Handle, false, libc::EMFILE),
    ] {
        let calls = calls(folder.path(), need);
        let step = if all { 1 } else { calls.div_ceil(TRIED) };
        let mut tries = 0;
        for after in (0..calls).step_by(step as usize) {
            tries += 1;
            let refusal = Refusal { need, after, once, error };
            if let Err(what) = tried(folder.path(), refusal) {
                failed.push(format!("{refusal:?} of {calls}: {what}"));
            }
        }
        figures.push((name, f64::from(tries)));
    }
    assert!(failed.is_empty(), "{}: {:#?}", failed.len(), failed.iter().take(30).collect::<Vec<_>>());
    figures::report("exhaustion", &figures);
}
