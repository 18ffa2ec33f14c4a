//! Invariants of rows: each has one vector, in one place.

use crate::index::segment::tests::tamper;
use crate::store::tests::sample::{DIMENSION, RUN_DOCUMENTS, SEALED_ROW, Sample, UNSEALED_ROW, document};
use crate::{Batch, Metric, Store};

fn sample() -> Sample {
    Sample::new(Metric::L2)
}

fn vector(components: &[f32]) -> Vec<u8> {
    components.iter().flat_map(|x| x.to_le_bytes()).collect()
}

#[test]
fn a_passage_without_a_vector_is_found() {
    let mut sample = sample();
    sample.tamper("vectors", &UNSEALED_ROW.to_be_bytes(), None);
    sample.closed(|_| {});
    sample.finds(&["rows have a passage and no vector: 103"]);
}

#[test]
fn a_vector_without_a_passage_is_found() {
    let mut sample = sample();
    // Row 120 was never assigned.
    sample.tamper("vectors", &120u64.to_be_bytes(), Some(&vector(&[1.0; DIMENSION])));
    sample.closed(|_| {});
    sample.finds(&[
        "rows have a vector and no passage: 120",
        "rows are beyond the last that was handed out: 120",
    ]);
}

#[test]
fn a_vector_other_than_the_searched_one_is_found() {
    let sample = sample();
    sample.tamper("vectors", &UNSEALED_ROW.to_be_bytes(), Some(&vector(&[1.5; DIMENSION])));
    sample.finds(&["the vector of row 103 is not the one that is searched"]);
}

#[test]
fn a_vector_that_cannot_be_one_is_found() {
    let sample = sample();
    let row = UNSEALED_ROW.to_be_bytes();
    for bytes in [vector(&[f32::NAN; DIMENSION]), vector(&[1.0; DIMENSION + 1])] {
        sample.tamper("vectors", &row, Some(&bytes));
        sample.finds(&["the vector of row 103 is not one of 5 usable numbers"]);
    }
    sample.tamper("vectors", &row, Some(&[1, 2, 3]));
    sample.finds(&["vectors: vector of row 103 is cut short", "rows have a passage and no vector: 103"]);
}

#[test]
fn a_vector_in_the_trees_other_than_the_one_that_a_segment_has_is_found() {
    let sample = sample();
    sample.tamper("vectors", &SEALED_ROW.to_be_bytes(), Some(&vector(&[1.0; DIMENSION])));
    sample.finds(&["the vector of row 7 is not the one that its segment has"]);
}

#[test]
fn vectors_of_sealed_rows_that_a_crash_left_are_none_of_the_growing_rows_and_are_taken_out() {
    let mut sample = sample();
    let in_documents = |sample: &Sample| sample.store().shared.documents().vector(SEALED_ROW).unwrap();
    let searched = sample.store().shared.current();
    let sealed = searched.sound_vector(SEALED_ROW).unwrap().unwrap();
    sample.tamper("vectors", &SEALED_ROW.to_be_bytes(), Some(&vector(&sealed)));
    sample.finds(&[]);
    sample.closed(|_| {});
    sample.finds(&[]);
    while in_documents(&sample).is_some() {
        sample.store().shared.wait();
    }
    assert_eq!(sample.store().shared.current().growing.vector(SEALED_ROW), None);
    sample.finds(&[]);
}

#[test]
fn a_removal_of_a_row_that_no_segment_holds_is_found() {
    let mut sample = sample();
    sample.write(|writes| writes.mark_removed(UNSEALED_ROW));
    sample.closed(|_| {});
    sample.finds(&[
        "rows are marked as removed and no segment or run holds them: 103",
        "rows are marked as removed and have a passage: 103",
        "removed rows are not those that searches leave out: 103",
    ]);
}

#[test]
fn a_removal_of_a_row_with_a_passage_is_found() {
    let mut sample = sample();
    sample.write(|writes| writes.mark_removed(SEALED_ROW));
    sample.closed(|_| {});
    sample
        .finds(&["rows have a passage and no vector: 7", "rows are marked as removed and have a passage: 7"]);
}

#[test]
fn a_removed_row_that_searches_would_find_is_found() {
    let mut sample = sample();
    // Row 2 belongs to document 1, which was removed after it was sealed.
    sample.write(|writes| writes.forget_removed(2));
    sample.finds(&[
        "rows have a vector and no passage: 2",
        "removed rows are not those that searches leave out: 2",
    ]);
    sample.closed(|_| {});
    sample.finds(&["rows have a vector and no passage: 2"]);
}

#[test]
fn a_row_in_two_segments_is_found() {
    let mut sample = sample();
    sample.store().seal().unwrap();
    let segments = sample.store().stat().unwrap().segments;
    assert_eq!(segments, 1, "the second was merged with the first");
    let name = sample.path.join("segments/000002.seg");
    let other = sample.path.join("segments/000003.seg");
    {
        let mut manifest = sample.store().shared.writer.lock();
        let entry = manifest.segments[0].clone();
        manifest.segments.push(crate::documents::SegmentEntry { number: 3, ..entry });
        manifest.next_segment = 4;
        let manifest = manifest.clone();
        sample.write(|writes| writes.manifest(&manifest));
    }
    sample.closed(|_| _ = std::fs::copy(&name, &other).unwrap());
    sample.finds(&["rows of segment 3 are in an earlier one too: 0, 1, 2, 3, 4 and"]);
}

#[test]
fn segments_out_of_order_and_beyond_the_manifest_are_found() {
    let mut sample = sample();
    // The only segment's rows all move behind the unsealed ones.
    let segment = sample.segment();
    {
        let mut manifest = sample.store().shared.writer.lock();
        manifest.next_segment = 1;
        let manifest = manifest.clone();
        sample.write(|writes| writes.manifest(&manifest));
    }
    sample.closed(|_| {
        tamper::section(&segment, "row ids", |bytes| {
            let last = bytes.len() - 8;
            bytes[last..].copy_from_slice(&119u64.to_le_bytes());
        });
    });
    sample.finds(&[
        "segment 1 is beyond the last that was handed out",
        "rows have a passage and no vector: 79",
        "rows are in no segment though later ones are: 80, 81, 84, 85, 86 and",
    ]);
}

/// A sample with a run after its other rows, and the run's first row.
fn with_run() -> (Sample, u64) {
    let sample = sample();
    let mut batch = Batch::new();
    (100..100 + RUN_DOCUMENTS).for_each(|i| batch.upsert(document(i)));
    sample.store().commit(batch).unwrap();
    let mut removal = Batch::new();
    removal.remove("key 101");
    sample.store().commit(removal).unwrap();
    sample.finds(&[]);
    let first_row = sample.store().shared.current().growing.runs(usize::MAX).next().unwrap().rows().start;
    (sample, first_row)
}

#[test]
fn a_vector_in_a_run_and_in_the_trees_is_found() {
    let (sample, first_row) = with_run();
    let vector_of = |row| sample.store().vector(row).unwrap().unwrap();
    sample.tamper("vectors", &first_row.to_be_bytes(), Some(&vector(&vector_of(first_row))));
    sample.finds(&[&format!("rows have a vector in the documents and one in a run: {first_row}")]);
}

#[test]
fn a_run_that_the_manifest_does_not_name_is_found() {
    let (sample, first_row) = with_run();
    sample.write(|writes| writes.forget_run(first_row));
    sample.finds(&["the manifest names other runs than those that are searched"]);
}

#[test]
fn a_removed_row_of_a_run_stays_removed_and_its_removal_is_missed() {
    let (mut sample, first_row) = with_run();
    sample.closed(|_| {});
    sample.finds(&[]);
    assert_eq!(sample.store().vector(first_row + 2).unwrap(), None);
    sample.write(|writes| writes.forget_removed(first_row + 2));
    sample.closed(|_| {});
    sample.finds(&[&format!("rows have a vector and no passage: {}", first_row + 2)]);
}

#[test]
fn a_run_is_sealed_with_what_comes_before_and_after_it_and_goes() {
    let (mut sample, first_row) = with_run();
    let mut batch = Batch::new();
    batch.upsert(document(500));
    sample.store().commit(batch).unwrap();
    sample.closed(|_| {});
    sample.finds(&[]);
    let vectors =
        |store: &Store| (0..first_row + 300).map(|row| store.vector(row).unwrap()).collect::<Vec<_>>();
    let before = vectors(sample.store());
    sample.store().seal().unwrap();
    sample.finds(&[]);
    assert_eq!(vectors(sample.store()), before);
    let files = std::fs::read_dir(sample.path.join("segments")).unwrap();
    let names: Vec<_> = files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.is_empty() && names.iter().all(|name| name.ends_with(".seg")), "{names:?}");
    sample.closed(|_| {});
    assert_eq!(vectors(sample.store()), before);
}
