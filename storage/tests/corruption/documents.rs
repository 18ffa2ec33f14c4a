//! Damaged files of sled and the base beside them, after a close and after a kill, and the small
//! files beside them.
//!
//! After a kill the newest commits are in sled's log only. A damaged byte there looks to sled like
//! the torn end that a crash leaves: it goes on with what comes before. COMMITTED reveals it then.

use crate::damage::Damage;
use crate::sample::{Outcome, Sample, TREES, Tally, cases, copy, create, options};
use postil_hostile::Mutator;
use postil_storage::{Batch, StorageError, Store};
use std::path::Path;

fn damage_everywhere(is_closed: bool, of: &str) {
    let sample = Sample::new(is_closed);
    let files = sample.files(TREES);
    assert!(files.len() >= 4 && files[0].ends_with("base"), "{files:?}");
    let mut tally = Tally::default();
    let mut random = Mutator::new(2);
    for file in &files {
        let bytes = sample.bytes(file);
        // The files conf and snapshot are small, the log and the base are not.
        let cases = if file.ends_with("db") || file.ends_with("base") { cases(250) } else { cases(40) };
        for _ in 0..if bytes.is_empty() { 0 } else { cases } {
            let damage = Damage::random(&mut random, &bytes);
            tally.add(&sample.damaged(file, damage), &(file, damage));
        }
    }
    tally.report(of);
}

#[test]
fn damage_anywhere_in_the_documents_of_a_closed_database_is_an_error_or_harmless() {
    damage_everywhere(true, "documents, closed");
}

#[test]
fn damage_anywhere_in_the_documents_after_a_kill_is_an_error_or_harmless() {
    damage_everywhere(false, "documents, killed");
}

#[test]
fn a_damaged_lock_or_note_of_the_generation_loses_nothing() {
    let sample = Sample::new(true);
    let mut tally = Tally::default();
    for file in ["LOCK", "COMMITTED"].map(Path::new) {
        for at in 0..sample.bytes(file).len() {
            for damage in [Damage::Flip { at, bit: (at % 8) as u8 }, Damage::Cut { at }] {
                let outcome = match sample.damaged(file, damage) {
                    // The mark that identifies a folder as ours: without it nothing is touched.
                    Outcome::Wrong(what) if file.ends_with("LOCK") && what.contains("not a database") => {
                        Outcome::Detected
                    }
                    outcome => outcome,
                };
                tally.add(&outcome, &(file, damage));
            }
        }
    }
    tally.report("small files");
}

#[test]
fn the_documents_of_another_database_or_of_an_earlier_day_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    create(&at("own"), 0).close().unwrap();
    create(&at("other"), 1).close().unwrap();
    copy(&at("own"), &at("earlier"));
    let store = Store::open(at("own"), options()).unwrap();
    let mut batch = Batch::new();
    batch.remove("key 7");
    store.commit(batch).unwrap();
    store.close().unwrap();
    let mut tally = Tally::default();
    for (from, named) in [("other", "segments"), ("earlier", TREES)] {
        copy(&at("own"), &at("mixed"));
        std::fs::remove_dir_all(at("mixed").join(TREES)).unwrap();
        copy(&at(from).join(TREES), &at("mixed").join(TREES));
        // The generation of another database may be lower too: then the error says so.
        if from == "other" {
            std::fs::remove_file(at("mixed/COMMITTED")).unwrap();
        }
        let error = Store::open(at("mixed"), options()).unwrap_err();
        assert!(
            matches!(&error, StorageError::Corrupt { path, .. } if path.starts_with(at("mixed").join(named))),
            "{error}"
        );
        tally.add(&Outcome::Detected, &from);
        std::fs::remove_dir_all(at("mixed")).unwrap();
    }
    tally.report("swapped documents");
}

#[test]
fn the_base_of_another_database_is_refused() {
    let sample = Sample::new(true);
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("other.postil");
    create(&path, 1).close().unwrap();
    let file = Path::new(TREES).join("base");
    // The same keys and number of entries, and other values.
    let swapped = std::fs::read(path.join(&file)).unwrap();
    assert_eq!(sample.bytes(&file).len(), swapped.len());
    let mut tally = Tally::default();
    let outcome = sample.with(&file, Some(&swapped));
    assert_eq!(outcome, Outcome::Detected);
    tally.add(&outcome, &file);
    tally.report("swapped base");
}
