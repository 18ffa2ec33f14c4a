//! The disk fills up, syncing fails, or no more files can be opened, at each such call of a script
//! in turn: a typed error, reads go on, and once the cause is gone the database is whole and
//! writable.
//!
//! All calls are tried if `POSTIL_EXHAUSTION` says `all`; otherwise a share of them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

mod power;
mod workload;

use postil_hostile::figures;
use postil_storage::{Result, StorageError, Store};
use power::record::{self, Need, Refusal};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use workload::{agree, batch, create, model, options, sound};

const BATCHES: u64 = 10;
/// Time after which a script hangs: it takes a tenth of a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Number of hanging cases after which no more are tried.
const HUNG: u32 = 3;
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Calls tried for each need, if not all are.
const TRIED: u64 = 60;

/// Environment variable with the case for a child: the index in [`NEEDS`], and the number of calls
/// that succeed before.
const CASE: &str = "POSTIL_EXHAUSTION_CASE";
/// Environment variable with the child's database.
const PLACE: &str = "POSTIL_EXHAUSTION_PLACE";
const NEEDS: [(&str, Need, bool, i32); 3] = [
    ("full_disk", Need::Room, false, libc::ENOSPC),
    ("failed_sync", Need::Sync, true, libc::EIO),
    ("open_files", Need::Handle, false, libc::EMFILE),
];

/// Commits, seals, compacts and reopens until something fails.
fn script(path: &Path, acknowledged: &mut dyn FnMut(u64)) -> (Option<Store>, Result<()>) {
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
        acknowledged(generation);
        match generation % 4 {
            1 => store.seal(),
            3 => store.compact(),
            _ => Ok(()),
        }
    });
    (open, outcome)
}

/// Returns the number of the script's calls that have the need.
fn calls(folder: &Path, need: Need) -> u64 {
    let path = folder.join("counted.postil");
    drop(create(&path));
    record::start(folder);
    let (store, outcome) = script(&path, &mut |_| {});
    outcome.unwrap();
    drop(store);
    let calls = record::calls(need);
    record::stop();
    std::fs::remove_dir_all(path).unwrap();
    calls
}

/// Refuses one call, in a process of its own: sled's threads serve all databases of a process, and
/// one that waits forever is lost to the others.
#[test]
#[ignore = "run by the test below, with a case in the environment"]
fn one_call_is_refused() {
    let Ok(case) = std::env::var(CASE) else { return };
    let (need, after) = case.split_once(' ').unwrap();
    let (_, need, once, error) = NEEDS[need.parse::<usize>().unwrap()];
    let path = std::path::PathBuf::from(std::env::var_os(PLACE).unwrap());
    let note = File::create(path.with_extension("acknowledged")).unwrap();
    record::start(&path);
    record::refuse(Refusal { need, after: after.parse().unwrap(), once, error });
    let (store, outcome) =
        script(&path, &mut |generation| note.write_all_at(&generation.to_le_bytes(), 0).unwrap());
    if let (Some(store), Err(_)) = (&store, &outcome)
        && store.is_writable()
    {
        // Memory and trees agree: everything committed is served.
        agree(store, &model(store.stat().unwrap().generation));
    }
    drop(store);
    record::stop();
    assert!(
        matches!(
            outcome,
            Ok(())
                | Err(StorageError::Io { .. }
                    | StorageError::Documents { .. }
                    | StorageError::Poisoned { .. }
                    | StorageError::Sealing { .. })
        ),
        "the wrong error: {outcome:?}"
    );
}

/// Outcome of a refused call.
enum Ended {
    Well,
    /// A hang: sled 0.34 would now and then hang after a failed write of its log, if its flushes
    /// were not watched.
    Hung,
}

/// Runs a case; an error is what went wrong when the call after `after` others was refused.
fn tried(folder: &Path, need: usize, after: u64) -> Result<Ended, String> {
    let path = folder.join(format!("{need}-{after}.postil"));
    drop(create(&path));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["one_call_is_refused", "--exact", "--ignored", "--nocapture"])
        .env(CASE, format!("{need} {after}"))
        .env(PLACE, &path)
        .stdout(Stdio::null())
        .stderr(File::create(path.with_extension("said")).unwrap())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let how = loop {
        match child.try_wait().unwrap() {
            Some(status) if status.success() => break Ended::Well,
            Some(_) => return Err(std::fs::read_to_string(path.with_extension("said")).unwrap()),
            None if start.elapsed() > PATIENCE => {
                child.kill().unwrap();
                child.wait().unwrap();
                break Ended::Hung;
            }
            None => std::thread::sleep(LOOK_EVERY),
        }
    };
    let noted = std::fs::read(path.with_extension("acknowledged")).unwrap();
    let acknowledged = noted.try_into().map_or(0, u64::from_le_bytes);
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
    let (mut failed, mut hung) = (Vec::new(), 0u32);
    let mut figures = vec![("documents_lost", 0.0.into())];
    for (index, (name, need, ..)) in NEEDS.into_iter().enumerate() {
        let calls = calls(folder.path(), need);
        let step = if all { 1 } else { calls.div_ceil(TRIED) };
        let mut tries = 0;
        for after in (0..calls).step_by(step as usize) {
            if hung == HUNG {
                break;
            }
            tries += 1;
            match tried(folder.path(), index, after) {
                Ok(Ended::Well) => {}
                Ok(Ended::Hung) => hung += 1,
                Err(what) => failed.push(format!("{name}, {after} of {calls}: {what}")),
            }
        }
        figures.push((name, f64::from(tries).into()));
    }
    assert!(failed.is_empty(), "{}: {:#?}", failed.len(), failed.iter().take(30).collect::<Vec<_>>());
    figures.push(("hung", f64::from(hung).into()));
    figures::report("exhaustion", &figures);
    assert_eq!(hung, 0, "hung");
}
