//! The text of a passage that has a lead: the lead, a line feed, and the passage's own range.
//!
//! A lead is what a reader has to have seen to understand the passage, as the header of the table whose
//! rows it has. It is stored as a range of the document's text, so that nothing is quoted that is not there.

use super::{Hit, PassageWrite};
use std::borrow::Cow;
use std::ops::Range;

/// What stands between a lead and the passage's own text.
pub const LEAD_JOINT: &str = "\n";

pub(super) fn joined(lead: &str, own: String) -> String {
    if lead.is_empty() { own } else { [lead, LEAD_JOINT, &own].concat() }
}

impl PassageWrite {
    /// The text that is embedded, searched for words and read: the lead, if there is one, and the range of
    /// `document`, the document's text. `None` where one of them is no range of it.
    #[must_use]
    pub fn text<'t>(&self, document: &'t str) -> Option<Cow<'t, str>> {
        let part = |range: &Range<u64>| {
            document.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
        };
        let (lead, own) = (part(&self.lead)?, part(&self.range)?);
        Some(if lead.is_empty() { Cow::Borrowed(own) } else { Cow::Owned(joined(lead, own.to_owned())) })
    }
}

impl Hit {
    /// Bytes of the document's text that a part of [`Hit::text`] stands for, and the bytes of `text` that are
    /// exactly these: of a part that begins in the lead and ends after it, what comes after the lead.
    #[must_use]
    pub fn in_document(&self, part: Range<usize>) -> (Range<u64>, Range<usize>) {
        let lead_bytes = self.lead.end.saturating_sub(self.lead.start);
        let own_at = if lead_bytes == 0 { 0 } else { lead_bytes as usize + LEAD_JOINT.len() };
        let (from, at, part) = if part.end <= own_at {
            (self.lead.start, 0, part.start.min(lead_bytes as usize)..part.end.min(lead_bytes as usize))
        } else {
            (self.range.start, own_at, part.start.max(own_at)..part.end)
        };
        let place = |within: usize| from + (within - at) as u64;
        (place(part.start)..place(part.end), part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const TEXT: &str = "| name | age |\n| Kim | 7 |\n| Lee | 9 |\n";

    fn hit(lead: Range<u64>) -> Hit {
        let (range, vector) = (27..38, vec![1.0]);
        let source_range = range.clone();
        let passage = PassageWrite { range, lead, source_range, heading: String::new(), vector };
        Hit {
            row: 0,
            score: 0.0,
            key: String::new(),
            title: String::new(),
            metadata: Arc::default(),
            source_map: Arc::default(),
            heading: String::new(),
            text: passage.text(TEXT).unwrap().into_owned(),
            lead: passage.lead,
            range: passage.range,
            source_range: passage.source_range,
        }
    }

    #[test]
    fn a_passage_reads_its_lead_first() {
        assert_eq!(hit(0..14).text, "| name | age |\n| Lee | 9 |");
        assert_eq!(hit(0..0).text, "| Lee | 9 |");
    }

    #[test]
    fn every_part_of_a_passage_is_found_in_the_document_word_for_word() {
        for lead in [0..14, 0..0] {
            let hit = hit(lead);
            for start in 0..hit.text.len() {
                for end in start + 1..=hit.text.len() {
                    let (there, here) = hit.in_document(start..end);
                    assert_eq!(&TEXT[there.start as usize..there.end as usize], &hit.text[here.clone()]);
                    let has_lead = !hit.lead.is_empty();
                    assert!(has_lead || here == (start..end));
                    assert!(
                        end <= 15 || !has_lead || here == (start.max(15)..end),
                        "{start}..{end}: {here:?}"
                    );
                    assert!(end > 14 || !has_lead || here == (start..end));
                }
            }
        }
    }
}
