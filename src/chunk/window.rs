//! Pieces packed into windows.

use std::ops::Range;

use super::meter::{ChunkError, Meter};
use super::piece::Piece;

/// Divisor of the budget that a window must reach to end early at a better bound: one half.
const EARLY_END: usize = 2;

/// Packs the pieces of one section, as they come.
pub(super) struct Packer<'m> {
    meter: &'m Meter<'m>,
    overlap: usize,
    pieces: Vec<Piece>,
    /// Tokens of all `pieces`.
    tokens: usize,
    /// Pieces at the front that the window before has too.
    repeated: usize,
    windows: Vec<Window>,
}

/// A range of the text, and the lead that is read before it; empty for none.
pub(super) type Window = (Range<usize>, Range<usize>);

impl<'m> Packer<'m> {
    pub(super) fn new(meter: &'m Meter<'m>, overlap: usize) -> Self {
        Self { meter, overlap, pieces: Vec::new(), tokens: 0, repeated: 0, windows: Vec::new() }
    }

    /// Adds the next piece of the text.
    pub(super) fn push(&mut self, piece: Piece) -> Result<(), ChunkError> {
        while !self.takes(&piece) {
            if self.pieces.len() == self.repeated {
                self.drop_front(self.repeated);
                self.repeated = 0;
            } else {
                let keep = self.early_end(&piece);
                self.emit(keep, Some(&piece))?;
            }
        }
        self.tokens += piece.tokens;
        self.pieces.push(piece);
        Ok(())
    }

    /// The windows of the section.
    pub(super) fn finish(mut self) -> Result<Vec<Window>, ChunkError> {
        while self.pieces.len() > self.repeated {
            self.emit(self.pieces.len(), None)?;
        }
        Ok(self.windows)
    }

    /// True when the pieces and `next` fit one window.
    fn takes(&self, next: &Piece) -> bool {
        let Some(first) = self.pieces.first() else { return true };
        self.lead_tokens() + self.tokens + next.tokens <= self.meter.budget
            && next.range.end - first.range.start <= self.meter.max_bytes
    }

    /// Tokens of the lead that the window begins with.
    fn lead_tokens(&self) -> usize {
        let lead = self.pieces.first().and_then(|first| first.lead.as_ref());
        lead.map_or(0, |lead| lead.tokens)
    }

    /// Number of pieces that a window without room for `next` should keep.
    fn early_end(&self, next: &Piece) -> usize {
        let mut best = (next.bound, self.pieces.len());
        let mut tokens: usize = self.pieces[..=self.repeated].iter().map(|piece| piece.tokens).sum();
        for end in self.repeated + 1..self.pieces.len() {
            let bound = self.pieces[end].bound;
            let full_enough = tokens >= self.meter.budget / EARLY_END;
            if full_enough && (bound > best.0 || bound == best.0 && best.1 != self.pieces.len()) {
                best = (bound, end);
            }
            tokens += self.pieces[end].tokens;
        }
        best.1
    }

    /// Closes a window over the first `keep` pieces, or fewer where those have more tokens together
    /// than one by one.
    fn emit(&mut self, mut keep: usize, next: Option<&Piece>) -> Result<(), ChunkError> {
        loop {
            let range = self.pieces[0].range.start..self.pieces[keep - 1].range.end;
            // A single piece was measured when it was made.
            if keep == 1 || self.lead_tokens() + self.meter.count(&range)? <= self.meter.budget {
                let lead = self.pieces[0].lead.as_ref().map_or(0..0, |lead| lead.range.clone());
                self.windows.push((range, lead));
                break;
            }
            if keep > self.repeated + 1 {
                keep -= 1;
            } else {
                keep -= self.repeated;
                self.drop_front(self.repeated);
                self.repeated = 0;
            }
        }
        let repeatable = self.pieces[1..keep].iter().rev().take_while(|piece| piece.is_sentence);
        let mut repeat = repeatable.take(self.overlap).count();
        if next.is_none() && keep == self.pieces.len() {
            repeat = 0;
        }
        self.drop_front(keep - repeat);
        // Overlap gives context, but must not cost one more window.
        let fits = |packer: &Self| match (next, packer.pieces.first(), packer.pieces.last()) {
            (Some(next), ..) => packer.takes(next),
            (None, Some(first), Some(last)) => {
                packer.lead_tokens() + packer.tokens <= packer.meter.budget
                    && last.range.end - first.range.start <= packer.meter.max_bytes
            }
            _ => true,
        };
        while repeat > 0 && !fits(self) {
            self.drop_front(1);
            repeat -= 1;
        }
        self.repeated = repeat;
        Ok(())
    }

    fn drop_front(&mut self, count: usize) {
        self.tokens -= self.pieces.drain(..count).map(|piece| piece.tokens).sum::<usize>();
    }
}
