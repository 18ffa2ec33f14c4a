//! A segment file under every small damage, without a store around it.

pub(crate) mod tamper;

use super::header;
use super::targets::{self, open};
use crate::error::StorageError;
use crate::index::effort::Effort;
use crate::mapped::frame::{ALIGNMENT, PREFIX_BYTES};
use crate::vector::metric::Metric;
use crate::vector::precision::Precision;
use postil_hostile::figures;
use std::path::{Path, PathBuf};

const ROWS: usize = 300;

const PRECISIONS: [Precision; 2] = [Precision::Full, Precision::Half];

/// Makes a folder with one segment; returns it, the file and its bytes.
fn segment() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    targets::sample(ROWS, Precision::Full)
}

/// True if the damage is an error that names the file, at open or when everything is verified; any
/// other error fails.
fn is_detected(folder: &Path, path: &Path) -> bool {
    match open(folder).and_then(|segment| segment.is_sound()) {
        Ok(()) => false,
        Err(
            StorageError::Corrupt { path: at, .. }
            | StorageError::Version { path: at, .. }
            | StorageError::Io { path: at, .. },
        ) => {
            assert_eq!(at, path);
            true
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn what_was_let_go_of_is_read_again() {
    for precision in PRECISIONS {
        let (folder, ..) = targets::sample(ROWS, precision);
        let segment = open(folder.path()).unwrap();
        let rows: Vec<(u64, Vec<f32>)> = segment.iter().map(|(id, vector)| (id, vector.to_vec())).collect();
        assert_eq!(rows.len(), ROWS);
        for _ in 0..2 {
            let streamed = segment.stream().map(|(id, vector)| (id, vector.to_vec()));
            assert_eq!(streamed.collect::<Vec<_>>(), rows);
            segment.is_sound().unwrap();
            assert_eq!(segment.at(ROWS - 1).as_deref(), Some(rows[ROWS - 1].1.as_slice()));
        }
    }
}

#[test]
fn every_bit_of_a_header_that_means_something_is_checked_at_open() {
    let (folder, path, whole) = segment();
    let (_, _, body) = header::decode(&whole, &path).unwrap();
    let archive_end = PREFIX_BYTES + u32::from_le_bytes(whole[12..16].try_into().unwrap()) as usize;
    let (mut detected, mut harmless) = (0u64, 0u64);
    for at in 0..body {
        let is_padding = (20..PREFIX_BYTES).contains(&at) || at >= archive_end;
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(open(folder.path()).is_err(), !is_padding, "byte {at}, bit {bit}");
            *if is_padding { &mut harmless } else { &mut detected } += 1;
        }
    }
    let tried = (detected + harmless).into();
    let fields = [
        ("of", "header bits".into()),
        ("tried", tried),
        ("detected", detected.into()),
        ("harmless", harmless.into()),
    ];
    figures::report("corruptions", &fields);
}

#[test]
fn a_cut_at_any_boundary_is_found_at_open_and_a_flip_in_any_section_when_it_is_verified() {
    PRECISIONS.into_iter().for_each(cut_and_flip);
}

fn cut_and_flip(precision: Precision) {
    let (folder, path, whole) = targets::sample(ROWS, precision);
    let (header, _, body) = header::decode(&whole, &path).unwrap();
    let places = header.sections.iter().map(|section| {
        let start = body + section.offset as usize;
        start..start + section.bytes as usize
    });
    let places: Vec<_> = places.collect();
    let content_end = places.iter().map(|place| place.end).max().unwrap();
    let boundaries = places.iter().flat_map(|place| [place.start, place.end]).chain([0, PREFIX_BYTES, body]);
    let (mut detected, mut harmless) = (0u64, 0u64);
    for cut in boundaries
        .flat_map(|at| [at.saturating_sub(1), at, at + 1])
        .chain((0..whole.len()).step_by(ALIGNMENT))
    {
        if cut >= whole.len() {
            continue;
        }
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(open(folder.path()).is_err(), cut < content_end, "cut at {cut}");
        *if cut < content_end { &mut detected } else { &mut harmless } += 1;
    }
    for place in &places {
        let step = place.len().div_ceil(100).max(1);
        for at in place.clone().step_by(step).chain([place.end - 1]) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(&path, &bytes).unwrap();
            assert!(is_detected(folder.path(), &path), "byte {at}");
            detected += 1;
        }
        let mut bytes = whole.clone();
        bytes[place.clone()].fill(0);
        std::fs::write(&path, &bytes).unwrap();
        assert!(is_detected(folder.path(), &path), "zeros in {place:?}");
        detected += 1;
    }
    let tried = (detected + harmless).into();
    let fields = [
        ("of", "sections".into()),
        ("tried", tried),
        ("detected", detected.into()),
        ("harmless", harmless.into()),
    ];
    figures::report("corruptions", &fields);
}

#[test]
fn a_segment_without_checksums_of_rows_is_verified_as_a_whole() {
    // A file from before rows had checksums: the section's kind is one that no reader knows.
    let (folder, path, whole) = segment();
    let (mut header, _, body) = header::decode(&whole, &path).unwrap();
    header.sections.iter_mut().filter(|s| s.kind == header::CHECKSUMS).for_each(|s| s.kind = 99);
    let mut bytes = header::encode(&header);
    assert_eq!(bytes.len(), body);
    bytes.extend_from_slice(&whole[body..]);
    std::fs::write(&path, &bytes).unwrap();
    let old = open(folder.path()).unwrap();
    assert!(old.row_checksums().is_none());
    old.row_is_sound(7).unwrap();
    let at = header.sections.iter().find(|s| s.kind == header::VECTORS).unwrap().offset as usize + body;
    bytes[at] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let error = open(folder.path()).unwrap().row_is_sound(7).unwrap_err();
    assert!(matches!(error, StorageError::Corrupt { path: at, .. } if at == path));
}

#[test]
fn halves_take_the_place_of_the_vectors_and_are_the_same_numbers() {
    let [(full, _, whole), (half, _, small)] = PRECISIONS.map(|precision| targets::sample(ROWS, precision));
    let rows = |folder: &Path| -> Vec<(u64, Vec<f32>)> {
        let segment = open(folder).unwrap();
        assert_eq!(segment.damage(), Vec::<String>::new());
        segment.iter().map(|(id, vector)| (id, vector.into_owned())).collect()
    };
    // Components of the sample are exact in 16 bits.
    assert_eq!(rows(full.path()), rows(half.path()));
    let saved = (ROWS * targets::DIMENSION * 2).next_multiple_of(ALIGNMENT);
    assert!(whole.len().abs_diff(small.len() + saved) <= ALIGNMENT);
}

#[test]
fn with_a_plan_that_cannot_be_followed_all_rows_are_looked_at() {
    let unknown = 99;
    let (folder, path, whole) = segment();
    let query = [3.0; targets::DIMENSION];
    let nearest = || -> Vec<u64> {
        let found = open(folder.path()).unwrap().search(&query, Effort::default(), 10, 10, None).unwrap();
        found.into_iter().map(|ranked| ranked.item).collect()
    };
    let vectors: Vec<(u64, Vec<f32>)> =
        open(folder.path()).unwrap().iter().map(|(id, vector)| (id, vector.to_vec())).collect();
    let mut all: Vec<(f32, u64)> =
        vectors.iter().map(|(id, vector)| (Metric::L2.rank(&query, vector), *id)).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let exact: Vec<u64> = all[..10].iter().map(|&(_, id)| id).collect();
    tamper::number(&path, "plan", 0, unknown);
    assert_eq!(nearest(), exact);
    // Damage as a disk would do it: the checksum shows it.
    std::fs::write(&path, &whole).unwrap();
    let (header, _, body) = header::decode(&whole, &path).unwrap();
    let plan = header.sections.iter().find(|section| section.name() == "plan").unwrap();
    let mut bytes = whole.clone();
    bytes[body + plan.offset as usize] = unknown as u8;
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(nearest(), exact);
    assert!(is_detected(folder.path(), &path));
}

#[test]
fn mutated_headers_with_a_right_checksum_never_lead_out_of_the_file() {
    targets::segment_header().run(4_000);
}

#[test]
fn mutated_segments_are_refused_or_searched() {
    targets::segment().run(4_000);
}

/// Segments whose damage several threads find at once.
#[cfg(feature = "schedules")]
mod schedules {
    use super::*;
    use crate::sync::schedules::explore;
    use crate::sync::thread;

    #[test]
    fn a_damaged_row_is_sound_for_nobody_and_a_sound_one_for_everybody() {
        explore("verification", 500, || {
            let (folder, path, mut bytes) = targets::sample(20, Precision::Full);
            let (header, _, body) = header::decode(&bytes, &path).unwrap();
            let vectors = header.sections.iter().find(|section| section.kind == header::VECTORS).unwrap();
            // A byte of row 3, whose neighbours have their bits in the same word.
            bytes[body + vectors.offset as usize + 3 * targets::DIMENSION * 4] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            let segment = open(folder.path()).unwrap();
            thread::scope(|scope| {
                for first in 2..5 {
                    let segment = &segment;
                    scope.spawn(move || {
                        for position in (first..5).chain(2..first) {
                            assert_eq!(segment.row_is_sound(position).is_ok(), position != 3, "{position}");
                        }
                    });
                }
            });
        });
    }
}
