/// True when `c` closes a clause and `after` follows it; `after` is `None` at the end of a text.
///
/// ```
/// use postil_text::ends_clause;
///
/// assert!(ends_clause(',', Some(' ')) && ends_clause(':', None) && ends_clause('、', Some('二')));
/// assert!(!ends_clause(',', Some('0')), "inside 1,000");
/// ```
pub fn ends_clause(c: char, after: Option<char>) -> bool {
    match c {
        '—' | '、' | '，' | '；' | '：' => true,
        ',' | ';' | ':' | '!' | '?' | '–' => after.is_none_or(char::is_whitespace),
        _ => false,
    }
}

/// The best place to cut after `start` and not after `limit`: at the end of a line, a clause or a
/// word, or else at `limit`. Lines and clauses count in the second half only.
pub(crate) fn best_cut(text: &str, start: usize, limit: usize) -> usize {
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
            if clause.is_none()
                && (ends_clause(c, after) || c == ')' && after.is_none_or(char::is_whitespace))
            {
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

#[cfg(test)]
mod tests {
    use super::best_cut;

    #[test]
    fn a_line_is_a_better_place_than_a_clause_and_a_clause_than_a_word() {
        for (text, limit, cut) in [
            ("one two\nthree, four five", 20, "one two\nthree,"),
            ("one two three\nfour, five", 20, "one two three\n"),
            ("one two, three four five", 20, "one two, three four "),
            ("one 1,000,000 four", 12, "one "),
            ("(one two) three four", 14, "(one two)"),
            ("一二、三四五", 15, "一二、"),
            ("一二三四五六", 10, "一二三"),
        ] {
            assert_eq!(&text[..best_cut(text, 0, limit)], cut, "{text:?} at {limit}");
        }
    }
}
