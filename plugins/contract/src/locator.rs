//! The place of a text in a document that has pages, parts, slides or cells, as its readers see it.

use std::fmt;

/// A place in a document as its readers see it, in words: `p. 12`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged))]
#[non_exhaustive]
pub enum Locator {
    /// Pages of a PDF.
    Page {
        /// First page, from 1.
        page: u32,
        /// Last page; equal to `page` where the text does not go on.
        last_page: u32,
        /// The first page's printed label, where it differs from its number.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        label: Option<String>,
        /// The lines of the text, in reading order.
        boxes: Vec<PageBox>,
    },
    /// A paragraph of a document without pages.
    Part {
        /// File in the document's archive, such as `word/document.xml`.
        part: String,
        /// Paragraph in it, from 1.
        paragraph: u32,
    },
    /// A slide.
    Slide {
        /// Slide, from 1.
        slide: u32,
    },
    /// Cells of a sheet.
    Cells {
        /// Name of the sheet.
        sheet: String,
        /// Range of cells, such as `A1:C7`.
        cells: String,
    },
}

/// A box around a line, in points from the left top corner of the page as it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PageBox {
    /// Page, from 1.
    pub page: u32,
    /// Left edge.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Bottom edge.
    pub bottom: f32,
}

impl PageBox {
    /// A box, given by its edges.
    pub fn new(page: u32, [left, top, right, bottom]: [f32; 4]) -> Self {
        Self { page, left, top, right, bottom }
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page { page, last_page, .. } if last_page > page => write!(f, "pp. {page}-{last_page}"),
            Self::Page { page, label: Some(label), .. } => write!(f, "p. {label} (page {page})"),
            Self::Page { page, .. } => write!(f, "p. {page}"),
            Self::Part { paragraph, .. } => write!(f, "paragraph {paragraph}"),
            Self::Slide { slide } => write!(f, "slide {slide}"),
            Self::Cells { sheet, cells } => write!(f, "{sheet}!{cells}"),
        }
    }
}
