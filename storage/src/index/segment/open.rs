//! An open segment: the mapped file as slices.
//!
//! Opening reads the header and checks every length against the file, so that slicing cannot fail
//! later; it does not read the arrays. Their content is not trusted: a search skips positions out
//! of range, and hits are verified.

use super::header::{
    self, CHECKSUMS, CODES, COPIES, GRID, LINKS, NIBBLE_NORMS, NIBBLES, NODES, NORMS, OLD_PLAN, PLAN, ROWS,
    Section, vectors_of,
};
use super::plan::{Means, Plan};
use super::search::{By, Coded, Stored, Walk};
use super::verified::Verified;
use crate::error::{Result, StorageError};
use crate::index::copies::Copies;
use crate::index::effort::Effort;
use crate::index::graph::candidate::MAX_ROWS;
use crate::index::graph::links::{Graph, Level, Links, Lists, UpperLevel};
use crate::index::graph::scratch::ScratchPool;
use crate::mapped::frame::ALIGNMENT;
use crate::mapped::map;
use crate::vector::codes::{self, Codes, Scale};
use crate::vector::metric::Metric;
use crate::vector::nibbles::{self, Grid, Nibbles};
use crate::vector::precision::Precision;
use crate::vector::top_k::{Ranked, TopK};
use memmap2::Mmap;
use postil_kernel::distance;
use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

#[cfg(not(target_endian = "little"))]
compile_error!("segments are mapped as they are, and they are little-endian");

/// A mapped segment.
pub(crate) struct Segment {
    path: PathBuf,
    pub(crate) number: u32,
    pub(super) map: Mmap,
    pub(super) dimension: usize,
    pub(super) metric: Metric,
    pub(super) entry: u32,
    pub(super) scale: Scale,
    pub(super) rows: Range<usize>,
    pub(super) vectors: Range<usize>,
    pub(super) precision: Precision,
    row_checksums: Option<Range<usize>>,
    /// Codes and their norms; `None` if no search walks over them.
    pub(super) codes: Option<Range<usize>>,
    pub(super) norms: Option<Range<usize>>,
    copies: Option<Range<usize>>,
    plan: Plan,
    nibbles: Option<NibbleSections>,
    pub(super) level0: (Range<usize>, usize),
    pub(super) upper: Vec<(Range<usize>, Range<usize>, usize)>,
    /// Range and entry of every section of the header, known or not.
    pub(super) sections: Vec<(Range<usize>, Section)>,
    /// CRC-32 of the header, which covers all content except padding.
    checksum: u32,
    pub(super) verified: Verified,
    scratches: ScratchPool,
}

/// Ranges of the nibbles and of their grid; norms only if the metric needs them.
struct NibbleSections {
    bytes: Range<usize>,
    grid: Range<usize>,
    norms: Option<Range<usize>>,
}

impl Segment {
    pub(crate) fn open(folder: &Path, number: u32, dimension: usize, metric: Metric) -> Result<Self> {
        let path = super::file(folder, number);
        let map = map::map(&path)?;
        let (header, checksum, body) = header::decode(&map, &path)?;
        let corrupt = |what: String| StorageError::corrupt(&path, what);
        if header.dimension as usize != dimension || header.metric != metric.to_byte() {
            return Err(corrupt("segment is of another dimension or metric than the database".into()));
        }
        let count = usize::try_from(header.rows).ok().filter(|&rows| rows <= MAX_ROWS);
        let too_many = || corrupt(format!("segment header: {} rows, {MAX_ROWS} is the most", header.rows));
        let count = count.ok_or_else(too_many)?;
        let scale = Scale::stored(header.scale).ok_or_else(|| corrupt("no usable scale of codes".into()))?;
        // `None` unless the section is inside the file and has the right length.
        let place = |section: &Section, elements: Option<usize>, size: usize| {
            let start = body.checked_add(usize::try_from(section.offset).ok()?)?;
            let bytes = usize::try_from(section.bytes).ok()?;
            let end = start.checked_add(bytes)?;
            let fits = end <= map.len() && start.is_multiple_of(ALIGNMENT) && bytes.is_multiple_of(size);
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
        let precision = header.precision();
        let vectors = find(vectors_of(precision), 0, count.checked_mul(dimension), precision.bytes())?;
        let has_row_checksums = header.sections.iter().any(|s| s.kind == CHECKSUMS);
        let row_checksums = has_row_checksums.then(|| find(CHECKSUMS, 0, Some(count), 4)).transpose()?;
        let has = |kind: u16| header.sections.iter().any(|section| section.kind == kind);
        let copies = has(COPIES).then(|| find(COPIES, 0, None, 8)).transpose()?;
        let plan = match (has(PLAN), has(OLD_PLAN)) {
            (true, _) => Plan::from_words(map::array(&map, &find(PLAN, 0, None, 4)?)),
            (false, true) => {
                let words: &[u32] = map::array(&map, &find(OLD_PLAN, 0, Some(2), 4)?);
                words.first_chunk().map(|&words| Plan::from_old(words))
            }
            (false, false) => Some(Plan::unmeasured(Means::Codes, 1)),
        };
        // A plan that cannot be followed: all rows are scanned, which finds every row.
        let can_be_followed = |plan: &Plan| match plan.means {
            Means::Codes | Means::Vectors => has(CODES),
            Means::Nibbles => has(NIBBLES) && has(GRID),
        };
        let any_means = if has(CODES) { Means::Codes } else { Means::Nibbles };
        let plan = plan.filter(can_be_followed).unwrap_or_else(|| Plan::scan(any_means));
        let norms_of = |kind: u16| metric.needs_norms().then(|| find(kind, 0, Some(count), 4)).transpose();
        let nibbles = match plan.means {
            Means::Codes | Means::Vectors => None,
            Means::Nibbles => {
                let bytes = find(NIBBLES, 0, count.checked_mul(nibbles::stride(dimension)), 1)?;
                let grid = find(GRID, 0, Some(Grid::numbers_of(dimension)), 4)?;
                Some(NibbleSections { bytes, grid, norms: norms_of(NIBBLE_NORMS)? })
            }
        };
        let has_codes = nibbles.is_none() || has(CODES);
        let codes =
            has_codes.then(|| find(CODES, 0, count.checked_mul(codes::stride(dimension)), 1)).transpose()?;
        let norms = if has_codes { norms_of(NORMS)? } else { None };
        let level0 = (find(LINKS, 0, count.checked_mul(stride(0)), 4)?, stride(0));
        let mut upper = Vec::new();
        while header.sections.iter().any(|s| s.kind == NODES && usize::from(s.level) == upper.len() + 1) {
            let level = upper.len() as u16 + 1;
            let nodes = find(NODES, level, None, 4)?;
            let links = find(LINKS, level, (nodes.len() / 4).checked_mul(stride(level)), 4)?;
            upper.push((nodes, links, stride(level)));
        }
        let mut sections = Vec::new();
        for section in &header.sections {
            let range = place(section, None, 1);
            let range = range.ok_or_else(|| corrupt(format!("section {} is cut short", section.kind)))?;
            sections.push((range, section.clone()));
        }
        Ok(Self {
            number,
            dimension,
            metric,
            entry: header.entry,
            scale,
            rows,
            vectors,
            precision,
            row_checksums,
            codes,
            norms,
            copies,
            plan,
            nibbles,
            level0,
            upper,
            sections,
            checksum,
            verified: Verified::nothing_of(count),
            scratches: ScratchPool::default(),
            path,
            map,
        })
    }

    /// Returns the row ids, ascending.
    pub(crate) fn ids(&self) -> &[u64] {
        self.array(&self.rows)
    }

    /// Returns the vector at a position.
    #[inline]
    pub(crate) fn at(&self, position: usize) -> Option<Cow<'_, [f32]>> {
        Some(self.precision.read(self.stored_at(position)?))
    }

    /// Returns the bytes of the vector at a position.
    #[inline]
    pub(super) fn stored_at(&self, position: usize) -> Option<&[u8]> {
        self.stored().bytes_at(position)
    }

    /// Returns the bytes of a vector.
    fn row_bytes(&self) -> usize {
        self.dimension * self.precision.bytes()
    }

    /// Iterates over ids and vectors, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, Cow<'_, [f32]>)> {
        let vectors = self.map[self.vectors.clone()].chunks_exact(self.row_bytes());
        self.ids().iter().copied().zip(vectors.map(|bytes| self.precision.read(bytes)))
    }

    /// Streams ids and vectors once, dropping pages after they are read.
    pub(crate) fn stream(&self) -> impl Iterator<Item = (u64, Cow<'_, [f32]>)> {
        let vectors = map::stream(&self.map, self.vectors.clone(), self.row_bytes());
        vectors.zip(self.ids()).map(|(bytes, &row)| (row, self.precision.read(bytes)))
    }

    /// Returns the CRC-32 of a section for a check of the whole file. Pages of vectors, most of
    /// which searches do not read, are dropped from memory.
    pub(super) fn streamed_checksum(&self, section: &Range<usize>) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        for start in section.clone().step_by(map::PIECE_BYTES) {
            let piece = start..section.end.min(start + map::PIECE_BYTES);
            crc.update(&self.map[piece.clone()]);
            if *section == self.vectors {
                map::let_go(&self.map, piece);
            }
        }
        crc.finalize()
    }

    /// Returns the codes; `None` if the segment has none.
    pub(crate) fn codes(&self) -> Option<Codes<'_>> {
        let codes = self.array(self.codes.as_ref()?);
        Some(Codes { codes, stride: codes::stride(self.dimension) })
    }

    /// Returns the scale of the codes that it has or was made with.
    pub(crate) fn scale(&self) -> Scale {
        self.scale
    }

    /// Returns a copy of the graph.
    pub(crate) fn graph(&self) -> Graph {
        let upper = self.upper.iter().map(|(nodes, links, stride)| Level {
            nodes: self.array(nodes).to_vec(),
            stride: *stride,
            links: self.array(links).to_vec(),
        });
        let level0 = self.array(&self.level0.0).to_vec();
        Graph { entry: self.entry, stride: self.level0.1, level0, upper: upper.collect() }
    }

    /// Returns the position of a row; `None` if it is not here.
    pub(crate) fn position(&self, row: u64) -> Option<usize> {
        let ids = self.ids();
        // Rows are consecutive unless some were removed before sealing: try that place first.
        let guess = row.checked_sub(*ids.first()?)? as usize;
        if ids.get(guess) == Some(&row) { Some(guess) } else { ids.binary_search(&row).ok() }
    }

    /// Searches the graph for up to `most` rows near the query, with their exact ranks: the first
    /// that a search with `effort` for `hits` finds. With `accept`, returns only accepted rows. The
    /// caller has checked the ids; rows are verified here.
    pub(crate) fn search(
        &self,
        query: &[f32],
        effort: Effort,
        hits: usize,
        most: usize,
        accept: Option<&dyn Fn(u64) -> bool>,
    ) -> Result<Vec<Ranked<u64>>> {
        let ids = self.ids();
        let row = |position: u32| ids.get(position as usize).copied();
        let accepted = accept.map(|accept| move |position: u32| row(position).is_some_and(accept));
        let accept = accepted.as_ref().map(|accept| accept as &dyn Fn(u32) -> bool);
        let stop = match effort {
            Effort::Recall(recall) => self.plan.stop(recall, hits),
            Effort::Candidates(candidates) => self.plan.stop_at(candidates, hits),
        };
        let Ok(stop) = stop else { return self.scan(query, most, accept) };
        let upper: Vec<UpperLevel<'_>> = self
            .upper
            .iter()
            .map(|(nodes, links, stride)| UpperLevel {
                nodes: self.array(nodes),
                lists: Lists { stride: *stride, places: self.array(links) },
            })
            .collect();
        let level0 = Lists { stride: self.level0.1, places: self.array(&self.level0.0) };
        let links = Links { entry: self.entry, level0, upper: &upper };
        let (copies, longest) = (self.copies(), self.plan.longest);
        let walk = Walk { metric: self.metric, links, copies, by: self.by(), longest };
        let positions =
            self.scratches.with(ids.len(), |scratch| walk.positions(query, stop, most, accept, scratch));
        let positions: Vec<usize> = positions.into_iter().map(|position| position as usize).collect();
        positions.iter().filter_map(|&position| self.stored_at(position)).for_each(distance::prefetch);
        let exact = |position: usize| {
            let (vector, row) = (self.at(position)?, *ids.get(position)?);
            let ranked = || Ranked { rank: self.metric.rank(query, &vector), item: row };
            Some(self.row_is_sound(position).map(|()| ranked()))
        };
        positions.into_iter().filter_map(exact).collect()
    }

    /// Ranks every accepted row exactly and returns the best `most`.
    fn scan(
        &self,
        query: &[f32],
        most: usize,
        accept: Option<&dyn Fn(u32) -> bool>,
    ) -> Result<Vec<Ranked<u64>>> {
        self.vectors_are_sound()?;
        let mut top = TopK::new(most);
        for (position, (row, vector)) in (0..).zip(self.iter()) {
            if accept.is_none_or(|accept| accept(position)) {
                top.offer(Ranked { rank: self.metric.rank(query, &vector), item: row });
            }
        }
        Ok(top.into_sorted())
    }

    fn stored(&self) -> Stored<'_> {
        let bytes = &self.map[self.vectors.clone()];
        Stored { bytes, precision: self.precision, dimension: self.dimension }
    }

    /// Returns the representation that a search ranks candidates by.
    fn by(&self) -> By<'_> {
        let norms = self.norms.as_ref().map_or(&[][..], |norms| self.array(norms));
        match (self.plan.means, self.nibbles(), self.codes()) {
            (Means::Nibbles, Some(nibbles), _) => By::Nibbles(nibbles),
            (Means::Codes, _, Some(codes)) => By::Codes(Coded { codes, scale: self.scale, norms }),
            _ => By::Vectors(self.stored()),
        }
    }

    /// Returns the nibbles; `None` if searches do not use them.
    pub(crate) fn nibbles(&self) -> Option<Nibbles<'_>> {
        let NibbleSections { bytes, grid, norms } = self.nibbles.as_ref()?;
        Some(Nibbles {
            bytes: &self.map[bytes.clone()],
            stride: nibbles::stride(self.dimension),
            norms: norms.as_ref().map_or(&[], |norms| self.array(norms)),
            grid: self.array(grid),
        })
    }

    /// Returns the rows that are not nodes of the graph, each with the node that stands for it.
    pub(crate) fn copies(&self) -> Copies<'_> {
        Copies(self.copies.as_ref().map_or(&[][..], |range| self.array(range)))
    }

    /// Returns the search plan.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns the bytes of the file, and those that searches read at random: nibbles, codes or
    /// vectors and their norms, links, row ids.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let upper = self.upper.iter().map(|(nodes, links, _)| nodes.len() + links.len());
        let norms = self.norms.as_ref().map_or(0, ExactSizeIterator::len);
        let steps = match (&self.nibbles, self.plan.means) {
            (Some(nibbles), _) => {
                nibbles.bytes.len() + nibbles.norms.as_ref().map_or(0, ExactSizeIterator::len)
            }
            (None, Means::Codes) if !self.plan.steps.is_empty() => {
                self.codes.as_ref().map_or(0, ExactSizeIterator::len) + norms
            }
            _ => self.vectors.len(),
        };
        let searched = steps + self.level0.0.len() + upper.sum::<usize>() + self.rows.len();
        (self.map.len() as u64, searched as u64)
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

    /// Returns the checksum of each row; `None` for a file of a version without them.
    pub(super) fn row_checksums(&self) -> Option<&[u32]> {
        self.row_checksums.as_ref().map(|range| self.array(range))
    }

    #[inline]
    pub(super) fn array<T: bytemuck::AnyBitPattern>(&self, range: &Range<usize>) -> &[T] {
        map::array(&self.map, range)
    }
}

/// Returns dimension, metric and precision of a segment file; `None` if its header cannot be read.
pub(crate) fn shape(path: &Path) -> Option<(usize, Metric, Precision)> {
    let map = map::map(path).ok()?;
    let (header, _, _) = header::decode(&map, path).ok()?;
    Some((header.dimension as usize, Metric::from_byte(header.metric)?, header.precision()))
}
