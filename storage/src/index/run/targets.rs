//! Fuzz targets for runs. The checksum of every header is right: what is tested lies behind it.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

use super::{Run, file};
use crate::mapped::frame::summed_up;
use postil_hostile::Target;

pub(super) const DIMENSION: usize = 3;
pub(super) const FIRST_ROW: u64 = 7;
pub(super) const ROWS: usize = 20;

pub(super) fn vectors() -> Vec<f32> {
    (0..ROWS * DIMENSION).map(|i| ((i * 7919) % 1009) as f32 / 64.0).collect()
}

/// Fuzz target for whole files of few rows.
#[must_use]
pub fn run() -> Target<'static> {
    let folder = tempfile::tempdir().unwrap();
    Run::write(folder.path(), FIRST_ROW, DIMENSION, &vectors()).unwrap();
    let path = file(folder.path(), FIRST_ROW);
    let whole = std::fs::read(&path).unwrap();
    Target::new("run", [whole], move |bytes| {
        let bytes = summed_up(bytes.to_vec());
        std::fs::write(&path, &bytes).unwrap();
        let Ok(run) = Run::open(folder.path(), FIRST_ROW, DIMENSION) else { return };
        let _ = run.damage();
        let _ = run.vector(FIRST_ROW + 5);
        assert!(run.vectors().len() <= bytes.len() / 4);
    })
}
