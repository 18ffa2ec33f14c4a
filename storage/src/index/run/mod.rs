//! A run: the vectors of a large commit, in a file of their own until a segment has them. sled
//! would write each more than once and keep them in memory, and the growing rows would keep them
//! too.
//!
//! ```text
//! | header | vectors | checksums of rows |    each at a multiple of 64, zeros between them
//! ```
//!
//! (O'Neil et al. 1996, "The log-structured merge-tree", calls sorted files that wait to be merged
//! runs.)

#[cfg(any(test, fuzzing))]
pub(crate) mod targets;
#[cfg(test)]
mod tests;

use crate::durable::give_name;
use crate::error::{AtPath, Result, StorageError};
use crate::fault::{self, Point};
use crate::index::graph::candidate::MAX_ROWS;
use crate::index::segment::row_checksum;
use crate::mapped::frame::{self, ALIGNMENT, Frame, pad};
use crate::mapped::map;
use memmap2::Mmap;
use rkyv::rancor::Error;
use rkyv::{Archive, Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

const FRAME: Frame = Frame { magic: *b"PSTLRUN\n", version: 1, what: "run" };
const EXTENSION: &str = "run";

#[derive(Archive, Serialize, Deserialize)]
struct Header {
    first_row: u64,
    rows: u32,
    dimension: u32,
    /// CRC-32 of the row checksums, which cover the vectors.
    crc: u32,
}

/// Returns the path of a run.
pub(crate) fn file(folder: &Path, first_row: u64) -> PathBuf {
    folder.join(format!("{first_row:012}.{EXTENSION}"))
}

/// Returns the first rows of all runs in a folder.
pub(crate) fn first_rows(folder: &Path) -> Vec<u64> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let runs = paths.filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
    let mut rows: Vec<u64> = runs.filter_map(|path| path.file_stem()?.to_str()?.parse().ok()).collect();
    rows.sort_unstable();
    rows
}

/// Consecutive rows and their vectors, mapped.
pub(crate) struct Run {
    path: PathBuf,
    map: Mmap,
    rows: Range<u64>,
    dimension: usize,
    vectors: Range<usize>,
    checksums: Range<usize>,
    /// CRC-32 of the row checksums.
    crc: u32,
    /// CRC-32 of the header, which covers all content except padding.
    checksum: u32,
}

impl Run {
    /// Writes the vectors, of `dimension` components each, of the rows from `first_row` on. The
    /// file is durable under its name when this returns.
    pub(crate) fn write(folder: &Path, first_row: u64, dimension: usize, vectors: &[f32]) -> Result<Self> {
        let rows = vectors.chunks_exact(dimension);
        let checksums: Vec<u32> = (first_row..)
            .zip(rows)
            .map(|(row, vector)| row_checksum(row, bytemuck::cast_slice(vector)))
            .collect();
        let (vectors, rows) = (bytemuck::cast_slice(vectors), checksums.len() as u32);
        let checksums: &[u8] = bytemuck::cast_slice(&checksums);
        let header = Header { first_row, rows, dimension: dimension as u32, crc: crc32fast::hash(checksums) };
        let header = rkyv::to_bytes::<Error>(&header).expect("serializing into memory does not fail");
        let path = file(folder, first_row);
        let temp = path.with_extension("tmp");
        let mut file = File::create(&temp).at(&temp)?;
        file.write_all(&FRAME.encode(&header)).at(&temp)?;
        for bytes in [vectors, checksums] {
            file.write_all(bytes).at(&temp)?;
            pad(&mut file, bytes.len()).at(&temp)?;
        }
        fault::reach(Point::RunWritten)?;
        give_name(&file, &temp, &path, [Point::RunSynced, Point::RunRenamed, Point::RunFolderSynced])?;
        Self::open(folder, first_row, dimension)
    }

    /// Removes what a failed [`write`](Self::write) left, as far as possible: the next open would
    /// remove it too.
    pub(crate) fn clear(folder: &Path, first_row: u64) {
        let path = file(folder, first_row);
        for path in [path.with_extension("tmp"), path] {
            let _ = std::fs::remove_file(path);
        }
    }

    /// Reads the header and checks that all it describes is inside the file; [`is_sound`] checks
    /// the content.
    ///
    /// [`is_sound`]: Self::is_sound
    ///
    /// # Errors
    /// [`StorageError::Io`], [`StorageError::Version`] and [`StorageError::Corrupt`] name the file.
    pub(crate) fn open(folder: &Path, first_row: u64, dimension: usize) -> Result<Self> {
        let path = file(folder, first_row);
        let map = map::map(&path)?;
        let (archive, checksum, body) = FRAME.decode(&map, &path)?;
        let corrupt = |what: String| StorageError::corrupt(&path, what);
        let header = rkyv::from_bytes::<Header, Error>(&archive)
            .map_err(|error| corrupt(format!("run header: {error}")))?;
        if header.dimension as usize != dimension || header.first_row != first_row {
            return Err(corrupt("run is of another dimension or of other rows than its name says".into()));
        }
        let count = header.rows as usize;
        let rows = first_row.checked_add(u64::from(header.rows)).map(|end| first_row..end);
        let too_many =
            || corrupt(format!("run header: {count} rows from {first_row} on, {MAX_ROWS} is the most"));
        let rows = rows.filter(|_| count <= MAX_ROWS).ok_or_else(too_many)?;
        let place = |start: usize, numbers: Option<usize>| {
            let end = start.checked_add(numbers?.checked_mul(4)?)?;
            (end <= map.len()).then_some(start..end)
        };
        let short = || corrupt("run is cut short".into());
        let vectors = place(body, count.checked_mul(dimension)).ok_or_else(short)?;
        let checksums = place(vectors.end.next_multiple_of(ALIGNMENT), Some(count)).ok_or_else(short)?;
        Ok(Self { rows, dimension, vectors, checksums, crc: header.crc, checksum, path, map })
    }

    /// Returns the rows, which are consecutive.
    pub(crate) fn rows(&self) -> Range<u64> {
        self.rows.clone()
    }

    /// Returns all vectors, row after row.
    pub(crate) fn vectors(&self) -> &[f32] {
        self.array(&self.vectors)
    }

    /// Streams all vectors once, dropping pages after they are read.
    pub(crate) fn stream(&self) -> impl Iterator<Item = &[f32]> {
        map::stream(&self.map, self.vectors.clone(), 4 * self.dimension).map(bytemuck::cast_slice)
    }

    /// Returns the vector of a row, without checking it.
    pub(crate) fn vector(&self, row: u64) -> Option<&[f32]> {
        let at = self.rows.contains(&row).then(|| (row - self.rows.start) as usize)?;
        self.vectors().get(at * self.dimension..(at + 1) * self.dimension)
    }

    /// True if the vector of a row matches its checksum.
    pub(crate) fn row_is_sound(&self, row: u64) -> bool {
        let Some(vector) = self.vector(row) else { return false };
        let checksum = self.array::<u32>(&self.checksums).get((row - self.rows.start) as usize);
        checksum == Some(&row_checksum(row, bytemuck::cast_slice(vector)))
    }

    /// Checks all vectors; reads all of them.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] names the file and the first damage.
    pub(crate) fn is_sound(&self) -> Result<()> {
        match self.damaged().next() {
            Some(what) => Err(StorageError::corrupt(&self.path, what)),
            None => Ok(()),
        }
    }

    /// Lists everything in the file that is not as it was written.
    pub(crate) fn damage(&self) -> Vec<String> {
        let stray = frame::stray(&self.map, [self.vectors.clone(), self.checksums.clone()]);
        self.damaged().chain(stray).collect()
    }

    fn damaged(&self) -> impl Iterator<Item = String> + '_ {
        let checksums_are_sound = crc32fast::hash(&self.map[self.checksums.clone()]) == self.crc;
        let checksums =
            (!checksums_are_sound).then(|| "the checksums of rows do not match their own".to_owned());
        let rows = self.stream().zip(self.array::<u32>(&self.checksums)).zip(self.rows());
        let rows =
            rows.filter(|&((vector, &crc), row)| row_checksum(row, bytemuck::cast_slice(vector)) != crc);
        let rows = rows.map(|(_, row)| format!("the vector of row {row} does not match its checksum"));
        checksums.into_iter().chain(rows)
    }

    /// Returns the bytes of the file.
    pub(crate) fn file_bytes(&self) -> &[u8] {
        &self.map
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the CRC-32 of the header, which covers all content except padding.
    pub(crate) fn checksum(&self) -> u32 {
        self.checksum
    }

    fn array<T: bytemuck::AnyBitPattern>(&self, range: &Range<usize>) -> &[T] {
        map::array(&self.map, range)
    }
}
