use crate::markdown;
use crate::outline::Outline;

/// The format of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Paragraphs with blank lines between them.
    Plain,
    /// CommonMark with tables and front matter.
    Markdown,
    /// The text of a web page, whose [`Outline`] comes from its elements: the text alone does not
    /// show it.
    Html,
}

/// The structure that a text shows by itself: empty unless it is Markdown.
///
/// ```
/// use postil_text::{Format, outline};
///
/// let text = "# Guide\n\nRun it.";
/// assert_eq!(outline(text, Format::Markdown).sections(text)[1].path, ["Guide"]);
/// assert!(outline(text, Format::Plain).sections(text)[0].path.is_empty());
/// ```
pub fn outline(text: &str, format: Format) -> Outline {
    match format {
        Format::Plain | Format::Html => Outline::default(),
        Format::Markdown => markdown::outline(text),
    }
}
