//! A segment file under every small damage, without a store around it.

use super::header::{self, ALIGNMENT, PREFIX_BYTES};
use super::{Segment, SegmentRows, write};
use crate::error::StorageError;
use crate::index::graph::build::{BuildOptions, build};
use crate::vector::codes::{Codes, Scale, stride};
use crate::vector::metric::Metric;
use postil_hostile::{Target, figures};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize};

const DIMENSION: usize = 4;
const ROWS: usize = 300;

/// A folder with one segment, the file, and what is in it.
fn segment() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let ids: Vec<u64> = (0..ROWS as u64).map(|row| 5 + 2 * row).collect();
    let vectors: Vec<f32> = (0..ROWS * DIMENSION).map(|i| ((i * 7919) % 1009) as f32 / 100.0).collect();
    let rows = || vectors.chunks_exact(DIMENSION);
    let scale = Scale::fit(rows(), ROWS, DIMENSION);
    let mut codes = Vec::new();
    rows().for_each(|vector| scale.encode(vector, &mut codes));
    let codes = Codes { codes: &codes, stride: stride(DIMENSION) };
    let options = BuildOptions { m: 4, ef: 20, threads: 1 };
    let (done, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let graph = build(Metric::L2, codes, None, options, &done, &stop).unwrap();
    let content = SegmentRows {
        metric: Metric::L2,
        dimension: DIMENSION,
        ids: &ids,
        vectors: rows(),
        scale,
        codes,
        graph: &graph,
    };
    write(folder.path(), 1, content).unwrap();
    let path = super::file(folder.path(), 1);
    let bytes = std::fs::read(&path).unwrap();
    (folder, path, bytes)
}

fn open(folder: &Path) -> crate::error::Result<Segment> {
    Segment::open(folder, 1, DIMENSION, Metric::L2)
}

/// Whether the file's damage is an error that names it, at open or when everything is verified; any other error fails.
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
    let (folder, path, whole) = segment();
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
    // As written before rows had any: the section's kind is one that no reader knows.
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
fn mutated_headers_with_a_right_checksum_never_lead_out_of_the_file() {
    let (folder, path, whole) = segment();
    let (_, _, body) = header::decode(&whole, &path).unwrap();
    let archive = whole[PREFIX_BYTES..body].to_vec();
    Target::new("segment_header", [archive]).run(4_000, |archive| {
        // The checksum of damage is right here: what is tested is bytecheck and the lengths behind it.
        let mut bytes = whole[..PREFIX_BYTES].to_vec();
        bytes[12..16].copy_from_slice(&(archive.len() as u32).to_le_bytes());
        bytes[16..20].copy_from_slice(&crc32fast::hash(archive).to_le_bytes());
        bytes.extend_from_slice(archive);
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        bytes.extend_from_slice(&whole[body..]);
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(segment) = open(folder.path()) {
            let _ = segment.damage();
            let _ = segment.search(&[1.0; DIMENSION], 20, 10, None);
            let _ = segment.search(&[1.0; DIMENSION], 20, 10, Some(&|row| row % 2 == 1));
            let _ = segment.position(9);
        }
    });
}
