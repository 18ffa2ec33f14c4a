//! The part of a table's caption and header that goes with its rows.

use std::ops::Range;

use postil_text::Lead;

use super::meter::{ChunkError, Meter};

/// Divisor of a window for the longest lead: one half.
const SHARE: usize = 2;

/// A lead of the longest allowed length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fitted {
    pub(super) range: Range<usize>,
    pub(super) tokens: usize,
}

/// Leads fitted to the windows of a section.
pub(super) struct Leads<'m> {
    meter: &'m Meter<'m>,
    /// Cache of the last lead: the rows of a table follow each other.
    last: Option<(Lead, Option<Fitted>)>,
}

impl<'m> Leads<'m> {
    pub(super) fn new(meter: &'m Meter<'m>) -> Self {
        Self { meter, last: None }
    }

    /// Caption and header; the header alone where they would take more than half of a window; as
    /// much of that as half a window holds. `None` where not even a token of it fits.
    pub(super) fn fit(&mut self, lead: Lead) -> Result<Option<Fitted>, ChunkError> {
        match &self.last {
            Some((last, fitted)) if *last == lead => Ok(fitted.clone()),
            _ => {
                let fitted = self.longest(lead)?;
                self.last = Some((lead, fitted.clone()));
                Ok(fitted)
            }
        }
    }

    fn longest(&self, lead: Lead) -> Result<Option<Fitted>, ChunkError> {
        let most = self.meter.budget / SHARE;
        for start in [lead.start, lead.header] {
            let range = start..lead.end;
            if let Some(tokens) = self.meter.fits(&range)?.filter(|tokens| *tokens <= most) {
                return Ok(Some(Fitted { range, tokens }));
            }
        }
        let end = lead.end.min(lead.header.saturating_add(self.meter.max_bytes));
        let mut range = lead.header..self.meter.text.floor_char_boundary(end);
        // Alone it may have more tokens than it had in front of others.
        loop {
            let tokens = self.meter.tokens(&range)?;
            if let Some(first_left_out) = tokens.get(most) {
                let cut = (range.start + first_left_out.start).min(range.end - 1);
                range.end = self.meter.text.floor_char_boundary(cut);
            } else {
                let tokens = tokens.len();
                return Ok((tokens > 0).then_some(Fitted { range, tokens }));
            }
        }
    }
}
