//! The footer of a file, checked before the crate reads it: the crate allocates and recurses as the
//! schema says, and running out of memory or stack cannot be contained.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::super::description::Description;
use super::super::{failed, wrong};
use super::compact::Compact;
use super::{DESCRIPTION_KEY, contained};
use crate::Error;

/// Last bytes of a file, after the footer's length.
const MAGIC: &[u8] = b"PAR1";
const TAIL_BYTES: u64 = 8;
/// Most elements of a schema; ours has 18.
const MOST_ELEMENTS: u64 = 10_000;
/// Most nested groups; our list takes three.
const MOST_NESTED: usize = 16;

/// The footer of a file that is open, with as many rows as the file can hold.
pub(super) fn read(path: &Path, file: &mut File) -> Result<ParquetMetaData, Error> {
    let bytes = file.seek(SeekFrom::End(0)).map_err(failed(path))?;
    let no_parquet = || wrong(path, "it is no Parquet file, or an incomplete one");
    if bytes < TAIL_BYTES {
        return Err(no_parquet());
    }
    file.seek(SeekFrom::Start(bytes - TAIL_BYTES)).map_err(failed(path))?;
    let mut tail = [0; TAIL_BYTES as usize];
    file.read_exact(&mut tail).map_err(failed(path))?;
    let [a, b, c, d, magic @ ..] = tail;
    let footer_bytes = u64::from(u32::from_le_bytes([a, b, c, d]));
    let start = (bytes - TAIL_BYTES).checked_sub(footer_bytes);
    let Some(start) = start.filter(|_| magic == MAGIC) else { return Err(no_parquet()) };
    file.seek(SeekFrom::Start(start)).map_err(failed(path))?;
    let mut footer = vec![0; footer_bytes as usize];
    file.read_exact(&mut footer).map_err(failed(path))?;
    if !is_plausible(&footer) {
        return Err(wrong(path, "damaged: its footer has no plausible schema"));
    }
    let metadata = contained(path, || ParquetMetaDataReader::decode_metadata(&footer))?;
    // A passage takes more than a byte. Nulls take less, so a few bytes could claim any number of
    // rows.
    let rows = metadata.row_groups().iter().map(|group| u64::try_from(group.num_rows()).ok());
    let rows = rows.sum::<Option<u64>>();
    if rows.is_none_or(|rows| rows > bytes) || rows != u64::try_from(metadata.file_metadata().num_rows()).ok()
    {
        return Err(wrong(path, "damaged: its footer states an impossible number of rows"));
    }
    Ok(metadata)
}

/// Reads the description of the exported database.
///
/// # Errors
/// [`Error::Exchange`] when the file is damaged, or its metadata has no description.
pub(in super::super) fn description(path: &Path) -> Result<Description, Error> {
    let mut file = File::open(path).map_err(failed(path))?;
    description_in(path, &read(path, &mut file)?)
}

pub(super) fn description_in(path: &Path, metadata: &ParquetMetaData) -> Result<Description, Error> {
    let pairs = metadata.file_metadata().key_value_metadata();
    let text =
        pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == DESCRIPTION_KEY)?.value.as_deref());
    let text = text.ok_or_else(|| {
        let what =
            format!("its key-value metadata has no {DESCRIPTION_KEY:?}, which says what the database is");
        wrong(path, what)
    })?;
    Description::parse(path, text.as_bytes())
}

/// True when the schema in a footer is a shallow tree of as many elements as it states.
fn is_plausible(footer: &[u8]) -> bool {
    let mut footer = Compact::new(footer);
    let mut last = 0;
    while let Some(Some(field)) = footer.field(last) {
        last = field.id;
        // Of FileMetaData, 2 is the schema.
        if field.id == 2 {
            return footer.structures(field).is_some_and(|count| is_tree(&mut footer, count).is_some());
        }
        if footer.skip(field).is_none() {
            break;
        }
    }
    false
}

/// Schema elements in depth-first order, each group with the number of its children.
fn is_tree(elements: &mut Compact<'_>, count: u64) -> Option<()> {
    if count == 0 || count > MOST_ELEMENTS {
        return None;
    }
    // Number of children still to come, for each open group.
    let mut open = vec![1];
    for _ in 0..count {
        while open.last() == Some(&0) {
            open.pop();
        }
        *open.last_mut()? -= 1;
        let (mut last, mut children) = (0, 0);
        while let Some(field) = elements.field(last)? {
            last = field.id;
            // Of SchemaElement, 5 is the number of children.
            if field.id == 5 {
                children = u64::try_from(elements.i32(field)?).ok()?;
            } else {
                elements.skip(field)?;
            }
        }
        if children > 0 {
            open.push(children);
        }
        if children > count || open.len() > MOST_NESTED {
            return None;
        }
    }
    open.iter().all(|&left| left == 0).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A footer with the schema only, of elements with so many children.
    fn footer(children: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x29, 0xfc, children.len() as u8];
        for &count in children {
            // 4: a name, 5: zigzag.
            bytes.extend([0x48, 1, b'x', 0x15, count * 2, 0]);
        }
        bytes.push(0);
        bytes
    }

    #[test]
    fn a_schema_is_a_tree_of_as_many_elements_as_it_says() {
        for good in [&[0][..], &[2, 0, 0], &[1, 1, 1, 0], &[3, 0, 2, 0, 0, 1, 0]] {
            assert!(is_plausible(&footer(good)), "{good:?}");
        }
        for bad in [&[1][..], &[1, 0, 0], &[60, 0], &[1; 20], &[]] {
            assert!(!is_plausible(&footer(bad)), "{bad:?}");
        }
        // 2,147,483,647 children, for which the crate would allocate.
        assert!(!is_plausible(&[0x29, 0x1c, 0x48, 1, b'x', 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0]));
    }
}
