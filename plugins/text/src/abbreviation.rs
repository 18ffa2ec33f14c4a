//! Sentence bounds to ignore: after an abbreviation, an initial or the number of a list item, and
//! before a word in lower case.
//!
//! UAX #29 has no word lists: it ends a sentence between "Mr." and "Smith". The lists are short on
//! purpose; a missing abbreviation makes a sentence too short, a wrong one too long.

/// Words that never end a sentence.
const NEVER_LAST: &[&str] = &[
    "adm", "brig", "capt", "cmdr", "col", "cpl", "dipl", "dr", "drs", "gen", "gov", "hon", "ing", "lt",
    "maj", "messrs", "mlle", "mme", "mr", "mrs", "ms", "mt", "pres", "prof", "rep", "reps", "rev", "sen",
    "sens", "sgt", "st", "approx", "bzw", "ca", "cf", "d.h", "e.g", "eg", "excl", "i.e", "ie", "incl",
    "resp", "sog", "vgl", "viz", "vs", "z.b",
];

/// Words that do not end a sentence when a number follows.
const BEFORE_NUMBERS: &[&str] = &[
    "abs", "art", "ch", "eq", "eqs", "fig", "figs", "no", "nos", "nr", "p", "para", "pp", "pt", "sec", "tab",
    "v", "ver", "vol", "vols", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "okt",
    "nov", "dec", "dez",
];

/// Words that may or may not end a sentence; acronyms (`U.S.`) and initials are like them.
const SOMETIMES_LAST: &[&str] =
    &["al", "bros", "co", "corp", "dept", "est", "etc", "inc", "jr", "ltd", "sr", "usw"];

/// Words that start a sentence far more often than they follow an abbreviation.
const STARTERS: &[&str] = &[
    "a", "after", "all", "although", "an", "and", "as", "at", "before", "but", "by", "each", "for", "from",
    "he", "her", "his", "how", "however", "i", "if", "in", "it", "its", "many", "most", "my", "no", "not",
    "on", "or", "our", "please", "see", "she", "since", "so", "some", "such", "that", "the", "their", "then",
    "there", "these", "they", "this", "those", "to", "we", "what", "when", "where", "while", "who", "why",
    "with", "you", "your",
];

/// Brackets and quotation marks that open.
const OPENING: [char; 9] = ['(', '[', '{', '"', '\'', '“', '„', '‘', '«'];

/// Marks that may stand before the first letter of a word, and also inside a name.
const MARKS: [char; 4] = ['*', '_', '¿', '¡'];

/// Ends of a sentence in scripts without spaces, where a word in lower case belongs to another
/// script.
const WIDE_ENDS: [char; 6] = ['。', '！', '？', '」', '』', '）'];

/// True when a sentence ends between `before`, which starts with it, and `after`, at a bound found
/// by UAX #29.
pub(crate) fn ends_sentence(before: &str, after: &str) -> bool {
    let before = before.trim_end();
    let next =
        after.trim_start_matches(|c: char| c.is_whitespace() || OPENING.contains(&c) || MARKS.contains(&c));
    let Some(first) = next.chars().next() else { return true };
    if first.is_lowercase() && !before.ends_with(WIDE_ENDS) {
        return false; // "Really?" he asked.
    }
    let Some(stem) = before.strip_suffix('.').map(str::trim) else { return true };
    let bare = stem.rsplit(|c: char| c.is_whitespace() || OPENING.contains(&c)).next().unwrap_or(stem);
    let word = bare.trim_start_matches(MARKS);
    // "1." or "a." alone numbers the text that follows.
    if word.len() == stem.len() && is_enumerator(word) {
        return false;
    }
    let lower = word.to_lowercase();
    let is_in = |list: &[&str]| list.contains(&lower.as_str());
    if is_in(NEVER_LAST) || is_in(BEFORE_NUMBERS) && first.is_numeric() {
        return false;
    }
    let starts_anew = || {
        let next = next.split(|c: char| !c.is_alphanumeric()).next().unwrap_or(next);
        STARTERS.contains(&next.to_lowercase().as_str())
    };
    let may_go_on = is_in(SOMETIMES_LAST) || is_acronym(word) || is_initial(word) && first.is_uppercase();
    !may_go_on || starts_anew()
}

/// True for `12` and `a`: at most three digits, or a letter.
fn is_enumerator(word: &str) -> bool {
    let is_number = word.len() <= 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    let mut letters = word.chars();
    let is_letter = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
    !word.is_empty() && (is_number || is_letter && word != "I")
}

/// True for `U.S`, `Ph.D` and `a.m`: short groups of letters joined by full stops.
fn is_acronym(word: &str) -> bool {
    let is_short =
        |part: &str| (1..=2).contains(&part.chars().count()) && part.chars().all(char::is_alphabetic);
    word.contains('.') && word.split('.').all(is_short)
}

/// True for `J` in `J. Smith`. A letter that is a name (`plan B`) can only be recognized by the
/// word that follows.
fn is_initial(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(char::is_uppercase) && letters.next().is_none() && word != "I"
}

#[cfg(test)]
mod tests {
    use super::ends_sentence;

    #[test]
    fn a_title_or_an_initial_ends_no_sentence() {
        for (before, after) in
            [("Ask Mr. ", "Smith"), ("J. ", "Bach"), ("by J.S. ", "Bach"), ("the U.S. ", "Navy")]
        {
            assert!(!ends_sentence(before, after), "{before}|{after}");
        }
    }

    #[test]
    fn a_counter_ends_no_sentence_before_a_number_only() {
        assert!(!ends_sentence("See Fig. ", "3 shows"));
        assert!(!ends_sentence("No. ", "5 Main Street"));
        assert!(ends_sentence("No. ", "That is wrong."));
        assert!(!ends_sentence("Ask P. ", "Smith"), "an initial as well");
    }

    #[test]
    fn a_country_ends_a_sentence_when_a_common_first_word_follows() {
        assert!(ends_sentence("He left the U.S. ", "The ship"));
        assert!(ends_sentence("Take vitamin C. ", "It helps"));
        assert!(ends_sentence("So do I. ", "Everyone does"));
    }

    #[test]
    fn a_company_or_a_list_goes_on_unless_a_common_first_word_follows() {
        assert!(!ends_sentence("Acme Inc. ", "Boston"));
        assert!(!ends_sentence("Müller et al. ", "(Nature)"));
        assert!(ends_sentence("Pens, paper etc. ", "The shop"));
    }

    #[test]
    fn a_word_in_lower_case_goes_on_unless_the_scripts_differ() {
        assert!(!ends_sentence("\"Really?\" ", "he asked."));
        assert!(!ends_sentence("example.com/?", "page=2"));
        assert!(ends_sentence("今日は。", "rust は"));
    }

    #[test]
    fn a_list_number_stays_with_what_it_numbers() {
        assert!(!ends_sentence("12. ", "Press the button"));
        assert!(ends_sentence("It was 1912. ", "War came"));
        assert!(ends_sentence("`. ", "War came"), "what is left of code");
    }
}
