use std::ops::Range;

/// Splits `text` into pieces of at most `room` tokens, at the last clause bound that leaves a piece at
/// least half full, else between words, else between tokens. `tokens` gives the byte range of each token
/// of a text; a piece that no split brings within `room` is returned as it is, for the encoder to refuse.
pub(crate) fn pieces<E>(
    text: &str,
    room: usize,
    tokens: impl Fn(&str) -> Result<Vec<Range<usize>>, E>,
) -> Result<Vec<Range<usize>>, E> {
    let all = tokens(text)?;
    if all.len() <= room || room == 0 {
        return Ok(Vec::from_iter([Range { start: 0, end: text.len() }]));
    }
    let (mut found, mut start, mut first) = (Vec::new(), 0, 0);
    while first < all.len() {
        let mut take = room;
        let end = loop {
            let end = match all.get(first + take) {
                None => text.len(),
                Some(next) => cut(text, start, next.start),
            };
            // A piece alone may have other tokens than it had inside the sentence.
            if take == 1 || tokens(&text[start..end])?.len() <= room {
                break end;
            }
            take = (take * 3 / 4).max(1);
        };
        let piece = &text[start..end];
        let lead = piece.len() - piece.trim_start().len();
        if !piece.trim().is_empty() {
            found.push(start + lead..start + lead + piece.trim().len());
        }
        start = end;
        first += all[first..].partition_point(|token| token.start < end);
    }
    Ok(found)
}

/// Where to end the piece that starts at `start` and must end by `limit`; always beyond `start`.
fn cut(text: &str, start: usize, limit: usize) -> usize {
    let piece = &text[start..limit];
    let after = |(at, found): (usize, &str)| start + at + found.len();
    let clause = piece.rmatch_indices([',', ';', ':', '\n', '—', '、', '，', '；']).map(after);
    let half = start + piece.len() / 2;
    if let Some(end) = clause.take_while(|end| *end > half).next() {
        return end;
    }
    match piece.rmatch_indices(char::is_whitespace).map(after).next() {
        Some(end) => end,
        None if limit > start => limit,
        None => start + text[start..].chars().next().map_or(1, char::len_utf8),
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

    fn split(text: &str, room: usize) -> Vec<&str> {
        let Ok(found) = pieces(text, room, words);
        found.into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn a_long_sentence_is_split_at_clauses_then_words() {
        assert_eq!(split("a b c", 3), ["a b c"]);
        assert_eq!(split("one two, three four five six", 4), ["one two, three four", "five six"]);
        assert_eq!(split("one two three, four five six", 4), ["one two three,", "four five six"]);
    }

    #[test]
    fn a_word_longer_than_the_window_is_split_between_tokens() {
        let Ok(found) = pieces("ééééé", 2, letters);
        assert_eq!(found, [0..4, 4..8, 8..10]);
    }
}
