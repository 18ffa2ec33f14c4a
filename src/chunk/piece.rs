//! Segments to pieces, each small enough for a window.

use std::ops::Range;

use postil_text::{Bound, Kind, Part, Segment, paragraph_sentences, paragraphs, trim};

use super::lead::{Fitted, Leads};
use super::meter::{ChunkError, Meter};

/// A part of the text that is cut no further, without blank edges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    pub(super) tokens: usize,
    /// The bound at its start.
    pub(super) bound: Bound,
    /// True if it may be repeated at the start of the next window.
    pub(super) is_sentence: bool,
    /// The lead of a window that begins with it; `None` without one.
    pub(super) lead: Option<Fitted>,
}

/// The receiver of pieces, one by one, so that a long text never has all of them at once.
pub(super) type Sink<'s> = dyn FnMut(Piece) -> Result<(), ChunkError> + 's;

/// Cuts the segments of one section.
pub(super) struct Cutter<'m> {
    meter: &'m Meter<'m>,
    leads: Leads<'m>,
}

impl<'m> Cutter<'m> {
    pub(super) fn new(meter: &'m Meter<'m>) -> Self {
        Self { meter, leads: Leads::new(meter) }
    }

    /// Gives the pieces of `segment` to `sink`, in order. They cover all of it but blanks.
    pub(super) fn cut(&mut self, segment: &Segment, sink: &mut Sink<'_>) -> Result<(), ChunkError> {
        match segment.kind {
            Kind::Prose => prose(self.meter, segment, sink),
            Kind::Row => self.row(segment, sink),
            Kind::Code => code(self.meter, segment, sink),
        }
    }

    /// A row, in as many pieces as its header leaves room for.
    fn row(&mut self, segment: &Segment, sink: &mut Sink<'_>) -> Result<(), ChunkError> {
        let lead = segment.lead.map(|lead| self.leads.fit(lead)).transpose()?.flatten();
        let budget = self.meter.budget - lead.as_ref().map_or(0, |lead| lead.tokens);
        let Some(range) = trim(self.meter.text, segment.range.clone()) else { return Ok(()) };
        let row = Segment { range, ..segment.clone() };
        whole(&self.meter.within(budget), row, &mut |piece| sink(Piece { lead: lead.clone(), ..piece }))
    }
}

fn prose(meter: &Meter<'_>, segment: &Segment, sink: &mut Sink<'_>) -> Result<(), ChunkError> {
    let mut bound = segment.bound;
    for paragraph in paragraphs(meter.text, segment.range.clone()) {
        for range in paragraph_sentences(meter.text, paragraph) {
            whole(meter, Segment { range, bound, ..*segment }, sink)?;
            bound = Bound::Sentence;
        }
        bound = Bound::Paragraph;
    }
    Ok(())
}

fn code(meter: &Meter<'_>, segment: &Segment, sink: &mut Sink<'_>) -> Result<(), ChunkError> {
    let Some(range) = trim(meter.text, segment.range.clone()) else { return Ok(()) };
    if let Some(tokens) = meter.fits(&range)? {
        return sink(Piece { range, tokens, bound: segment.bound, is_sentence: false, lead: None });
    }
    let mut bound = segment.bound;
    let mut start = range.start;
    for line in meter.text[range].split_inclusive('\n') {
        let end = start + line.len();
        if let Some(range) = trim(meter.text, start..end) {
            whole(meter, Segment { range, bound, ..*segment }, sink)?;
        }
        bound = Bound::Sentence;
        start = end;
    }
    Ok(())
}

/// A sentence, row or line without blank edges: one piece, or as many as it takes.
fn whole(meter: &Meter<'_>, segment: Segment, sink: &mut Sink<'_>) -> Result<(), ChunkError> {
    let Segment { range, kind, mut bound, .. } = segment;
    if let Some(tokens) = meter.fits(&range)? {
        return sink(Piece { range, tokens, bound, is_sentence: kind == Kind::Prose, lead: None });
    }
    for part in meter.parts(range) {
        let Part { range, tokens } = part?;
        if tokens > meter.budget {
            let (at, got_tokens, budget_tokens) = (range.start, tokens, meter.budget);
            return Err(ChunkError::NoRoom { at, got_tokens, budget_tokens });
        }
        sink(Piece { range, tokens, bound, is_sentence: false, lead: None })?;
        bound = Bound::Inside;
    }
    Ok(())
}
