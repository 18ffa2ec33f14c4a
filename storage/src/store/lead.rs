//! The text of a passage that has a lead: the lead, a line feed, and the passage's own range.
//!
//! A lead is text needed to understand the passage, such as the header of the table whose rows it
//! has. It is stored as a range of the document's text, so that only text of the document is ever
//! quoted.

use super::PassageWrite;
use std::borrow::Cow;
use std::ops::Range;

/// Separator of a lead and the passage's own text.
pub const LEAD_JOINT: &str = "\n";

pub(super) fn joined(lead: &str, own: String) -> String {
    if lead.is_empty() { own } else { [lead, LEAD_JOINT, &own].concat() }
}

impl PassageWrite {
    /// Returns the text that is embedded, searched for words and read: the lead, if there is one,
    /// and the range of `document`, the document's text. `None` if one of them is not a range of
    /// it.
    #[must_use]
    pub fn text<'t>(&self, document: &'t str) -> Option<Cow<'t, str>> {
        let part = |range: &Range<u64>| {
            document.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
        };
        let (lead, own) = (part(&self.lead)?, part(&self.range)?);
        Some(if lead.is_empty() { Cow::Borrowed(own) } else { Cow::Owned(joined(lead, own.to_owned())) })
    }
}
