use postil_contract::Places;
use postil_text::{Format, Outline};

use crate::offset::OffsetMap;

/// The text of a document.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Extracted {
    /// The text to read.
    pub text: String,
    /// The format of `text`.
    pub format: Format,
    /// The structure of `text`; `None` where `text` itself shows it.
    pub outline: Option<Outline>,
    /// The title the document gives itself: HTML's `title`; in Markdown the field `title` of its
    /// front matter, or else the heading of level 1 that it begins with; `None` without one.
    pub title: Option<String>,
    /// The map from bytes of `text` to bytes of the document.
    pub map: OffsetMap,
    /// Pages, slides, cells or paragraphs of the text; empty for a format without.
    pub places: Places,
    /// Parts that could not be read, such as `page 3: a picture`; the others are in `text`.
    pub unread: Vec<String>,
}

impl Extracted {
    /// A text without places.
    pub(crate) fn new(
        text: String,
        format: Format,
        outline: Option<Outline>,
        title: Option<String>,
        map: OffsetMap,
    ) -> Self {
        Self { text, format, outline, title, map, places: Places::default(), unread: Vec::new() }
    }
}
