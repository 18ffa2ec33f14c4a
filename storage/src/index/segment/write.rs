//! Writing a segment: nothing has the segment's name until every byte is on the medium.

use super::header::{ALIGNMENT, Header, LINKS, NODES, ROWS, Section, VECTORS, encode};
use crate::error::{AtPath, Result};
use crate::index::graph::freeze::FrozenGraph;
use crate::vector::metric::Metric;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// What a segment is made of.
pub(crate) struct SegmentRows<'a> {
    pub(crate) metric: Metric,
    pub(crate) dimension: usize,
    pub(crate) ids: &'a [u64],
    pub(crate) vectors: &'a [f32],
    pub(crate) graph: &'a FrozenGraph,
}

/// Writes the file; when it returns, the file is durable under its name.
pub(crate) fn write(folder: &Path, number: u32, rows: &SegmentRows<'_>) -> Result<()> {
    let graph = rows.graph;
    let mut arrays: Vec<(u16, u16, usize, &[u8])> = vec![
        (ROWS, 0, 0, bytemuck::cast_slice(rows.ids)),
        (VECTORS, 0, 0, bytemuck::cast_slice(rows.vectors)),
        (LINKS, 0, graph.stride, bytemuck::cast_slice(&graph.level0)),
    ];
    for (level, (nodes, stride, links)) in (1u16..).zip(&graph.upper) {
        arrays.push((NODES, level, 0, bytemuck::cast_slice(nodes)));
        arrays.push((LINKS, level, *stride, bytemuck::cast_slice(links)));
    }
    let mut offset = 0usize;
    let mut sections = Vec::with_capacity(arrays.len());
    for &(kind, level, stride, bytes) in &arrays {
        let crc = crc32fast::hash(bytes);
        let (start, length) = (offset as u64, bytes.len() as u64);
        sections.push(Section { kind, level, stride: stride as u32, offset: start, bytes: length, crc });
        offset = (offset + bytes.len()).next_multiple_of(ALIGNMENT);
    }
    let header = Header {
        rows: rows.ids.len() as u64,
        dimension: rows.dimension as u32,
        metric: rows.metric.to_byte(),
        entry: graph.entry,
        sections,
    };
    let path = super::file(folder, number);
    let temp = path.with_extension("tmp");
    let mut file = BufWriter::new(File::create(&temp).at(&temp)?);
    file.write_all(&encode(&header)).at(&temp)?;
    for (_, _, _, bytes) in arrays {
        file.write_all(bytes).at(&temp)?;
        let padding = bytes.len().next_multiple_of(ALIGNMENT) - bytes.len();
        file.write_all(&[0; ALIGNMENT][..padding]).at(&temp)?;
    }
    let file = file.into_inner().map_err(std::io::IntoInnerError::into_error).at(&temp)?;
    file.sync_all().at(&temp)?;
    std::fs::rename(&temp, &path).at(&path)?;
    File::open(folder).and_then(|folder| folder.sync_all()).at(folder)
}
