//! The part of a table's caption and header that goes with its rows.

use std::cell::RefCell;
use std::ops::Range;

use super::meter::{ChunkError, Meter};
use super::outline::Lead;

/// Share of a window that a lead may take, at most: one half.
const SHARE: usize = 2;

/// A lead as long as it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fitted {
    pub(super) range: Range<usize>,
    pub(super) tokens: usize,
}

/// The lead fitted last: the rows of a table follow each other.
pub(super) type LastFitted = RefCell<Option<(Lead, Option<Fitted>)>>;

impl Meter<'_> {
    /// Caption and header; the header alone where they would take more than half of a window; as much of that as
    /// half a window holds. `None` where not even a token of it fits.
    pub(super) fn fit_lead(&self, lead: Lead) -> Result<Option<Fitted>, ChunkError> {
        if let Some((last, fitted)) = &*self.last_lead.borrow()
            && *last == lead
        {
            return Ok(fitted.clone());
        }
        let fitted = self.fit(lead)?;
        *self.last_lead.borrow_mut() = Some((lead, fitted.clone()));
        Ok(fitted)
    }

    fn fit(&self, lead: Lead) -> Result<Option<Fitted>, ChunkError> {
        let most = self.budget / SHARE;
        for start in [lead.start, lead.header] {
            let range = start..lead.end;
            if self.measurable(&range) {
                let tokens = self.count(&range)?;
                if tokens <= most {
                    return Ok(Some(Fitted { range, tokens }));
                }
            }
        }
        let end = self.text.floor_char_boundary(lead.end.min(lead.header.saturating_add(self.max_bytes)));
        let mut range = lead.header..end;
        // Alone it may have more tokens than it had in front of others.
        loop {
            let tokens = self.tokens(&range)?;
            if tokens.len() <= most {
                let tokens = tokens.len();
                return Ok((tokens > 0).then_some(Fitted { range, tokens }));
            }
            let cut = range.start + tokens[most].start;
            range.end = self.text.floor_char_boundary(cut.min(range.end - 1));
        }
    }
}
