//! The parts of a damaged segment that are still correct.

use super::Segment;
use super::header::{CODES, ROWS, vectors_of};
use std::path::Path;

/// Level of trust in a segment's vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Row ids and vectors match their checksums.
    All,
    /// Vectors do not match, row ids and codes, if any, do: a vector that agrees with its codes, or
    /// with its own checksum, is about what was written.
    RowByRow,
    Nothing,
}

impl Segment {
    /// Reads the sections that decide the trust.
    pub(crate) fn trust(&self) -> Trust {
        let sound = |kind: u16| {
            self.sections
                .iter()
                .filter(|(_, section)| section.kind == kind)
                .all(|(range, section)| crc32fast::hash(&self.map[range.clone()]) == section.crc)
        };
        match (sound(ROWS), sound(vectors_of(self.precision)), sound(CODES)) {
            (true, true, _) => Trust::All,
            (true, false, true) => Trust::RowByRow,
            _ => Trust::Nothing,
        }
    }

    /// True if the vector at a position agrees with its codes, or, without codes, with its
    /// checksum.
    pub(crate) fn confirms(&self, position: usize) -> bool {
        let Some(codes) = self.codes() else { return self.row_is_sound(position).is_ok() };
        let mut expected = Vec::with_capacity(codes.stride);
        self.at(position).is_some_and(|vector| {
            self.scale().encode(&vector, &mut expected);
            expected == codes.row(position as u32)
        })
    }
}

/// Returns the numbers of all segment files in a folder.
pub(crate) fn numbers(folder: &Path) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let number = |path: &Path| path.file_stem()?.to_str()?.parse().ok();
    let segments = paths.filter(|path| path.extension().is_some_and(|extension| extension == "seg"));
    let mut numbers: Vec<u32> = segments.filter_map(|path| number(&path)).collect();
    numbers.sort_unstable();
    numbers
}
