//! Invariants of a segment file.

use crate::Metric;
use crate::index::graph::links::NONE;
use crate::index::segment::tests::tamper;
use crate::store::tests::sample::{SEALED, Sample};
use std::path::Path;

/// Asserts the findings of the check after a change to a segment.
fn finds(metric: Metric, expected: &[&str], change: impl FnOnce(&Path)) {
    let mut sample = Sample::new(metric);
    let segment = sample.segment();
    sample.closed(|_| change(&segment));
    sample.finds(expected);
    assert!(sample.store().check().unwrap().iter().all(|damage| damage.path == segment));
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_changed_byte_of_a_vector_is_found_by_its_checksum() {
    finds(Metric::L2, &["vectors, bytes"], |path| {
        // The checksums of 80 rows come after the vectors.
        flip(path, std::fs::metadata(path).unwrap().len() as usize - 80 * 4 - 32 - 4 * 3);
    });
}

#[test]
fn a_byte_that_nothing_describes_must_be_zero() {
    finds(Metric::L2, &["bytes 20..64 should be zeros"], |path| flip(path, 40));
}

#[test]
fn bytes_after_the_last_section_are_named() {
    finds(Metric::L2, &["its sections end at", "should be zeros"], |path| {
        let mut bytes = std::fs::read(path).unwrap();
        bytes.extend([1; 64]);
        std::fs::write(path, bytes).unwrap();
    });
}

#[test]
fn row_ids_that_do_not_ascend_are_found() {
    // Of the two rows that change places, a search for a row's number misses the second.
    let mut sample = Sample::new(Metric::L2);
    let segment = sample.segment();
    sample.closed(|_| tamper::section(&segment, "row ids", |bytes| bytes[..16].rotate_left(8)));
    sample.finds(&["row ids are not ascending"]);
}

#[test]
fn a_link_out_of_the_segment_is_found() {
    finds(Metric::L2, &["a link of level 0 leads out"], |path| {
        tamper::number(path, "links of level 0", 1, 1_000);
    });
}

#[test]
fn a_link_out_of_an_upper_level_is_found() {
    finds(Metric::L2, &["a link of level 1 leads out"], |path| {
        tamper::number(path, "links of level 1", 0, 1_000);
    });
}

#[test]
fn a_link_after_an_unused_place_is_found() {
    finds(Metric::L2, &["a list of level 1 has links after an unused place"], |path| {
        tamper::section(path, "links of level 1", |bytes| {
            bytes[..4].copy_from_slice(&NONE.to_le_bytes());
            bytes[4..8].copy_from_slice(&0u32.to_le_bytes());
        });
    });
}

#[test]
fn nodes_that_do_not_ascend_are_found() {
    finds(Metric::L2, &["nodes of level 1 are not ascending"], |path| {
        // The same node twice.
        tamper::section(path, "nodes of level 1", |bytes| bytes.copy_within(0..4, 4));
    });
}

#[test]
fn a_node_that_the_level_below_lacks_is_found() {
    // The node was one of the level above, too.
    let expected = ["nodes of level 1 are not in the level below: 5000", "nodes of level 2 are not in"];
    finds(Metric::L2, &expected, |path| {
        tamper::section(path, "nodes of level 1", |bytes| {
            let last = bytes.len() - 4;
            bytes[last..].copy_from_slice(&5000u32.to_le_bytes());
        });
    });
}

#[test]
fn an_entry_point_below_the_topmost_level_is_found() {
    finds(Metric::L2, &["the entry point 1 is not in the topmost level"], |path| tamper::entry(path, 1));
}

#[test]
fn a_row_that_no_link_leads_to_is_named() {
    finds(Metric::L2, &["rows cannot be reached from the entry point: 9"], |path| {
        tamper::section(path, "links of level 0", |bytes| {
            let lists: &mut [u32] = bytemuck::try_cast_slice_mut(bytes).unwrap();
            // Lists that lead to row 9 now lead to their first neighbour once more.
            let stride = lists.len() / (2 * SEALED as usize);
            for list in lists.chunks_mut(stride) {
                let other = *list.iter().find(|&&link| link != 9).unwrap();
                list.iter_mut().filter(|link| **link == 9).for_each(|link| *link = other);
            }
        });
    });
}

#[test]
fn a_copy_that_is_none_is_found() {
    let mut sample = Sample::with_copies();
    let segment = sample.segment();
    sample.finds(&[]);
    sample.closed(|_| tamper::number(&segment, "copies", 1, 3));
    sample.finds(&["rows cannot be reached", "positions are no copies of the rows that stand for them: 3"]);
}

#[test]
fn codes_of_another_vector_are_found() {
    finds(Metric::Cosine, &["codes do not agree with the vectors of rows 1"], |path| {
        tamper::section(path, "codes", |bytes| bytes.copy_within(..64, 64));
    });
}

#[test]
fn a_norm_of_other_codes_is_found() {
    finds(Metric::L2, &["norms do not agree with the codes of rows 2"], |path| {
        tamper::number(path, "norms", 2, 1.5f32.to_bits());
    });
}

#[test]
fn a_vector_that_is_no_number_or_not_of_unit_length_is_found() {
    let codes = "codes do not agree with the vectors of rows 0";
    let vectors = "not unit length, in rows 0";
    for value in [f32::NAN, 3.0] {
        finds(Metric::Cosine, &[codes, vectors], |path| tamper::number(path, "vectors", 0, value.to_bits()));
    }
}
