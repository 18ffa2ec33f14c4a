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
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;
use workload::{agree, batch, create, model, options, sound};

const BATCHES: u64 = 10;
/// A script that takes longer than this hangs: it takes a tenth of a second.
const PATIENCE: Duration = Duration::from_secs(15);
/// Calls tried of each need, when not all are.
const TRIED: u64 = 60;

/// Commits, seals, compacts and reopens until something fails.
fn script(path: &Path, acknowledged: &AtomicU64) -> (Option<Store>, Result<()>) {
    let mut open = None;
    let outcome = (0..=BATCHES).try_for_each(|generation| {
        if generation % 4 == 0 {
            open = None;
            open = Some(Store::open(path, options())?);
        }
        if generation == 0 {
            return Ok(());
        }
        let store = open.as_ref().expect("it was opened before the first batch");
        store.commit(batch(generation))?;
        acknowledged.store(generation, Ordering::SeqCst);
        match generation % 4 {
            1 => store.seal(),
            3 => store.compact(),
            _ => Ok(()),
        }
    });
    (open, outcome)
}

/// How many calls of the script need it.
fn calls(folder: &Path, need: Need) -> u64 {
    let path = folder.join("counted.postil");
    drop(create(&path));
    record::start(folder);
    let (store, outcome) = script(&path, &AtomicU64::new(0));
    outcome.unwrap();
    drop(store);
    let calls = record::calls(need);
    record::stop();
    std::fs::remove_dir_all(path).unwrap();
    calls
}

/// The script and its end, with a panic told apart.
fn ended(path: &Path, acknowledged: &AtomicU64) -> Result<Result<()>, String> {
    catch_unwind(AssertUnwindSafe(|| {
        let (store, outcome) = script(path, acknowledged);
        if let (Some(store), Err(_)) = (&store, &outcome)
            && store.is_writable()
        {
            // Memory and trees agree: all that was committed is served.
            agree(store, &model(store.stat().unwrap().generation));
        }
        drop(store);
        outcome
    }))
    .map_err(|_| "panicked".to_owned())
}

/// How a call that was refused ended.
enum Ended {
    Well,
    /// sled 0.34 sometimes waits for ever where a write of its log failed.
    Hung,
}

/// What went wrong with `refusal`.
fn tried(folder: &Path, refusal: Refusal) -> Result<Ended, String> {
    let path = folder.join(format!("{refusal:?}.postil"));
    drop(create(&path));
    let acknowledged = Arc::new(AtomicU64::new(0));
    record::start(&path);
    record::refuse(refusal);
    let (sender, receiver) = channel();
    let (place, counter) = (path.clone(), Arc::clone(&acknowledged));
    std::thread::spawn(move || drop(sender.send(ended(&place, &counter))));
    let ended = receiver.recv_timeout(PATIENCE);
    record::stop();
    let acknowledged = acknowledged.load(Ordering::SeqCst);
    let (path, how) = match ended {
        Ok(outcome) => {
            match outcome? {
                Ok(())
                | Err(
                    StorageError::Io { .. }
                    | StorageError::Documents { .. }
                    | StorageError::Poisoned { .. }
                    | StorageError::Sealing { .. },
                ) => {}
                Err(error) => return Err(format!("the wrong error: {error:?}")),
            }
            (path, Ended::Well)
        }
        // The process would have to be ended: a copy is what the next one finds.
        Err(_) => {
            let copied = path.with_extension("copy");
            let done = std::process::Command::new("cp").arg("-r").args([&path, &copied]).status().unwrap();
            assert!(done.success());
            (copied, Ended::Hung)
        }
    };
    let after = catch_unwind(AssertUnwindSafe(|| {
        let store = Store::open(&path, options()).map_err(|error| format!("does not open again: {error}"))?;
        let generation = sound(&store, acknowledged..=acknowledged + 1);
        store.commit(batch(generation + 1)).map_err(|error| format!("cannot be written: {error}"))?;
        store.compact().map_err(|error| format!("cannot be compacted: {error}"))?;
        sound(&store, generation + 1..=generation + 1);
        Ok(how)
    }));
    let _ = std::fs::remove_dir_all(path);
    after.unwrap_or_else(|_| Err("panicked after it".to_owned()))
}

#[test]
fn no_resource_that_runs_out_costs_anything_that_was_acknowledged() {
    let folder = workload::quick_folder();
    let all = std::env::var("POSTIL_EXHAUSTION").is_ok_and(|which| which == "all");
    let (mut failed, mut hung) = (Vec::new(), 0);
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
            match tried(folder.path(), refusal) {
                Ok(Ended::Well) => {}
                Ok(Ended::Hung) => {
                    hung += 1;
                }
                Err(what) => failed.push(format!("{refusal:?} of {calls}: {what}")),
            }
        }
        figures.push((name, f64::from(tries)));
    }
    assert!(failed.is_empty(), "{}: {:#?}", failed.len(), failed.iter().take(30).collect::<Vec<_>>());
    figures.push(("hung", f64::from(hung)));
    figures::report("exhaustion", &figures);
    assert!(hung <= 3, "{hung} hung");
}
