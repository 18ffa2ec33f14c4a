use std::ops::Range;

/// `range` of `text` without blanks at its edges; `None` when nothing is left.
///
/// ```
/// assert_eq!(postil_text::trim("a  bc \n", 1..7), Some(3..5));
/// assert_eq!(postil_text::trim("a  bc \n", 1..3), None);
/// ```
pub fn trim(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let part = &text[range.clone()];
    let trimmed = part.trim_start();
    let start = range.start + (part.len() - trimmed.len());
    let end = start + trimmed.trim_end().len();
    (start < end).then_some(start..end)
}
