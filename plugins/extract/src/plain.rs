//! Text and Markdown, which are their own text.

use postil_text::{Format, markdown_title};

use crate::error::ExtractError;
use crate::extracted::Extracted;
use crate::offset::OffsetMap;
use crate::reader::{Input, Reader};

/// The byte order mark, which some editors put before UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

pub(crate) const PLAIN: Reader =
    Reader { endings: &["txt"], is: |_| false, read: |input| read(input, Format::Plain) };

pub(crate) const MARKDOWN: Reader =
    Reader { endings: &["md", "markdown"], is: |_| false, read: |input| read(input, Format::Markdown) };

/// The text of bytes that are UTF-8, and where it begins after a byte order mark.
pub(crate) fn utf8(bytes: &[u8]) -> Result<(&str, usize), ExtractError> {
    let source = std::str::from_utf8(bytes).map_err(|e| ExtractError::NotUtf8 { at: e.valid_up_to() })?;
    Ok((source, if source.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }))
}

fn read(input: Input<'_>, format: Format) -> Result<Extracted, ExtractError> {
    let (source, start) = utf8(input.bytes)?;
    let text = source[start..].to_owned();
    let mut map = OffsetMap::default();
    map.push_verbatim(start, text.len());
    let title = if format == Format::Markdown { markdown_title(&text) } else { None };
    Ok(Extracted::new(text, format, None, title, map))
}
