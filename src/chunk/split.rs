//! A sentence, row or line longer than a window, cut at the best place there is.

use std::ops::Range;

use super::meter::{ChunkError, Meter, trim};
use super::outline::Bound;
use super::piece::{Piece, Sink};

/// Bytes tokenized at once. One block is cut into many parts, so what is tokenized twice, the end of
/// a block that starts the next, is a small share.
const BLOCK_BYTES: usize = 16 << 10;

/// Gives the parts of `range` to `sink`, each within the budget.
pub(super) fn split(
    meter: &Meter<'_>,
    range: Range<usize>,
    bound: Bound,
    sink: &mut Sink<'_>,
) -> Result<(), ChunkError> {
    let text = meter.text;
    let mut bound = bound;
    let mut at = range.start;
    while at < range.end {
        let block = at..text.floor_char_boundary(range.end.min(at + BLOCK_BYTES));
        let tokens = meter.tokens(&block)?;
        let is_last = block.end == range.end;
        let mut first = 0;
        // Tokens are in order, so each part takes up where the last one ended.
        while at < block.end {
            while tokens.get(first).is_some_and(|token| block.start + token.end <= at) {
                first += 1;
            }
            let by_tokens =
                tokens.get(first.saturating_add(meter.budget)).map(|token| block.start + token.start);
            let by_bytes = (block.end - at > meter.max_bytes).then_some(at + meter.max_bytes);
            let cut = match (by_tokens, by_bytes) {
                (None, None) if is_last => block.end,
                // What is left of the block may go on in the next.
                (None, None) if at > block.start => break,
                (None, None) => block.end,
                (a, b) => best_cut(text, at, a.unwrap_or(usize::MAX).min(b.unwrap_or(usize::MAX))),
            };
            at = emit(meter, at..cut, bound, sink)?;
            bound = Bound::Inside;
        }
    }
    Ok(())
}

/// Gives the longest start of `part` that fits to `sink` and says where it ends.
///
/// `part` was measured inside its block; alone it may have more tokens.
fn emit(
    meter: &Meter<'_>,
    part: Range<usize>,
    bound: Bound,
    sink: &mut Sink<'_>,
) -> Result<usize, ChunkError> {
    let Some(mut piece) = trim(meter.text, part.clone()) else { return Ok(part.end) };
    let mut end = part.end;
    loop {
        let tokens = meter.tokens(&piece)?;
        if tokens.len() <= meter.budget {
            sink(Piece { range: piece, tokens: tokens.len(), bound, is_sentence: false, lead: None })?;
            return Ok(end);
        }
        let first_end = piece.start + meter.text[piece.start..].chars().next().map_or(1, char::len_utf8);
        if piece.end <= first_end {
            return Err(ChunkError::NoRoom {
                at: piece.start,
                got_tokens: tokens.len(),
                budget_tokens: meter.budget,
            });
        }
        // At most half of the excess may come from tokens that only exist at this end, so give up
        // at least a sixteenth each time: the loop is short whatever the tokenizer does.
        let limit = (piece.start + tokens[meter.budget].start).min(piece.end - (piece.len() / 16).max(1));
        end = meter.text.floor_char_boundary(limit).max(first_end);
        piece = trim(meter.text, piece.start..end).unwrap_or(piece.start..first_end);
    }
}

/// The best place to cut after `start` and not after `limit`: a line, a clause, a word, or `limit`.
fn best_cut(text: &str, start: usize, limit: usize) -> usize {
    let limit = text.floor_char_boundary(limit);
    let first_end = start + text[start..].chars().next().map_or(1, char::len_utf8);
    if limit <= first_end {
        return first_end;
    }
    let half = start + (limit - start) / 2;
    let (mut clause, mut word) = (None, None);
    let mut after = text[limit..].chars().next();
    for (offset, c) in text[start..limit].char_indices().rev() {
        let end = start + offset + c.len_utf8();
        if end <= first_end {
            break;
        }
        if end > half {
            if c == '\n' {
                return end;
            }
            let closes = matches!(c, ',' | ';' | ':' | ')') && after.is_none_or(char::is_whitespace);
            if clause.is_none() && (closes || matches!(c, '—' | '、' | '，' | '；' | '：')) {
                clause = Some(end);
            }
        } else if clause.is_some() || word.is_some() {
            break;
        }
        if word.is_none() && (c.is_whitespace() || after.is_some_and(char::is_whitespace)) {
            word = Some(end);
        }
        after = Some(c);
    }
    clause.or(word).unwrap_or(limit)
}
