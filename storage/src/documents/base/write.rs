//! Writing the base file. It counts only once its folder gets its name, long after the file is
//! durable.

use super::header::{self, Header, Table};
use super::index::Making;
use super::{Part, block};
use crate::durable::Going;
use crate::error::{AtPath, Result};
use crate::mapped::frame::{ALIGNMENT, pad};
use sled::IVec;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::iter::Peekable;
use std::ops::ControlFlow;
use std::path::Path;

/// Bytes handed to the system at once, and between two checks for cancellation.
const BUFFER: usize = 1 << 20;

/// A key and its value.
pub(crate) type Entry = (IVec, IVec);

/// Writes the entries that `of` yields for each part, in order of keys, to a new file, without
/// syncing it. Returns the checksum; `None` if there are no entries, and so no file. `Break` if
/// `going` cancelled it.
pub(crate) fn write<E: Iterator<Item = Result<Entry>>>(
    path: &Path,
    of: impl Fn(Part) -> E,
    going: Going<'_>,
) -> Result<ControlFlow<(), Option<u32>>> {
    let mut parts = Part::ALL.map(&of).map(Iterator::peekable);
    if parts.iter_mut().all(|entries| entries.peek().is_none()) {
        return Ok(ControlFlow::Continue(None));
    }
    let mut header = Header::default();
    let mut file = BufWriter::with_capacity(BUFFER, File::create_new(path).at(path)?);
    file.write_all(&header::encode(&header)).at(path)?;
    let mut offset = 0;
    for (table, entries) in header.tables.iter_mut().zip(parts) {
        table.offset = offset;
        if write_table(&mut file, table, entries, path, going)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let end = (offset + table.bytes).next_multiple_of(ALIGNMENT as u64) + table.index_bytes;
        offset = end.next_multiple_of(ALIGNMENT as u64);
    }
    let start = header::encode(&header);
    file.write_all(&start).at(path)?;
    file.seek(SeekFrom::Start(0)).at(path)?;
    file.write_all(&start).at(path)?;
    file.into_inner().map_err(std::io::IntoInnerError::into_error).at(path)?;
    let (_, checksum, _) = header::decode(&start, path)?;
    Ok(ControlFlow::Continue(Some(checksum)))
}

/// Writes the blocks of a table and their index.
fn write_table(
    file: &mut impl Write,
    table: &mut Table,
    mut entries: Peekable<impl Iterator<Item = Result<Entry>>>,
    path: &Path,
    going: Going<'_>,
) -> Result<ControlFlow<()>> {
    let mut index = Making::default();
    let (mut block, mut told) = (Vec::with_capacity(2 * block::FULL_BYTES), 0);
    let mut first_key = IVec::default();
    while let Some(entry) = entries.next() {
        let (key, value) = entry?;
        if block.is_empty() {
            first_key = key.clone();
        }
        block::push(&mut block, &key, &value);
        table.entries += 1;
        // A large entry gets its own block; otherwise its neighbours would be as slow to read.
        let is_full = match entries.peek() {
            Some(Ok((key, value))) => block.len() + block::entry_bytes(key, value) > block::FULL_BYTES,
            Some(Err(_)) | None => true,
        };
        if is_full {
            let crc = crc32fast::hash(&block);
            index.add(table.bytes, &first_key, crc);
            file.write_all(&block::head(&block, crc)).at(path)?;
            file.write_all(&block).at(path)?;
            table.bytes += (block::HEAD_BYTES + block.len()) as u64;
            block.clear();
            if table.bytes - told >= BUFFER as u64 {
                if going(table.bytes - told).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                told = table.bytes;
            }
        }
    }
    pad(file, table.bytes as usize).at(path)?;
    table.blocks = index.blocks;
    let index = index.bytes();
    (table.index_bytes, table.index_crc) = (index.len() as u64, crc32fast::hash(&index));
    file.write_all(&index).at(path)?;
    pad(file, index.len()).at(path)?;
    Ok(going(table.bytes - told))
}
