//! The place in a document of a part of a hit's text.

use super::Hit;
use super::lead::LEAD_JOINT;
use std::ops::Range;

impl Hit {
    /// Returns the bytes of the document's text that a part of [`Hit::text`] stands for, and the
    /// bytes of `text` that are exactly these: for a part that begins in the lead and ends after
    /// it, those after the lead.
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
    use crate::store::PassageWrite;
    use std::sync::Arc;

    const TEXT: &str = "| name | age |\n| Kim | 7 |\n| Lee | 9 |\n";

    fn hit(lead: Range<u64>) -> Hit {
        let (range, vector) = (27..38, vec![1.0]);
        let source_range = range.clone();
        let passage =
            PassageWrite { range, lead, source_range, places: Vec::new(), heading: String::new(), vector };
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
            places: passage.places,
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
