use std::ops::Range;

use crate::cut::best_cut;
use crate::span::trim;

/// Number of bytes tokenized at once. One block is cut into many parts, so the text tokenized
/// twice, the end of a block that starts the next, is a small share.
const BLOCK_BYTES: usize = 16 << 10;

/// The maximum size of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Maximum number of tokens.
    pub tokens: usize,
    /// Maximum number of bytes, before blanks at the edges are trimmed.
    pub bytes: usize,
}

/// A part of a text that was split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Byte range in the text, on character boundaries, without blank edges.
    pub range: Range<usize>,
    /// Number of tokens when the part is tokenized alone.
    pub tokens: usize,
}

/// The parts of `range`, in order, each as long as `room` allows: up to a line or clause end that
/// leaves it at least half full, else up to a word end, else between tokens. Together they cover
/// everything but blanks.
///
/// `tokens` gives the byte range of each token of a text, in order. A single character with more
/// tokens than `room` is a part of its own, with all its tokens; the caller must refuse it. After
/// an error of `tokens` there are no more parts.
///
/// ```
/// use std::convert::Infallible;
/// use postil_text::{Room, split};
///
/// let words = |text: &str| -> Result<_, Infallible> {
///     let at = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
///     Ok(text.split_whitespace().map(|word| at(word)..at(word) + word.len()).collect())
/// };
/// let text = "one two three, four five six";
/// let parts = split(text, 0..text.len(), Room { tokens: 4, bytes: 100 }, words);
/// let parts: Vec<&str> = parts.map(|part| part.map(|part| &text[part.range])).collect::<Result<_, _>>()?;
/// assert_eq!(parts, ["one two three,", "four five six"]);
/// # Ok::<(), Infallible>(())
/// ```
pub fn split<E>(
    text: &str,
    range: Range<usize>,
    room: Room,
    tokens: impl Fn(&str) -> Result<Vec<Range<usize>>, E>,
) -> impl Iterator<Item = Result<Part, E>> {
    let block = range.start..range.start;
    let mut splitter =
        Splitter { text, room, at: range.start, end: range.end, block, tokens: Vec::new(), first: 0 };
    std::iter::from_fn(move || {
        let part = splitter.next(&tokens).transpose();
        if matches!(part, Some(Err(_))) {
            splitter.at = splitter.end;
        }
        part
    })
}

struct Splitter<'t> {
    text: &'t str,
    room: Room,
    /// Start of the next part.
    at: usize,
    end: usize,
    /// The byte range that `tokens` describes; their ranges are relative to its start.
    block: Range<usize>,
    tokens: Vec<Range<usize>>,
    /// Index of the first token that does not end before `at`.
    first: usize,
}

impl Splitter<'_> {
    fn next<E>(&mut self, tokens: &impl Fn(&str) -> Result<Vec<Range<usize>>, E>) -> Result<Option<Part>, E> {
        while self.at < self.end {
            if self.at >= self.block.end {
                let end = self.text.floor_char_boundary(self.end.min(self.at + BLOCK_BYTES));
                self.block = self.at..end;
                self.tokens = tokens(&self.text[self.block.clone()])?;
                self.first = 0;
            }
            let start = self.block.start;
            // Tokens are in order, so the search continues where the last part ended.
            while self.tokens.get(self.first).is_some_and(|token| start + token.end <= self.at) {
                self.first += 1;
            }
            let by_tokens =
                self.tokens.get(self.first.saturating_add(self.room.tokens)).map(|token| start + token.start);
            let by_bytes = (self.block.end - self.at > self.room.bytes).then(|| self.at + self.room.bytes);
            let cut = match (by_tokens, by_bytes) {
                (None, None) if self.block.end == self.end || self.at == start => self.block.end,
                (None, None) => {
                    // The rest of the block may continue in the next block.
                    self.block.end = self.at;
                    continue;
                }
                (a, b) => best_cut(self.text, self.at, a.unwrap_or(usize::MAX).min(b.unwrap_or(usize::MAX))),
            };
            if let Some(part) = self.fit(cut, tokens)? {
                return Ok(Some(part));
            }
        }
        Ok(None)
    }

    /// The longest fitting part that starts at `at` and ends at `end` or before; `None` when that
    /// text is blank.
    ///
    /// The text up to `end` was measured inside its block; alone it may have more tokens.
    fn fit<E>(
        &mut self,
        mut end: usize,
        tokens: &impl Fn(&str) -> Result<Vec<Range<usize>>, E>,
    ) -> Result<Option<Part>, E> {
        let Some(mut range) = trim(self.text, self.at..end) else {
            self.at = end;
            return Ok(None);
        };
        let first_end = range.start + self.text[range.start..].chars().next().map_or(1, char::len_utf8);
        let mut alone = if range == self.block {
            // A block of its own, whose tokens are already known.
            self.block.end = self.block.start;
            std::mem::take(&mut self.tokens)
        } else {
            tokens(&self.text[range.clone()])?
        };
        loop {
            if alone.len() <= self.room.tokens || range.end <= first_end {
                self.at = end.max(range.end);
                return Ok(Some(Part { range, tokens: alone.len() }));
            }
            // A cut end may produce extra tokens of its own, so each round gives up at least a
            // sixteenth of the text: the loop is short for any tokenizer.
            let limit =
                (range.start + alone[self.room.tokens].start).min(range.end - (range.len() / 16).max(1));
            end = best_cut(self.text, range.start, limit);
            range = trim(self.text, range.start..end).unwrap_or(range.start..first_end);
            alone = tokens(&self.text[range.clone()])?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn words(text: &str) -> Result<Vec<Range<usize>>, Infallible> {
        let at = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
        Ok(text.split_whitespace().map(|word| at(word)..at(word) + word.len()).collect())
    }

    fn letters(text: &str) -> Result<Vec<Range<usize>>, Infallible> {
        Ok(text.char_indices().map(|(at, c)| at..at + c.len_utf8()).collect())
    }

    fn parts(text: &str, tokens: usize, of: fn(&str) -> Result<Vec<Range<usize>>, Infallible>) -> Vec<Part> {
        split(text, 0..text.len(), Room { tokens, bytes: usize::MAX }, of).map(|Ok(part)| part).collect()
    }

    fn in_words(text: &str, tokens: usize) -> Vec<&str> {
        parts(text, tokens, words).into_iter().map(|part| &text[part.range]).collect()
    }

    #[test]
    fn a_long_sentence_is_split_at_clauses_then_words() {
        assert_eq!(in_words("a b c", 3), ["a b c"]);
        assert_eq!(in_words("one two, three four five six", 4), ["one two, three four", "five six"]);
        assert_eq!(in_words("one two three, four five six", 4), ["one two three,", "four five six"]);
    }

    #[test]
    fn a_word_longer_than_the_window_is_split_between_tokens() {
        let found: Vec<Range<usize>> =
            parts("ééééé", 2, letters).into_iter().map(|part| part.range).collect();
        assert_eq!(found, [0..4, 4..8, 8..10]);
    }

    #[test]
    fn a_character_without_room_is_a_part_with_its_tokens() {
        let found = parts("a b", 0, letters);
        assert_eq!(found, [Part { range: 0..1, tokens: 1 }, Part { range: 2..3, tokens: 1 }]);
    }
}
