//! Segments to pieces: what a window is packed from, each small enough for one.

use std::ops::Range;

use super::lead::Fitted;
use super::meter::{ChunkError, Meter, trim};
use super::outline::{Bound, Kind, Segment};
use super::{sentence, split};

/// A part of the text that is not cut any further; its edges are not blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    pub(super) tokens: usize,
    /// What stands at its start.
    pub(super) bound: Bound,
    /// Whether it may be repeated at the start of the next window.
    pub(super) is_sentence: bool,
    /// What a window that begins with it begins with.
    pub(super) lead: Option<Fitted>,
}

/// Where pieces go, one by one, so that a long text never has all of them at once.
pub(super) type Sink<'s> = dyn FnMut(Piece) -> Result<(), ChunkError> + 's;

/// Gives the pieces of `segment` to `sink`, in order. They cover all of it but blanks.
pub(super) fn pieces(meter: &Meter<'_>, segment: &Segment, sink: &mut Sink<'_>) -> Result<(), ChunkError> {
    match segment.kind {
        Kind::Prose => prose(meter, segment, sink),
        Kind::Row => row(meter, segment, sink),
        Kind::Code => code(meter, segment, sink),
    }
}

fn prose(meter: &Meter<'_>, segment: &Segment, sink: &mut Sink<'_>) -> Result<(), ChunkError> {
    let mut bound = segment.bound;
    for paragraph in paragraphs(meter.text, segment.range.clone()) {
        sentence::sentences(meter.text, paragraph, &mut |range| {
            let at = std::mem::replace(&mut bound, Bound::Sentence);
            if meter.measurable(&range) {
                let tokens = meter.count(&range)?;
                if tokens <= meter.budget {
                    return sink(Piece { range, tokens, bound: at, is_sentence: true, lead: None });
                }
            }
            split::split(meter, range, at, sink)
        })?;
        bound = Bound::Paragraph;
    }
    Ok(())
}

/// A row, in as many pieces as its header leaves room for.
fn row(meter: &Meter<'_>, segment: &Segment, sink: &mut Sink<'_>) -> Result<(), ChunkError> {
    let lead = match segment.lead {
        Some(lead) => meter.fit_lead(lead)?,
        None => None,
    };
    let budget = meter.budget - lead.as_ref().map_or(0, |lead| lead.tokens);
    whole(&meter.within(budget), segment.range.clone(), segment.bound, &mut |piece| {
        sink(Piece { lead: lead.clone(), ..piece })
    })
}

fn code(meter: &Meter<'_>, segment: &Segment, sink: &mut Sink<'_>) -> Result<(), ChunkError> {
    let Some(range) = trim(meter.text, segment.range.clone()) else { return Ok(()) };
    if meter.measurable(&range) {
        let tokens = meter.count(&range)?;
        if tokens <= meter.budget {
            return sink(Piece { range, tokens, bound: segment.bound, is_sentence: false, lead: None });
        }
    }
    let mut bound = segment.bound;
    let mut start = range.start;
    for line in meter.text[range].split_inclusive('\n') {
        let end = start + line.len();
        whole(meter, start..end, bound, sink)?;
        bound = Bound::Sentence;
        start = end;
    }
    Ok(())
}

/// One piece, or as many as it takes.
fn whole(
    meter: &Meter<'_>,
    range: Range<usize>,
    bound: Bound,
    sink: &mut Sink<'_>,
) -> Result<(), ChunkError> {
    let Some(range) = trim(meter.text, range) else { return Ok(()) };
    if meter.measurable(&range) {
        let tokens = meter.count(&range)?;
        if tokens <= meter.budget {
            return sink(Piece { range, tokens, bound, is_sentence: false, lead: None });
        }
    }
    split::split(meter, range, bound, sink)
}

/// The parts of `range` between blank lines, without blank edges.
fn paragraphs(text: &str, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        let mut start = at;
        // Blank lines before a paragraph are skipped, the first blank one after it ends it.
        let mut filled = false;
        for line in text[at..range.end].split_inclusive('\n') {
            let blank = line.trim().is_empty();
            if blank && filled {
                break;
            }
            at += line.len();
            if blank {
                start = at;
            }
            filled |= !blank;
        }
        if filled { trim(text, start..at) } else { None }
    })
}
