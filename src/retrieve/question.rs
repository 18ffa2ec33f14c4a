//! Questions that ask nothing: a model answers them all the same, with whatever it finds.

use unicode_segmentation::UnicodeSegmentation;

/// Makes a character before it a picture: `1` a key, `ℹ` a sign.
const PICTURES: [char; 2] = ['\u{fe0f}', '\u{20e3}'];
/// Letters by their category that stand for the absence of one and are not seen: Hangul's fillers.
const FILLERS: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];

/// Tells whether a text has a word: a letter, an ideograph or a number of any script, `½` and `①` among them, or
/// Braille. Punctuation, symbols (`€`), emoji, characters that are not seen, and marks on nothing are none.
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

/// A vowel sign is alphabetic too, and no letter: it joins what stands before it.
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
