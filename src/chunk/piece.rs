//! Segments to pieces: what a window is packed from, each small enough for one.

use std::ops::Range;

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
}

/// Where pieces go, one by one, so that a long text never has all of them at once.
pub(super) type Sink<'s> = dyn FnMut(Piece) -> Result<(), ChunkError> + 's;

/// Gives the pieces of `segment` to `sink`, in order. They cover all of it but blanks.
pub(super) fn pieces(meter: &Meter<'_>, segment: &Segment, sink: &mut Sink<'_>) -> Result<(), ChunkError> {
    match segment.kind {
        Kind::Prose => prose(meter, segment, sink),
        Kind::Row => whole(meter, segment.range.clone(), segment.bound, sink),
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
                    return sink(Piece { range, tokens, bound: at, is_sentence: true });
                }
            }
            split::split(meter, range, at, sink)
        })?;
        bound = Bound::Paragraph;
    }
    Ok(())
}

fn code(meter: &Meter<'_>, segment: &Segment, sink: &mut Sink<'_>) -> Result<(), ChunkError> {
    let Some(range) = trim(meter.text, segment.range.clone()) else { return Ok(()) };
    if meter.measurable(&range) {
        let tokens = meter.count(&range)?;
        if tokens <= meter.budget {
            return sink(Piece { range, tokens, bound: segment.bound, is_sentence: false });
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
            return sink(Piece { range, tokens, bound, is_sentence: false });
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
