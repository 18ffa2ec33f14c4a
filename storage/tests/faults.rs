//! The store stopped at every step of create, open, commit, seal, merge and compact: the disk then
//! has the old state or the new one, sound and writable.
//!
//! "Stopped" is tried in four ways. *Dead*: the folder is copied at that moment, and the copy
//! opened, as after a process that died there. *Broken*: the step fails, and every one after it, as
//! on a broken disk. *Once*: only that step fails, and the work goes on. *Panics*: the step's
//! thread panics, and the others go on.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

mod workload;

use postil_hostile::figures;
use postil_storage::fault::{Point, on_reach};
use postil_storage::{Result, StorageError, Store};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use workload::{agree, batch, hash, model, options, profile, sound};

/// Number of batches in the script; reopening between some makes it open with segments.
const BATCHES: u64 = 24;

/// The database of the script, and its acknowledged generation.
struct Script {
    path: PathBuf,
    store: Option<Store>,
    acknowledged: Arc<AtomicU64>,
    committing: Arc<AtomicBool>,
}

impl Script {
    fn new(path: PathBuf) -> Self {
        Self { path, store: None, acknowledged: Arc::default(), committing: Arc::default() }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().expect("the script opened it")
    }

    fn create(&mut self) -> Result<()> {
        self.store = Some(Store::create(&self.path, profile(), options())?);
        Ok(())
    }

    fn reopen(&mut self) -> Result<()> {
        self.store = None;
        self.store = Some(Store::open(&self.path, options())?);
        Ok(())
    }

    /// Commits one batch and does the work that follows it.
    fn step(&mut self, generation: u64) -> Result<()> {
        self.committing.store(true, Ordering::SeqCst);
        let committed = self.store().commit(batch(generation));
        if committed.is_ok() {
            self.acknowledged.store(generation, Ordering::SeqCst);
        }
        self.committing.store(false, Ordering::SeqCst);
        committed?;
        // Then nothing else is running at any point: a copy of the folder is a state of one moment.
        self.store().settle()?;
        match generation % 8 {
            2 => self.store().seal(),
            4 => self.reopen(),
            7 => self.store().compact(),
            _ => Ok(()),
        }
    }

    fn run(&mut self) -> Result<()> {
        self.create()?;
        (1..=BATCHES).try_for_each(|generation| self.step(generation))
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

/// Opens the database at `path`, compares it, and writes on.
fn goes_on(path: &Path, generations: RangeInclusive<u64>) {
    let store = match Store::open(path, options()) {
        Ok(store) => store,
        // It died while being created: creating it again is right.
        Err(StorageError::NotADatabase { .. }) if *generations.start() == 0 => workload::create(path),
        Err(error) => panic!("{error}"),
    };
    let generation = sound(&store, generations);
    store.commit(batch(generation + 1)).unwrap();
    store.seal().unwrap();
    store.commit(batch(generation + 2)).unwrap();
    store.compact().unwrap();
    agree(&store, &model(generation + 2));
    drop(store);
    let store = Store::open(path, options()).unwrap();
    sound(&store, generation + 2..=generation + 2);
    let entries = |folder: &Path| std::fs::read_dir(folder).unwrap().count();
    assert_eq!(entries(path), 4, "LOCK, COMMITTED, documents and segments are all that is there");
    assert_eq!(entries(&path.join("segments")), 1);
}

/// Copies of the folder at each point, with the generations that may be found there.
type Copies = Arc<Mutex<Vec<(Point, PathBuf, RangeInclusive<u64>)>>>;

/// Copies the folder at each point that `wanted` accepts.
fn copying(script: &Script, to: PathBuf, wanted: fn(Point) -> bool) -> Copies {
    let copies = Copies::default();
    let (path, acknowledged) = (script.path.clone(), Arc::clone(&script.acknowledged));
    let (taken, committing) = (Arc::clone(&copies), Arc::clone(&script.committing));
    on_reach(Some(Arc::new(move |point| {
        let mut taken = taken.lock().unwrap();
        if wanted(point) {
            let to = to.join(format!("{:04}", taken.len()));
            copy(&path, &to);
            let before = acknowledged.load(Ordering::SeqCst);
            let generations = match (point, committing.load(Ordering::SeqCst)) {
                (_, false) | (Point::CommitPrepared, true) => before..=before,
                (Point::TransactionFlushed | Point::CommitPublished, true) => before + 1..=before + 1,
                (_, true) => before..=before + 1,
            };
            taken.push((point, to, generations));
        }
        true
    })));
    copies
}

/// Dies at every point of the script, and again at every point of the opening after that.
fn dead(folder: &Path, reached: &mut BTreeMap<Point, u64>) {
    let mut script = Script::new(folder.join("dead.postil"));
    let copies = copying(&script, folder.join("first"), |_| true);
    script.run().unwrap();
    on_reach(None);
    drop(script);
    for (point, path, generations) in std::mem::take(&mut *copies.lock().unwrap()) {
        *reached.entry(point).or_default() += 1;
        let mut opening = Script::new(path.clone());
        opening.acknowledged.store(*generations.start(), Ordering::SeqCst);
        let again = copying(&opening, path.with_extension("again"), |point| {
            matches!(point, Point::OpenOrphanRemoved | Point::OpenOthersRemoved | Point::OpenTrees)
        });
        let opened = opening.reopen();
        on_reach(None);
        drop((opened, opening));
        for (point, path, _) in std::mem::take(&mut *again.lock().unwrap()) {
            // Unless an orphan was removed, this copy equals its source: a quarter of them
            // suffices.
            if point == Point::OpenOrphanRemoved || hash(reached.values().sum()).is_multiple_of(4) {
                *reached.entry(point).or_default() += 1;
                goes_on(&path, generations.clone());
            }
            std::fs::remove_dir_all(path).unwrap();
        }
        goes_on(&path, generations);
        std::fs::remove_dir_all(path).unwrap();
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Broken,
    Once,
    Panics,
}

/// Returns the result of `step`; a panic counts as an error.
fn caught(step: impl FnOnce() -> Result<()>) -> Result<()> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_| {
        Err(StorageError::Io { path: "a thread".into(), source: std::io::Error::other("it panicked") })
    })
}

/// Fails at the `nth` time that `point` is reached; `true` if it was reached that often.
fn failing(folder: &Path, point: Point, nth: usize, how: How) -> bool {
    let (times, failed) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
    let mut script = Script::new(folder.join(format!("{point:?} {nth} {how:?}.postil")));
    if matches!(point, Point::OpenOrphanRemoved) {
        // Only files that a crash left are orphans.
        script.create().unwrap();
        (1..=3).for_each(|generation| script.step(generation).unwrap());
        script.store = None;
        for name in ["000077.seg", "000078.tmp"] {
            std::fs::write(script.path.join("segments").join(name), "left behind").unwrap();
        }
    }
    let tripped = Arc::clone(&failed);
    on_reach(Some(Arc::new(move |at| {
        let here = at == point && times.fetch_add(1, Ordering::SeqCst) == nth;
        let first = here && !tripped.swap(true, Ordering::SeqCst);
        assert!(!(first && how == How::Panics), "a test lets it panic here");
        !(first || how == How::Broken && tripped.load(Ordering::SeqCst))
    })));
    let mut generation = script.acknowledged.load(Ordering::SeqCst);
    let started = caught(|| if script.path.exists() { script.reopen() } else { script.create() });
    if let Err(error) = started {
        assert!(matches!(error, StorageError::Io { .. }), "{error}");
    } else {
        while generation < BATCHES {
            generation += 1;
            let Err(error) = caught(|| script.step(generation)) else { continue };
            let typed = matches!(
                error,
                StorageError::Io { .. } | StorageError::Poisoned { .. } | StorageError::Sealing { .. }
            );
            assert!(typed && failed.load(Ordering::SeqCst), "{error}");
            if let Some(store) = &script.store {
                // Committed data is still served, by memory and trees, or not at all if they may
                // disagree.
                let shown = store.stat().unwrap().generation;
                assert!((script.acknowledged.load(Ordering::SeqCst)..=generation).contains(&shown));
                if !matches!(point, Point::TransactionWritten | Point::TransactionFlushed) {
                    agree(store, &model(shown));
                }
            }
            if how == How::Broken {
                break;
            }
            if script.store.as_ref().is_none_or(|store| !store.is_writable()) {
                script.reopen().unwrap();
            }
            generation = script.store().stat().unwrap().generation;
        }
    }
    on_reach(None);
    script.store = None;
    let acknowledged = script.acknowledged.load(Ordering::SeqCst);
    goes_on(&script.path, acknowledged..=acknowledged + 1);
    std::fs::remove_dir_all(&script.path).unwrap();
    failed.load(Ordering::SeqCst)
}

#[test]
fn a_store_stopped_at_any_step_has_the_old_state_or_the_new_one() {
    let folder = workload::quick_folder();
    let mut reached = BTreeMap::new();
    dead(folder.path(), &mut reached);
    let mut failures = 0;
    for &point in Point::ALL {
        for how in [How::Broken, How::Once, How::Panics] {
            // The first time, and one with segments and removals before it.
            for nth in [0, 5] {
                if failing(folder.path(), point, nth, how) {
                    failures += 1;
                    *reached.entry(point).or_default() += 1;
                }
            }
        }
    }
    let missed: Vec<_> = Point::ALL.iter().filter(|point| !reached.contains_key(point)).collect();
    assert!(missed.is_empty(), "never reached: {missed:?}");
    let stops: u64 = reached.values().sum();
    let figures = [
        ("points", Point::ALL.len() as u64),
        ("stops", stops),
        ("of_them_failures", failures),
        ("documents_lost", 0),
    ];
    figures::report("fault_points", &figures.map(|(name, value)| (name, value.into())));
}
