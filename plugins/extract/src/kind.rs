//! The formats, told apart by content first and by name second.

use std::path::Path;

use crate::error::ExtractError;
use crate::extracted::Extracted;
use crate::reader::{Budget, ExtractOptions, Input, Reader};
use crate::{csv, html, plain};

/// The format of a single document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Plain text.
    Plain,
    /// Markdown.
    Markdown,
    /// A web page.
    Html,
    /// A table of values parted by commas or semicolons.
    Csv,
    /// A table of values parted by tabs.
    Tsv,
    /// PDF.
    #[cfg(feature = "pdf")]
    Pdf,
    /// A Word document.
    #[cfg(feature = "packages")]
    Docx,
    /// An Excel workbook.
    #[cfg(feature = "packages")]
    Xlsx,
    /// A PowerPoint presentation.
    #[cfg(feature = "packages")]
    Pptx,
    /// A text, spreadsheet or presentation in OpenDocument.
    #[cfg(feature = "packages")]
    OpenDocument,
    /// A book.
    #[cfg(feature = "packages")]
    Epub,
}

/// Every format with its reader. Of two that recognize the same bytes, the first counts.
const READERS: &[(Kind, &Reader)] = &[
    #[cfg(feature = "pdf")]
    (Kind::Pdf, &crate::pdf::READER),
    #[cfg(feature = "packages")]
    (Kind::Docx, &crate::docx::READER),
    #[cfg(feature = "packages")]
    (Kind::Xlsx, &crate::xlsx::READER),
    #[cfg(feature = "packages")]
    (Kind::Pptx, &crate::pptx::READER),
    #[cfg(feature = "packages")]
    (Kind::OpenDocument, &crate::odf::READER),
    #[cfg(feature = "packages")]
    (Kind::Epub, &crate::epub::READER),
    (Kind::Html, &html::READER),
    (Kind::Csv, &csv::CSV),
    (Kind::Tsv, &csv::TSV),
    (Kind::Markdown, &plain::MARKDOWN),
    (Kind::Plain, &plain::PLAIN),
];

impl Kind {
    /// The kind of a file by its ending, in any case; `None` when no kind has it.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        let has = |reader: &Reader| reader.endings.contains(&ending.as_str());
        READERS.iter().find(|(_, reader)| has(reader)).map(|(kind, _)| *kind)
    }

    /// The kind of a document by its bytes, whatever its name; `None` when they could be of any.
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        READERS.iter().find(|(_, reader)| (reader.is)(bytes)).map(|(kind, _)| *kind)
    }

    /// Endings of the names of files that can be read, without their dot.
    pub fn endings() -> impl Iterator<Item = &'static str> {
        READERS.iter().flat_map(|(_, reader)| reader.endings).copied()
    }

    fn reader(self) -> &'static Reader {
        let found = READERS.iter().find(|(kind, _)| *kind == self);
        found.map_or(&plain::PLAIN, |(_, reader)| reader)
    }
}

/// The text of `bytes`, whose kind is `kind` unless they show that it is another.
///
/// # Errors
/// As [`extract_with`].
pub fn extract(bytes: &[u8], kind: Kind) -> Result<Extracted, ExtractError> {
    extract_with(bytes, kind, &ExtractOptions::default())
}

/// As [`extract`], with a password and limits.
///
/// # Errors
/// [`ExtractError`] when the document has no text that can be read, or breaks a limit.
pub fn extract_with(bytes: &[u8], kind: Kind, options: &ExtractOptions) -> Result<Extracted, ExtractError> {
    let kind = Kind::detect(bytes).unwrap_or(kind);
    let budget = Budget::new(options);
    let extracted = (kind.reader().read)(Input { bytes, options, budget })?;
    budget.text(extracted.text.len())?;
    Ok(extracted)
}
