//! Fuzz targets for segment files. The checksum of every header is right: what is tested lies
//! behind it.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use super::header::decode;
use super::{Means, Plan, Segment, SegmentRows, Step, file, write};
use crate::error::Result;
use crate::index::copies::Copies;
use crate::index::effort::Effort;
use crate::index::graph::build::{BuildOptions, build};
use crate::mapped::frame::{ALIGNMENT, PREFIX_BYTES, summed_up};
use crate::sync::atomic::AtomicBool;
use crate::vector::codes::{Codes, Scale, stride};
use crate::vector::metric::Metric;
use crate::vector::nibbles::{self, Grid, Nibbles};
use crate::vector::precision::Precision;
use crate::vector::rows::Rows;
use postil_hostile::Target;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;

pub(super) const DIMENSION: usize = 4;
/// The only rows of a sample whose vectors are equal.
pub(super) const COPIES: Copies<'_> = Copies(&[[3, 4]]);

/// Makes a folder with one segment of that many rows; returns it, the file and its bytes.
pub(super) fn sample(row_count: usize, precision: Precision) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let ids: Vec<u64> = (0..row_count as u64).map(|row| 5 + 2 * row).collect();
    let mut vectors: Vec<f32> =
        (0..row_count * DIMENSION).map(|i| ((i * 7919) % 1009) as f32 / 64.0).collect();
    vectors.copy_within(3 * DIMENSION..4 * DIMENSION, 4 * DIMENSION);
    let rows = || vectors.chunks_exact(DIMENSION);
    let scale = Scale::fit(rows(), row_count, DIMENSION);
    let mut codes = Vec::new();
    rows().for_each(|vector| scale.encode(vector, &mut codes));
    let codes = Codes { codes: &codes, stride: stride(DIMENSION) };
    let options = BuildOptions { m: 4, ef: 20, threads: 1, busy: &AtomicBool::new(false) };
    let (done, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let graph = build(Metric::L2, Rows::Codes(codes), COPIES, None, options, &done, &stop).unwrap();
    let grid = Grid::fit(rows(), row_count, DIMENSION);
    let mut nibbles = Vec::new();
    let norms: Vec<f32> = rows().map(|vector| grid.encode(vector, &mut nibbles)).collect();
    let (stride, grid) = (nibbles::stride(DIMENSION), grid.numbers());
    let nibbles = Nibbles { bytes: &nibbles, stride, norms: &norms, grid };
    let step = Step { recall: 0.9, least: 10, most: 20, reach: 1.5, width: 10 };
    let plan = Plan { means: Means::Nibbles, longest: 1.0, steps: vec![step] };
    let content = SegmentRows {
        metric: Metric::L2,
        dimension: DIMENSION,
        precision,
        ids: &ids,
        vectors: rows(),
        scale,
        codes: Some(codes),
        graph: &graph,
        copies: COPIES,
        plan: &plan,
        nibbles: Some(nibbles),
    };
    write(folder.path(), 1, content).unwrap();
    let path = file(folder.path(), 1);
    let bytes = std::fs::read(&path).unwrap();
    (folder, path, bytes)
}

/// Opens the segment in a folder.
pub(super) fn open(folder: &Path) -> Result<Segment> {
    Segment::open(folder, 1, DIMENSION, Metric::L2)
}

/// Uses a segment, whatever its bytes are, in every way there is.
fn read(folder: &Path) {
    let Ok(segment) = open(folder) else { return };
    let _ = segment.damage();
    let _ = segment.search(&[1.0; DIMENSION], Effort::Candidates(20), 10, 10, None);
    let _ = segment.search(&[1.0; DIMENSION], Effort::default(), 10, 10, Some(&|row| row % 2 == 1));
    let _ = segment.position(9);
}

/// Fuzz target for archives of a header, before the sections of a sound segment.
#[must_use]
pub fn segment_header() -> Target<'static> {
    let (folder, path, whole) = sample(300, Precision::Full);
    let (_, _, body) = decode(&whole, &path).unwrap();
    let archive = whole[PREFIX_BYTES..body].to_vec();
    Target::new("segment_header", [archive], move |archive| {
        let mut bytes = whole[..PREFIX_BYTES].to_vec();
        bytes[12..16].copy_from_slice(&(archive.len() as u32).to_le_bytes());
        bytes[16..20].copy_from_slice(&crc32fast::hash(archive).to_le_bytes());
        bytes.extend_from_slice(archive);
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        bytes.extend_from_slice(&whole[body..]);
        std::fs::write(&path, &bytes).unwrap();
        read(folder.path());
    })
}

/// Fuzz target for whole files of few rows.
#[must_use]
pub fn segment() -> Target<'static> {
    let (folder, path, whole) = sample(40, Precision::Full);
    let (_, _, half) = sample(40, Precision::Half);
    Target::new("segment", [whole, half], move |bytes| {
        let bytes = summed_up(bytes.to_vec());
        std::fs::write(&path, &bytes).unwrap();
        read(folder.path());
    })
}
