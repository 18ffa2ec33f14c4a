//! An open segment: the mapped file as slices.
//!
//! Opening reads the header and checks every length against the file, so that slicing cannot fail later; it does not
//! read the arrays. What the arrays hold is not trusted: positions out of range are skipped by the search.

use super::header::{self, LINKS, NODES, ROWS, Section, VECTORS};
use crate::error::{Result, StorageError};
use crate::index::graph::links::{Links, UpperLevel};
use crate::index::graph::visited::{Visited, VisitedPool};
use crate::index::graph::{links, search};
use crate::vector::metric::Metric;
use crate::vector::top_k::Ranked;
use memmap2::Mmap;
use std::ops::Range;
use std::path::{Path, PathBuf};

#[cfg(not(target_endian = "little"))]
compile_error!("segments are mapped as they are, and they are little-endian");

/// A mapped segment.
pub(crate) struct Segment {
    path: PathBuf,
    pub(crate) number: u32,
    map: Mmap,
    dimension: usize,
    metric: Metric,
    entry: u32,
    rows: Range<usize>,
    vectors: Range<usize>,
    level0: (Range<usize>, usize),
    upper: Vec<(Range<usize>, Range<usize>, usize)>,
    checksums: Vec<(Range<usize>, u32)>,
    visited: VisitedPool,
}

impl Segment {
    pub(crate) fn open(folder: &Path, number: u32, dimension: usize, metric: Metric) -> Result<Self> {
        let path = super::file(folder, number);
        let map = super::map::map(&path)?;
        let (header, body) = header::decode(&map, &path)?;
        let corrupt = |what: String| StorageError::corrupt(&path, what);
        if header.dimension as usize != dimension || header.metric != metric.to_byte() {
            return Err(corrupt("segment is of another dimension or metric than the database".into()));
        }
        let count = usize::try_from(header.rows).map_err(|_| corrupt("too many rows".into()))?;
        // Some(range) only where the section is inside the file and as long as it must be.
        let place = |section: &Section, elements: Option<usize>, size: usize| {
            let start = body.checked_add(usize::try_from(section.offset).ok()?)?;
            let bytes = usize::try_from(section.bytes).ok()?;
            let end = start.checked_add(bytes)?;
            let fits =
                end <= map.len() && start.is_multiple_of(header::ALIGNMENT) && bytes.is_multiple_of(size);
            (fits && elements.is_none_or(|n| n.checked_mul(size) == Some(bytes))).then_some(start..end)
        };
        let find = |kind: u16, level: u16, elements: Option<usize>, size: usize| {
            let section = header.sections.iter().find(|s| s.kind == kind && s.level == level);
            let range = section.and_then(|section| place(section, elements, size));
            range.ok_or_else(|| corrupt(format!("section {kind} of level {level} is missing or cut short")))
        };
        let stride = |level: u16| {
            let section = header.sections.iter().find(|s| s.kind == LINKS && s.level == level);
            section.map_or(0, |section| section.stride as usize)
        };
        let rows = find(ROWS, 0, Some(count), 8)?;
        let vectors = find(VECTORS, 0, count.checked_mul(dimension), 4)?;
        let level0 = (find(LINKS, 0, count.checked_mul(stride(0)), 4)?, stride(0));
        let mut upper = Vec::new();
        while header.sections.iter().any(|s| s.kind == NODES && usize::from(s.level) == upper.len() + 1) {
            let level = upper.len() as u16 + 1;
            let nodes = find(NODES, level, None, 4)?;
            let links = find(LINKS, level, (nodes.len() / 4).checked_mul(stride(level)), 4)?;
            upper.push((nodes, links, stride(level)));
        }
        let mut checksums = Vec::new();
        for section in &header.sections {
            let range = place(section, None, 1);
            let range = range.ok_or_else(|| corrupt(format!("section {} is cut short", section.kind)))?;
            checksums.push((range, section.crc));
        }
        Ok(Self {
            number,
            dimension,
            metric,
            entry: header.entry,
            rows,
            vectors,
            level0,
            upper,
            checksums,
            visited: VisitedPool::default(),
            path,
            map,
        })
    }

    /// Row ids, ascending.
    pub(crate) fn ids(&self) -> &[u64] {
        self.array(&self.rows)
    }

    /// The vector at a position.
    #[inline]
    pub(crate) fn at(&self, position: usize) -> Option<&[f32]> {
        let vectors: &[f32] = self.array(&self.vectors);
        vectors.get(position.checked_mul(self.dimension)?..(position + 1).checked_mul(self.dimension)?)
    }

    /// Where a row is, if it is here.
    pub(crate) fn position(&self, row: u64) -> Option<usize> {
        let ids = self.ids();
        // Rows are numbered as they come: without removals before sealing, no search is needed.
        let guess = row.checked_sub(*ids.first()?)? as usize;
        if ids.get(guess) == Some(&row) { Some(guess) } else { ids.binary_search(&row).ok() }
    }

    /// Accepted rows near the query, through the graph.
    pub(crate) fn search(&self, query: &[f32], ef: usize, accept: impl Fn(u64) -> bool) -> Vec<Ranked> {
        let ids = self.ids();
        let upper: Vec<UpperLevel<'_>> = self
            .upper
            .iter()
            .map(|(nodes, links, stride)| UpperLevel {
                nodes: self.array(nodes),
                stride: *stride,
                links: self.array(links),
            })
            .collect();
        let (level0, stride) = (self.array(&self.level0.0), self.level0.1);
        let links = Links { entry: self.entry, stride, level0, upper: &upper };
        let rank = |position: u32| Some(self.metric.rank(query, self.at(position as usize)?));
        let accept = |position: u32| ids.get(position as usize).is_some_and(|&row| accept(row));
        let found = self
            .visited
            .with(ids.len(), |visited: &mut Visited| search::search(links, ef, visited, rank, accept));
        let row = |found: Ranked| Some(Ranked { row: *ids.get(found.row as usize)?, ..found });
        found.into_iter().filter_map(row).collect()
    }

    /// What is wrong with the arrays; reads all of them.
    pub(crate) fn damage(&self) -> Vec<String> {
        let mut damage: Vec<String> = Vec::new();
        for (range, crc) in &self.checksums {
            if crc32fast::hash(&self.map[range.clone()]) != *crc {
                damage.push(format!("bytes {}..{} do not match their checksum", range.start, range.end));
            }
        }
        if !self.ids().is_sorted_by(|a, b| a < b) {
            damage.push("row ids are not ascending".to_owned());
        }
        let level0: &[u32] = self.array(&self.level0.0);
        if level0.iter().any(|&n| n != links::NONE && n as usize >= self.ids().len()) {
            damage.push("a link leads out of the segment".to_owned());
        }
        damage
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    #[inline]
    fn array<T: bytemuck::AnyBitPattern>(&self, range: &Range<usize>) -> &[T] {
        bytemuck::try_cast_slice(&self.map[range.clone()]).expect("opening checked alignment and length")
    }
}
