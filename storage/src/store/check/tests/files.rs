//! Invariants of the files in the folder.

use crate::Metric;
use crate::store::tests::sample::Sample;

#[test]
fn files_that_belong_to_nothing_are_named() {
    let sample = Sample::new(Metric::L2);
    let places = ["notes.txt", "segments/000777.seg", "segments/000778.tmp", "segments/x", "documents/base"];
    for place in places {
        let path = sample.path.join(place);
        std::fs::write(&path, "x").unwrap();
        sample.finds(&[&format!("{}: is no part of the database", path.display())]);
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_segment_in_the_making_is_no_damage() {
    let sample = Sample::new(Metric::L2);
    std::fs::write(sample.path.join("segments/000002.tmp"), "x").unwrap();
    sample.finds(&[]);
}

#[test]
fn trees_that_the_next_open_would_prefer_are_found() {
    let sample = Sample::new(Metric::L2);
    std::fs::create_dir(sample.path.join("documents-000000000099")).unwrap();
    sample.finds(&["the trees in use are not those that the next open would read"]);
}

#[test]
fn a_segment_that_went_away_is_named() {
    let sample = Sample::new(Metric::L2);
    std::fs::remove_file(sample.segment()).unwrap();
    sample.finds(&["000001.seg: the manifest names this file, and it is not there"]);
}

#[test]
fn checking_changes_nothing() {
    let sample = Sample::new(Metric::L2);
    sample.tamper("keys", b"ghost", Some(&[1]));
    let before = sample.store().check().unwrap();
    assert_eq!(before.len(), 1);
    assert_eq!(sample.store().check().unwrap(), before);
}
