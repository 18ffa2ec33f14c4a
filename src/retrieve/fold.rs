//! The words of a text, alike however they are written: composed or decomposed, in full width, with ligatures, with
//! characters in them that are not seen (Unicode Standard Annex 15; chapter 23.2 on joiners and soft hyphens).

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use unicode_segmentation::UnicodeSegmentation;

/// Tells the words of a text in lower case, cut at what is neither letter, digit nor mark: "Newton's" is "newton" and
/// "s".
pub(super) fn each_word(text: &str, mut tell: impl FnMut(&str)) {
    let text = written_plainly(text);
    let mut lower = String::new();
    let is_part = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    for word in text.unicode_words().flat_map(|word| word.split(|c: char| !is_part(c))) {
        if !word.is_empty() {
            lower.clear();
            for c in word.chars().flat_map(char::to_lowercase) {
                match c {
                    'ß' => lower.push_str("ss"),
                    'ς' => lower.push('σ'),
                    c => lower.push(c),
                }
            }
            tell(&lower);
        }
    }
}

/// The text in Normalization Form KC, without what is not seen inside words.
fn written_plainly(text: &str) -> Cow<'_, str> {
    if text.is_ascii()
        || (is_nfkc_quick(text.chars()) == IsNormalized::Yes && !text.contains(is_unseen_or_divides))
    {
        return Cow::Borrowed(text);
    }
    let seen = text.chars().filter(|&c| !is_unseen(c)).map(|c| if c == ZERO_WIDTH_SPACE { ' ' } else { c });
    Cow::Owned(seen.nfkc().collect())
}

/// Divides words in scripts that are written without spaces.
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// Soft hyphen, joiners, byte order mark, variation selectors.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180e}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}'
            | '\u{fe00}'..='\u{fe0f}'
    )
}

fn is_unseen_or_divides(c: char) -> bool {
    c == ZERO_WIDTH_SPACE || is_unseen(c)
}
