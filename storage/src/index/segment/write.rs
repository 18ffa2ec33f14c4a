//! Writing a segment: it gets its name only after every byte is durable.

use super::header::{
    CHECKSUMS, CODES, COPIES, GRID, Header, LINKS, NIBBLE_NORMS, NIBBLES, NODES, NORMS, PLAN, ROWS, Section,
    encode, vectors_of,
};
use super::plan::Plan;
use super::verify::row_checksum;
use crate::durable::give_name;
use crate::error::{AtPath, Result};
use crate::fault::{self, Point};
use crate::index::copies::Copies;
use crate::index::graph::links::Graph;
use crate::mapped::frame::{ALIGNMENT, pad};
use crate::vector::codes::{Codes, Scale};
use crate::vector::metric::Metric;
use crate::vector::nibbles::Nibbles;
use crate::vector::precision::Precision;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::ops::Deref;
use std::path::Path;

/// Bytes handed to the system at once.
const BUFFER: usize = 1 << 20;

/// Content of a segment to write. The vectors come one by one: they are never all in memory.
pub(crate) struct SegmentRows<'a, V> {
    pub(crate) metric: Metric,
    pub(crate) dimension: usize,
    /// Precision of the vectors, which are exact in it.
    pub(crate) precision: Precision,
    pub(crate) ids: &'a [u64],
    pub(crate) vectors: V,
    pub(crate) scale: Scale,
    /// `None` if no search walks over them.
    pub(crate) codes: Option<Codes<'a>>,
    pub(crate) graph: &'a Graph,
    pub(crate) copies: Copies<'a>,
    pub(crate) plan: &'a Plan,
    /// `None` if no search walks over them.
    pub(crate) nibbles: Option<Nibbles<'a>>,
}

/// Writes the file; when it returns, the file is durable under its name.
pub(crate) fn write(
    folder: &Path,
    number: u32,
    rows: SegmentRows<'_, impl Iterator<Item: Deref<Target = [f32]>>>,
) -> Result<()> {
    let graph = rows.graph;
    let norms = rows.codes.map(|codes| codes.norms(rows.metric)).unwrap_or_default();
    let mut arrays: Vec<(u16, usize, usize, &[u8])> = vec![
        (ROWS, 0, 0, bytemuck::cast_slice(rows.ids)),
        (LINKS, 0, graph.stride, bytemuck::cast_slice(&graph.level0)),
    ];
    if let Some(codes) = rows.codes {
        arrays.push((CODES, 0, codes.stride, bytemuck::cast_slice(codes.codes)));
    }
    for (level, upper) in (1..).zip(&graph.upper) {
        arrays.push((NODES, level, 0, bytemuck::cast_slice(&upper.nodes)));
        arrays.push((LINKS, level, upper.stride, bytemuck::cast_slice(&upper.links)));
    }
    if rows.metric.needs_norms() && rows.codes.is_some() {
        arrays.push((NORMS, 0, 0, bytemuck::cast_slice(&norms)));
    }
    let plan = rows.plan.to_words();
    if !rows.copies.0.is_empty() {
        arrays.push((COPIES, 0, 0, bytemuck::cast_slice(rows.copies.0)));
    }
    arrays.push((PLAN, 0, 0, bytemuck::cast_slice(&plan)));
    if let Some(nibbles) = rows.nibbles {
        arrays.push((NIBBLES, 0, nibbles.stride, nibbles.bytes));
        arrays.push((GRID, 0, 0, bytemuck::cast_slice(nibbles.grid)));
        if rows.metric.needs_norms() {
            arrays.push((NIBBLE_NORMS, 0, 0, bytemuck::cast_slice(nibbles.norms)));
        }
    }
    let mut offset = 0usize;
    let mut section = |kind: u16, level: usize, stride: usize, bytes: usize, crc: u32| {
        let (level, stride) = (level as u16, stride as u32);
        let section = Section { kind, level, stride, offset: offset as u64, bytes: bytes as u64, crc };
        offset = (offset + bytes).next_multiple_of(ALIGNMENT);
        section
    };
    let mut sections: Vec<Section> = arrays
        .iter()
        .map(|&(kind, level, stride, bytes)| {
            section(kind, level, stride, bytes.len(), crc32fast::hash(bytes))
        })
        .collect();
    // Last, because their checksums are known only once the vectors are written.
    let vectors_bytes = rows.ids.len() * rows.dimension * rows.precision.bytes();
    sections.push(section(vectors_of(rows.precision), 0, 0, vectors_bytes, 0));
    sections.push(section(CHECKSUMS, 0, 0, rows.ids.len() * 4, 0));
    let mut header = Header {
        rows: rows.ids.len() as u64,
        dimension: rows.dimension as u32,
        metric: rows.metric.to_byte(),
        entry: graph.entry,
        scale: rows.scale.per_unit(),
        sections,
    };
    let path = super::file(folder, number);
    let temp = path.with_extension("tmp");
    let mut file = BufWriter::with_capacity(BUFFER, File::create(&temp).at(&temp)?);
    file.write_all(&encode(&header)).at(&temp)?;
    for (_, _, _, bytes) in arrays {
        file.write_all(bytes).at(&temp)?;
        pad(&mut file, bytes.len()).at(&temp)?;
    }
    fault::reach(Point::SegmentPart)?;
    let mut crc = crc32fast::Hasher::new();
    let mut bytes = 0;
    let mut row_checksums: Vec<u32> = Vec::with_capacity(rows.ids.len());
    for (vector, &id) in rows.vectors.zip(rows.ids) {
        let stored = rows.precision.write(&vector);
        row_checksums.push(row_checksum(id, &stored));
        crc.update(&stored);
        bytes += stored.len();
        file.write_all(&stored).at(&temp)?;
    }
    debug_assert_eq!(bytes, vectors_bytes);
    pad(&mut file, bytes).at(&temp)?;
    let row_checksums: &[u8] = bytemuck::cast_slice(&row_checksums);
    file.write_all(row_checksums).at(&temp)?;
    pad(&mut file, row_checksums.len()).at(&temp)?;
    if let [.., vectors, checksums] = &mut header.sections[..] {
        vectors.crc = crc.finalize();
        checksums.crc = crc32fast::hash(row_checksums);
    }
    // The same length as before: only a number in it changed.
    file.seek(SeekFrom::Start(0)).at(&temp)?;
    file.write_all(&encode(&header)).at(&temp)?;
    let file = file.into_inner().map_err(std::io::IntoInnerError::into_error).at(&temp)?;
    fault::reach(Point::SegmentWritten)?;
    give_name(&file, &temp, &path, [Point::SegmentSynced, Point::SegmentRenamed, Point::SegmentFolderSynced])
}
