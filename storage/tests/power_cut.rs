//! The power is cut at every sync of a script of commits, seals, compactions and openings, just
//! before it and just after: every acknowledged batch is there, whole and found, and nothing that
//! was removed is back.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

mod power;
mod workload;

use postil_hostile::figures;
use postil_storage::{StorageError, Store};
use power::medium::{Medium, Unsynced};
use power::record::{self, Event};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use workload::{batch, create, options, profile, sound};

/// Batches of the script unless `POSTIL_POWER_BATCHES` gives another number; 300 is the long form.
const BATCHES: u64 = 24;
/// Ways of tearing unsynced writes, at each cut.
const TEARS: u64 = 2;
const TEARS_WHILE_MADE: u64 = 8;

fn script(path: &Path) {
    let batches = std::env::var("POSTIL_POWER_BATCHES").map_or(BATCHES, |batches| batches.parse().unwrap());
    let mut store = create(path);
    record::note(Event::Acknowledged { generation: 0 });
    for generation in 1..=batches {
        record::note(Event::Committing);
        store.commit(batch(generation)).unwrap();
        record::note(Event::Acknowledged { generation });
        match generation % 8 {
            2 => store.seal().unwrap(),
            4 => {
                drop(store);
                store = Store::open(path, options()).unwrap();
            }
            7 => store.compact().unwrap(),
            _ => {}
        }
    }
}

/// Promises made up to the moment of the cut.
#[derive(Clone, Copy, Default)]
struct Promised {
    /// Last acknowledged generation; `None` while the database is being created.
    acknowledged: Option<u64>,
    committing: bool,
}

/// Checks the database; the error says why it is wrong, a panic included.
fn verdict(path: &Path, promised: Promised, cut: u64) -> Result<(), String> {
    std::panic::catch_unwind(|| look(path, promised, cut)).unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<String>().cloned();
        let what = what.or_else(|| panic.downcast_ref::<&str>().map(|&what| what.to_owned()));
        Err(format!("panicked: {}", what.unwrap_or_default().chars().take(300).collect::<String>()))
    })
}

fn look(path: &Path, promised: Promised, cut: u64) -> Result<(), String> {
    let opened = Store::open(path, options());
    let store = match (opened, promised.acknowledged) {
        (Ok(store), _) => store,
        (Err(StorageError::NotFound { .. } | StorageError::NotADatabase { .. }), None) => {
            let made = Store::create(path, profile(), options());
            return made.map(drop).map_err(|error| format!("cannot be made again: {error}"));
        }
        (Err(error), _) => return Err(format!("does not open: {error}")),
    };
    let acknowledged = promised.acknowledged.unwrap_or(0);
    let most = acknowledged + u64::from(promised.committing);
    let generation = sound(&store, acknowledged..=most);
    if cut.is_multiple_of(5) {
        store.commit(batch(generation + 1)).map_err(|error| error.to_string())?;
        sound(&store, generation + 1..=generation + 1);
    }
    Ok(())
}

#[test]
fn a_power_cut_at_any_sync_loses_nothing_that_was_acknowledged() {
    let folder = workload::quick_folder();
    let root = folder.path().join("recorded");
    std::fs::create_dir(&root).unwrap();
    let root_inode = std::fs::metadata(&root).unwrap().ino();
    record::start(&root);
    script(&root.join("p.postil"));
    let events = record::stop();

    let (mut medium, mut promised) = (Medium::new(root_inode), Promised::default());
    let (mut syncs, mut cuts, mut failed) = (0, 0, Vec::new());
    let mut cut = |medium: &Medium, promised: Promised, sync: u64, when: &str| {
        // Creation has the fewest syncs and the least to rely on.
        let tears = if promised.acknowledged.is_none() { TEARS_WHILE_MADE } else { TEARS };
        let torn = (0..tears).map(|tear| Unsynced::Torn(sync + 1 + (tear << 32)));
        for unsynced in [Unsynced::Dropped, Unsynced::Kept].into_iter().chain(torn) {
            cuts += 1;
            let at = folder.path().join(format!("cut {cuts}"));
            medium.materialize(root_inode, &at, unsynced);
            if let Err(what) = verdict(&at.join("p.postil"), promised, cuts) {
                failed.push(format!("{when} sync {sync}, {unsynced:?}: {what}"));
            }
            std::fs::remove_dir_all(at).unwrap();
        }
    };
    for event in &events {
        match event {
            Event::Acknowledged { generation } => {
                promised = Promised { acknowledged: Some(*generation), committing: false };
            }
            Event::Committing => promised.committing = true,
            Event::Synced { .. } => cut(&medium, promised, syncs, "before"),
            _ => {}
        }
        medium.play(event);
        if let Event::Synced { .. } = event {
            syncs += 1;
        }
        if matches!(event, Event::Acknowledged { .. }) {
            cut(&medium, promised, syncs, "acknowledged after");
        }
    }
    let shown: Vec<_> = failed.iter().take(40).collect();
    assert!(failed.is_empty(), "{} of {cuts} cuts at {syncs} syncs: {shown:#?}", failed.len());
    let figures = [("syncs", syncs), ("cuts", cuts), ("documents_lost", 0)];
    figures::report("power_cuts", &figures.map(|(name, value)| (name, value.into())));
}
