//! Full stops that end no sentence.
//!
//! UAX #29 knows no words: it ends a sentence between "Mr." and "Smith". The lists are short on purpose;
//! a missed abbreviation costs a shorter sentence, a wrong one costs a longer.

/// Words that are never the last of a sentence.
const TITLES: [&str; 38] = [
    "adm", "brig", "capt", "cmdr", "col", "cpl", "dr", "drs", "gen", "gov", "hon", "lt", "maj", "mlle",
    "mme", "mr", "mrs", "ms", "messrs", "mt", "pres", "prof", "rep", "reps", "rev", "sen", "sens", "sgt",
    "st", "vs", "e.g", "i.e", "cf", "viz", "z.b", "d.h", "bzw", "ca",
];

/// Words that go on when a number follows.
const COUNTERS: [&str; 30] = [
    "no", "nos", "nr", "fig", "figs", "eq", "eqs", "sec", "ch", "vol", "vols", "art", "p", "pp", "pt", "tab",
    "ver", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "approx",
];

/// Words that start a sentence after "the U.S." or "vitamin C.", where a name would go on.
const STARTERS: [&str; 34] = [
    "a", "after", "all", "although", "an", "and", "as", "at", "but", "by", "for", "he", "her", "his", "how",
    "however", "if", "in", "it", "its", "no", "on", "she", "since", "that", "the", "their", "there", "these",
    "they", "this", "we", "when", "you",
];

/// Whether a sentence ends between `before` and `after`, where UAX #29 says so.
pub(super) fn ends_sentence(before: &str, after: &str) -> bool {
    let Some(stem) = before.trim_end().strip_suffix('.') else { return true };
    let word = stem.rsplit(|c: char| c.is_whitespace() || "([{\"'“‘«".contains(c)).next().unwrap_or(stem);
    let next = after.trim_start();
    if word.is_empty() || next.is_empty() {
        return true;
    }
    // "1." or "a." alone is the number of what follows.
    if word.len() == stem.trim_start().len() && is_enumerator(word) {
        return false;
    }
    let lower = word.to_lowercase();
    if TITLES.contains(&lower.as_str()) {
        return false;
    }
    if COUNTERS.contains(&lower.as_str()) {
        return !next.starts_with(|c: char| c.is_numeric());
    }
    if is_initials(word) {
        let first = next.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
        return STARTERS.contains(&first.to_lowercase().as_str());
    }
    true
}

/// `12`, `a`, `iv`: at most three letters or digits.
fn is_enumerator(word: &str) -> bool {
    let count = word.chars().count();
    count <= 3 && (word.chars().all(|c| c.is_ascii_digit()) || count == 1 && word != "I")
}

/// `J`, `U.S`, `Ph.D`: a capital alone, or short parts with full stops between them.
fn is_initials(word: &str) -> bool {
    let mut parts = word.split('.');
    let single = |part: &str| part.chars().count() == 1 && part.chars().all(char::is_uppercase);
    match (parts.next(), parts.clone().next()) {
        (Some(only), None) => single(only),
        _ => word
            .split('.')
            .all(|part| (1..=2).contains(&part.chars().count()) && part.chars().all(char::is_alphabetic)),
    }
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
    }

    #[test]
    fn a_country_ends_a_sentence_when_a_common_first_word_follows() {
        assert!(ends_sentence("He left the U.S. ", "The ship"));
        assert!(ends_sentence("Take vitamin C. ", "It helps"));
    }

    #[test]
    fn a_list_number_stays_with_what_it_numbers() {
        assert!(!ends_sentence("12. ", "Press the button"));
        assert!(ends_sentence("It was 1912. ", "War came"));
    }
}
