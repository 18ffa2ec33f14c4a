//! Parts of a text by lines, bounded in bytes.

use super::tools::MOST_BYTES;

/// Lines of a text.
pub(crate) struct Part<'a> {
    pub(crate) text: &'a str,
    /// The line after the part, from 1; `None` at the end.
    pub(crate) next: Option<usize>,
    /// Lines of the whole text.
    pub(crate) lines: usize,
}

/// At most `count` lines from `line`, counted from 1, of at most [`MOST_BYTES`]; a line longer than
/// that is cut.
pub(crate) fn part(text: &str, line: usize, count: usize) -> Part<'_> {
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let first = line.max(1) - 1;
    let begin: usize = all.iter().take(first).map(|line| line.len()).sum();
    let (mut end, mut taken) = (begin, 0);
    for line in all.iter().skip(first).take(count) {
        if end + line.len() - begin > MOST_BYTES {
            break;
        }
        end += line.len();
        taken += 1;
    }
    if taken == 0 && first < all.len() && count > 0 {
        end = text.floor_char_boundary(begin + MOST_BYTES);
        taken = 1;
    }
    let next = first + taken;
    Part { text: &text[begin..end], next: (next < all.len()).then_some(next + 1), lines: all.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_text_are_the_text() {
        let text: String = (0..5000).map(|line| format!("line {line} é\n")).collect();
        let (mut line, mut read) = (1, String::new());
        loop {
            let part = part(&text, line, 700);
            assert!(part.text.len() <= MOST_BYTES && part.lines == 5000);
            read += part.text;
            match part.next {
                Some(next) => line = next,
                None => break,
            }
        }
        assert_eq!(read, text);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_between_characters_and_what_is_not_there_is_empty() {
        let long = "é".repeat(MOST_BYTES);
        assert_eq!(part(&long, 1, 9).text.len(), MOST_BYTES);
        assert_eq!((part("a\nb", 7, 3).text, part("", 1, 3).text, part("a\nb", 1, 0).text), ("", "", ""));
        assert_eq!((part("a\nb", 0, 1).text, part("a\nb", 1, 1).next), ("a\n", Some(2)));
    }
}
