//! Pages, refused when they state impossible sizes: a header of a few bytes may state any size, and
//! the crate allocates it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Take};
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length, SerializedPageReader};

use super::compact::Compact;

/// Most bytes of a page's header, statistics included.
const HEADER_BYTES: u64 = 1 << 20;
/// Snappy's densest element is three bytes for 64, so a page cannot grow more than 22 times.
const MOST_GROWTH: u64 = 24;
const GROWTH_FROM: u64 = 1 << 10;
/// Fewest bytes of a value of our types in a dictionary.
const DICTIONARY_VALUE_BYTES: usize = 4;
/// Most vector components in a page: this many in any page, and this many for each byte, which runs
/// of equal numbers reach.
const COMPONENTS: u64 = 1 << 18;
const COMPONENTS_PER_BYTE: u64 = 64;

/// A file whose page headers are checked as they are read.
#[derive(Debug)]
pub(super) struct Source {
    file: File,
    bytes: u64,
}

impl Source {
    pub(super) fn new(file: File) -> std::io::Result<Self> {
        let bytes = file.metadata()?.len();
        Ok(Self { file, bytes })
    }

    fn at(&self, start: u64) -> std::io::Result<File> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        Ok(file)
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for Source {
    type T = BufReader<Take<File>>;

    /// Reads the header of a page: without a page index, nothing else is read this way.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut header = BufReader::with_capacity(256, self.at(start)?.take(HEADER_BYTES));
        if !is_plausible(header.fill_buf()?) {
            return Err(ParquetError::General("a page's header states an impossible size".into()));
        }
        Ok(header)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.bytes) {
            return Err(ParquetError::EOF("a page ends after the file".into()));
        }
        let mut bytes = vec![0; length];
        self.at(start)?.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// True when the two sizes at the start of a page's header are plausible together.
fn is_plausible(header: &[u8]) -> bool {
    // Of PageHeader, 2 is the size in memory, 3 the size in the file.
    let mut compact = Compact::new(header);
    let mut sizes = [None; 2];
    let mut last = 0;
    while let Some(Some(field)) = compact.field(last) {
        last = field.id;
        match field.id {
            2 | 3 => sizes[field.id as usize - 2] = compact.i32(field),
            _ if compact.skip(field).is_none() => break,
            _ => {}
        }
        if let [Some(memory), Some(file)] = sizes {
            let sizes = u64::try_from(memory).ok().zip(u64::try_from(file).ok());
            return sizes.is_some_and(|(memory, file)| memory <= GROWTH_FROM + MOST_GROWTH * file);
        }
    }
    false
}

/// The pages of a column.
pub(super) struct Pages {
    pages: SerializedPageReader<Source>,
    /// Number of values that a column of vectors may still have; `None` for other columns, which
    /// are read a few values at a time.
    components: Option<u64>,
}

impl Pages {
    pub(super) fn new(source: &Arc<Source>, chunk: &ColumnChunkMetaData, rows: u64) -> Result<Self> {
        let pages = SerializedPageReader::new(Arc::clone(source), chunk, rows as usize, None)?;
        let components = (chunk.column_descr().max_rep_level() > 0).then_some(rows + COMPONENTS);
        Ok(Self { pages, components })
    }

    fn admit(&mut self, page: &Page) -> Result<()> {
        let refused = |what: String| Err(ParquetError::General(what));
        let (values, bytes) = (u64::from(page.num_values()), page.buffer().len());
        if let Page::DictionaryPage { encoding, .. } = page {
            if !matches!(encoding, Encoding::PLAIN | Encoding::PLAIN_DICTIONARY) {
                return refused(format!("a dictionary has the encoding {encoding}, which is not read"));
            }
            if values > (bytes / DICTIONARY_VALUE_BYTES) as u64 {
                return refused(format!("a dictionary states {values} values in {bytes} bytes"));
            }
            return Ok(());
        }
        // The others state counts inside the page, for which the crate allocates.
        let encoding = page.encoding();
        if !matches!(encoding, Encoding::PLAIN | Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY) {
            return refused(format!(
                "a page has the encoding {encoding}; write it plain or with a dictionary"
            ));
        }
        if let Some(left) = &mut self.components {
            let more = (bytes as u64).saturating_mul(COMPONENTS_PER_BYTE);
            match left.saturating_add(more).checked_sub(values) {
                Some(still) => *left = still,
                None => return refused(format!("a page states {values} components in {bytes} bytes")),
            }
        }
        Ok(())
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        page.as_ref().map_or(Ok(()), |page| self.admit(page))?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_cannot_be_larger_than_its_compression_makes_it() {
        // 1: kind, 2: bytes in memory, 3: bytes in the file.
        assert!(is_plausible(&[0x15, 0, 0x15, 200, 1, 0x15, 100, 0]));
        assert!(!is_plausible(&[0x15, 0, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x15, 100, 0]));
        assert!(!is_plausible(&[0x15, 0, 0x15, 1, 0x15, 100, 0]));
        assert!(!is_plausible(&[0x15, 0, 0x15, 100, 0]));
        assert!(!is_plausible(&[]));
    }
}
