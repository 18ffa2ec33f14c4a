//! Damaged and swapped files of segments and runs. The tests of their own modules cover every bit
//! of a header, and cuts at the boundaries of sections.

use crate::damage::Damage;
use crate::sample::{Outcome, Sample, Tally, cases, create};
use postil_hostile::Mutator;
use std::path::Path;

#[test]
fn damage_anywhere_in_a_segment_or_run_is_an_error_a_report_or_harmless() {
    let sample = Sample::new(true);
    let files = sample.files("segments");
    assert_eq!(files.len(), 3);
    let mut tally = Tally::default();
    let mut random = Mutator::new(1);
    for file in &files {
        let bytes = sample.bytes(file);
        for _ in 0..cases(150) {
            let damage = Damage::random(&mut random, &bytes);
            tally.add(&sample.damaged(file, damage), &(file, damage));
        }
    }
    tally.report("segments");
}

#[test]
fn a_segment_or_run_of_another_database_or_of_another_number_is_refused() {
    let sample = Sample::new(true);
    let files = sample.files("segments");
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("other.postil");
    let (same, swapped) = (create(&other.path().join("same.postil"), 0), create(&path, 1));
    assert_eq!(same.stat().unwrap().passages, swapped.stat().unwrap().passages);
    swapped.close().unwrap();
    let mut tally = Tally::default();
    for file in &files {
        // The same row ids, with other vectors.
        let swapped = std::fs::read(path.join(file)).unwrap();
        let outcome = sample.with(file, Some(&swapped));
        assert_eq!(outcome, Outcome::Detected, "{file:?}");
        tally.add(&outcome, file);
    }
    for (one, other) in [(0, 1), (1, 2), (2, 0)] {
        let outcome = sample.with(&files[one], Some(&sample.bytes(&files[other])));
        assert_eq!(outcome, Outcome::Detected);
        tally.add(&outcome, &"another number");
    }
    tally.report("swapped segments");
}

#[test]
fn damaged_vectors_are_not_merged_into_a_new_segment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.postil");
    create(&path, 0).close().unwrap();
    let file = path.join("segments/000001.seg");
    let mut bytes = std::fs::read(&file).unwrap();
    // Within the vectors, which come before the rows' checksums of 4 bytes each.
    let at = bytes.len() - 2300 * 4 - 5000;
    bytes[at] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let store = postil_storage::Store::open(&path, crate::sample::options()).unwrap();
    let error = store.compact().unwrap_err().to_string();
    assert!(error.contains("000001.seg") && error.contains("checksum"), "{error}");
    assert_eq!(store.check().unwrap()[0].path, Path::new(&file));
}
