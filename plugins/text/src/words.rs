//! The words of a text in normal form: composed or decomposed characters, full width, ligatures and
//! invisible characters inside words make no difference (Unicode Standard Annex 15; chapter 23.2 on
//! joiners and soft hyphens).

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use unicode_segmentation::UnicodeSegmentation;

/// Calls `tell` with each word of a text, in order and in lower case; words end at characters that
/// are neither letters, digits nor marks.
///
/// ```
/// let mut words = Vec::new();
/// postil_text::each_word("NEWTON’S o\u{fb03}ce", |word| words.push(word.to_owned()));
/// assert_eq!(words, ["newton", "s", "office"]);
/// ```
pub fn each_word(text: &str, mut tell: impl FnMut(&str)) {
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

/// The text in Normalization Form KC, without the invisible characters inside words.
fn written_plainly(text: &str) -> Cow<'_, str> {
    if text.is_ascii()
        || (is_nfkc_quick(text.chars()) == IsNormalized::Yes && !text.contains(is_unseen_or_divides))
    {
        return Cow::Borrowed(text);
    }
    let seen = text.chars().filter(|&c| !is_unseen(c)).map(|c| if c == ZERO_WIDTH_SPACE { ' ' } else { c });
    Cow::Owned(seen.nfkc().collect())
}

/// A character that divides words in scripts that are written without spaces.
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// True for a soft hyphen, a joiner, a byte order mark or a variation selector.
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

/// Characters that turn the one before into a picture: `1` into a key, `ℹ` into a sign.
const PICTURES: [char; 2] = ['\u{fe0f}', '\u{20e3}'];
/// Characters of the category letter that are invisible and stand for a missing letter: Hangul's
/// fillers.
const FILLERS: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];

/// True when the text has a word: a letter, an ideograph or a number of any script, including `½`
/// and `①`, or Braille. Punctuation, symbols (`€`), emoji, invisible characters, and marks without
/// a base are not words.
///
/// ```
/// assert!(postil_text::has_word("C#?") && !postil_text::has_word("???"));
/// ```
pub fn has_word(text: &str) -> bool {
    text.graphemes(true).any(|cluster| {
        let is_picture = cluster.ends_with(PICTURES);
        !is_picture && cluster.chars().any(is_of_words)
    })
}

fn is_of_words(c: char) -> bool {
    match c {
        _ if c.is_ascii() => c.is_ascii_alphanumeric(),
        '\u{2801}'..='\u{28ff}' => true,
        _ => c.is_alphanumeric() && !FILLERS.contains(&c) && !is_mark(c),
    }
}

/// True for a combining mark. A vowel sign is alphabetic but not a letter: it joins the character
/// before it.
fn is_mark(c: char) -> bool {
    let mut pair = String::from("a");
    pair.push(c);
    pair.graphemes(true).count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_ideographs_and_numbers_of_any_script_are_words() {
        for text in [
            "a",
            "?7",
            "½",
            "①",
            "Ⅳ",
            "٣",
            "é",
            "e\u{301}",
            "Ж",
            "字",
            "か",
            "한",
            "ㅋ",
            "ก",
            "कि",
            "ಕ",
            "𝔸",
            "⠓⠑",
            "C#",
            "$5",
            "😀 ok",
            "\u{200b}x",
            "1️⃣ 2",
        ] {
            assert!(has_word(text), "{text:?}");
        }
    }

    #[test]
    fn signs_pictures_and_what_is_not_seen_are_no_words() {
        for text in [
            "",
            " ",
            "???",
            "*",
            "#",
            "!",
            "…",
            "—",
            "«»",
            "。？",
            "€",
            "™",
            "№",
            "☃",
            "\u{1f600}",
            "👩‍💻",
            "🇫🇷",
            "1️⃣",
            "#️⃣",
            "ℹ️",
            "\u{0}\u{7}",
            "\u{200b}",
            "\u{200d}",
            "\u{feff}",
            "\u{ad}",
            "\u{2060}",
            "\u{202e}",
            "\u{301}",
            "\u{fe0f}",
            "\u{e0100}",
            "\u{93f}",
            "\u{e31}",
            "\u{3164}",
            "\u{2800}",
            "\u{fffd}",
            "\u{e000}",
            "\u{345}",
        ] {
            assert!(!has_word(text), "{text:?}");
        }
    }
}
