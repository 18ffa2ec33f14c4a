//! Long work, ended by its caller or by Ctrl-C: soon, and with nothing lost.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

mod command;

use std::path::Path;
use std::sync::Mutex;

use postil::{Cancel, Database, Error, Metadata, Metric, Progress, Row, SearchOptions, StoreOptions, Watch};

const DIMENSION: usize = 64;

fn row(i: usize) -> Row {
    let vector = (0..DIMENSION).map(|j| ((i * 7_919 + j * 104_729) % 1_009) as f32 / 1_009.0 - 0.5).collect();
    Row { key: format!("{i:06}"), vector, metadata: Metadata::new() }
}

fn filled(path: &Path, rows: usize, options: StoreOptions) -> Database {
    let db = Database::options().vectors(DIMENSION, Metric::L2).store(options).open(path).unwrap();
    for from in (0..rows).step_by(5_000) {
        db.upsert((from..rows.min(from + 5_000)).map(row)).unwrap();
    }
    db
}

/// Runs `work` under a watch that is cancelled once `end` is true of its progress; returns that
/// progress too.
fn cancelled<T>(
    end: impl Fn(&Progress) -> bool + Sync,
    work: impl FnOnce(&Watch<'_>) -> Result<T, Error>,
) -> (Result<T, Error>, Progress) {
    let (cancel, last) = (Cancel::default(), Mutex::new(Progress::default()));
    let progress = |progress: &Progress| {
        *last.lock().unwrap() = *progress;
        if end(progress) {
            cancel.cancel();
        }
    };
    let outcome = work(&Watch::new().progress(&progress).cancel(&cancel));
    let last = *last.lock().unwrap();
    (outcome, last)
}

#[test]
fn compaction_check_and_measurement_of_recall_tell_their_progress_and_end_when_cancelled() {
    const ROWS: usize = 6_000;
    let home = tempfile::tempdir().unwrap();
    let options = StoreOptions { m: 48, ef_construction: 800, index_threads: 1, ..StoreOptions::default() };
    let db = filled(&home.path().join("c.postil"), ROWS, options);
    let before = db.stat().unwrap();

    let (compacted, last) = cancelled(|progress| progress.rows > 0, |watch| db.compact(watch));
    assert!(matches!(compacted, Err(Error::Cancelled)), "{compacted:?}");
    assert_eq!(last.total_rows, Some(ROWS as u64));
    assert_eq!(db.stat().unwrap().segments, before.segments);

    let (checked, last) = cancelled(|progress| progress.rows >= 1_000, |watch| db.check(watch));
    assert!(matches!(checked, Err(Error::Cancelled)), "{checked:?}");
    assert!(last.rows < last.total_rows.unwrap(), "{last:?}");

    let search = SearchOptions::new(10);
    let (measured, last) =
        cancelled(|progress| progress.questions_asked == 7, |watch| db.measure_recall(&search, watch));
    assert!(matches!(measured, Err(Error::Cancelled)), "{measured:?}");
    assert!(last.questions_asked == 7 && last.total_questions > Some(64), "{last:?}");

    let (compacted, _) = cancelled(|_| false, |watch| db.compact(watch));
    compacted.unwrap();
    let (checked, last) = cancelled(|_| false, |watch| db.check(watch));
    assert_eq!(checked.unwrap(), []);
    assert_eq!(last.total_rows, Some(2 * ROWS as u64));
    assert_eq!((db.stat().unwrap().segments, db.count(None).unwrap()), (1, ROWS as u64));
}

#[test]
fn what_is_cancelled_before_it_begins_does_nothing() {
    let home = tempfile::tempdir().unwrap();
    let db = filled(&home.path().join("c.postil"), 30, StoreOptions::default());
    let before = db.stat().unwrap();
    let cancel = Cancel::default();
    cancel.cancel();
    let watch = Watch::new().cancel(&cancel);
    assert!(matches!(db.compact(&watch), Err(Error::Cancelled)));
    assert!(matches!(db.check(&watch), Err(Error::Cancelled)));
    assert!(matches!(db.measure_recall(&SearchOptions::new(1), &watch), Err(Error::Cancelled)));
    assert_eq!(db.stat().unwrap(), before);
}

/// Waits until a process handles Ctrl-C, then sends it; false when the process ended before.
#[cfg(target_os = "linux")]
fn interrupt(child: &mut std::process::Child) -> bool {
    use std::time::Duration;
    const SIGINT: u64 = 2;
    let caught = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    };
    while caught(child.id()).unwrap_or(0) & 1 << (SIGINT - 1) == 0 {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    // A process that ended since cannot be sent a signal.
    sent.unwrap().success() || child.try_wait().unwrap().is_none()
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_a_compaction_long_before_it_would_be_done_and_the_database_is_as_before() {
    // A machine that is done before the signal comes gets more rows.
    let ended = [16_000, 60_000, 200_000].into_iter().any(ctrl_c_ends_a_compaction);
    assert!(ended, "every compaction was done before it could be interrupted");
}

/// False when the compaction was done before the signal came.
#[cfg(target_os = "linux")]
fn ctrl_c_ends_a_compaction(rows: usize) -> bool {
    use std::process::Stdio;
    let home = tempfile::tempdir().unwrap();
    // Too few rows for a segment, so that the command has all of them to link.
    let options = StoreOptions { seal_rows: 2 * rows, ..StoreOptions::default() };
    drop(filled(&home.path().join("c.postil"), rows, options));
    let mut command = command::postil(home.path(), &["compact", "c.postil"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if !interrupt(&mut child) {
        return false;
    }
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        return false;
    }
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("nothing is lost"), "{said}");
    assert_eq!(command::succeed(home.path(), &["check", "c.postil"]).trim(), "clean");
    let stat = command::json(home.path(), &["stat", "c.postil", "--json"]);
    assert_eq!(stat["documents"].as_u64(), Some(rows as u64));
    true
}
