//! Scripts that are written in another direction, or without blanks.

use super::glyphs::Text;

/// Letters of Hebrew, Arabic and their relatives.
pub(super) fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Letters of Chinese, Japanese and Korean, and their punctuation.
pub(super) fn is_cjk(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

/// Parts of a line from left to right, in the order they are read in: from right to left, with
/// numbers and words of other scripts from left to right.
pub(super) fn logical(parts: Vec<Text>) -> Vec<Text> {
    let is_right = |part: &Text| is_right_to_left(part.first()) && !is_number(part.first());
    let is_left = |part: &Text| part.first().is_alphanumeric() && !is_right(part);
    let (right, left) = (
        parts.iter().filter(|part| is_right(part)).count(),
        parts.iter().filter(|part| is_left(part)).count(),
    );
    if right < left {
        // A line from left to right, with words of the other direction in it.
        return turned(parts, |part| is_right(part), is_left);
    }
    let mut parts = turned(parts, is_left, is_right);
    parts.reverse();
    for part in &mut parts {
        if let Text::Char(c) = part {
            *c = mirrored(*c);
        }
    }
    parts
}

fn is_number(c: char) -> bool {
    matches!(c, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}')
}

/// Reverses each stretch that begins and ends with parts of `inner` and has none of `outer`.
fn turned(mut parts: Vec<Text>, inner: impl Fn(&Text) -> bool, outer: impl Fn(&Text) -> bool) -> Vec<Text> {
    let mut at = 0;
    while at < parts.len() {
        if !inner(&parts[at]) {
            at += 1;
            continue;
        }
        let end = parts[at..].iter().position(&outer).map_or(parts.len(), |len| at + len);
        let last = parts[at..end].iter().rposition(&inner).unwrap_or(0);
        parts[at..=at + last].reverse();
        at += last + 1;
    }
    parts
}

fn mirrored(c: char) -> char {
    match c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '<' => '>',
        '>' => '<',
        '«' => '»',
        '»' => '«',
        other => other,
    }
}
