//! Passages and questions are data: text in them that looks like a part of the prompt is broken up.
//!
//! Writing a control token has no effect, since user text is tokenized without looking for control
//! tokens. Prompts also have delimiters in plain text: `[INST]`, `</passage>`, ` // `. A space is
//! inserted after the first character of such a delimiter in user text, which leaves it readable.

use std::borrow::Cow;

/// Longest text between angle or square brackets that counts as a delimiter, in bytes.
const MAX_TAG_BYTES: usize = 40;

/// The delimiters in the fixed text of a prompt: text in angle brackets, `<passage>`, `<<SYS>>`;
/// capitals in square brackets, `[/INST]`; and `###`.
pub(super) fn delimiters(fixed: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (open, close) in [('<', '>'), ('[', ']')] {
        for (at, _) in fixed.match_indices(open) {
            let Some(length) = fixed[at..].find(close).filter(|length| *length < MAX_TAG_BYTES) else {
                continue;
            };
            let inner = &fixed[at + 1..at + length];
            let is_tag = match open {
                '<' => !inner.is_empty() && !inner.contains(char::is_whitespace),
                _ => !inner.is_empty() && inner.chars().all(|c| c.is_ascii_uppercase() || "/_".contains(c)),
            };
            if is_tag {
                found.push(fixed[at..=at + length].to_owned());
            }
        }
    }
    if fixed.contains("###") {
        found.push("###".to_owned());
    }
    found.sort_by_key(|delimiter| std::cmp::Reverse(delimiter.len()));
    found.dedup();
    found
}

/// Breaks up every delimiter in `text`, in upper or lower case. A delimiter with spaces around it
/// (` // `) counts only with the spaces; if it is a single character, the spaces are removed.
pub(crate) fn defuse<'a>(text: &'a str, delimiters: &[String]) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for delimiter in delimiters.iter().filter(|delimiter| !delimiter.trim().is_empty()) {
        // Breaking up one delimiter can form another only where they overlap: at most once per
        // character.
        for _ in 0..delimiter.len() {
            match break_up(&text, delimiter) {
                Some(broken) => text = Cow::Owned(broken),
                None => break,
            }
        }
    }
    text
}

fn break_up(text: &str, delimiter: &str) -> Option<String> {
    let core = delimiter.trim();
    let first = core.chars().next()?.len_utf8();
    let single = first == core.len();
    let (mut broken, mut last) = (String::new(), 0);
    let mut at = 0;
    while let Some(found) = find(text, delimiter, at) {
        let occurrence = &text[found..found + delimiter.len()];
        let start = occurrence.len() - occurrence.trim_start().len();
        broken.push_str(&text[last..found]);
        match single {
            true => broken.push_str(occurrence.trim()),
            false => {
                broken.push_str(&occurrence[..start + first]);
                broken.push(' ');
                broken.push_str(&occurrence[start + first..]);
            }
        }
        last = found + delimiter.len();
        at = last;
    }
    (last > 0).then(|| broken + &text[last..])
}

/// Position of the next `delimiter` from `from` on, ignoring ASCII case; `None` when there is none.
fn find(text: &str, delimiter: &str, from: usize) -> Option<usize> {
    let (text, delimiter) = (text.as_bytes(), delimiter.as_bytes());
    let windows = text.get(from..)?.windows(delimiter.len());
    let is_there = |window: &[u8]| window.eq_ignore_ascii_case(delimiter);
    // A match of a whole delimiter begins and ends on character boundaries.
    windows.map(is_there).position(|found| found).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_a_prompt_are_its_delimiters() {
        let found =
            delimiters("<|im_start|>user\n[INST] <<SYS>> a < b, [1] x[i]\n<passage>\n</passage>[/INST]");
        for expected in ["<|im_start|>", "[INST]", "<<SYS>", "<passage>", "</passage>", "[/INST]"] {
            assert!(found.contains(&expected.to_owned()), "{expected} {found:?}");
        }
        assert!(
            !found.iter().any(|d| d.contains("[1]") || d.contains("[i]") || d.contains("< b")),
            "{found:?}"
        );
    }

    #[test]
    fn delimiters_in_a_text_are_broken_up_and_nothing_else_is() {
        let delimiters = ["</passage>", "###", " // ", " / "].map(str::to_owned);
        assert_eq!(defuse("a </Passage></passage> b", &delimiters), "a < /Passage>< /passage> b");
        assert_eq!(defuse("http://x and a/b ## é", &delimiters), "http://x and a/b ## é");
        assert_eq!(defuse("a // b / c", &delimiters[2..]), "a// b/c");
        assert!(!defuse("######", &delimiters).contains("###"));
    }
}
