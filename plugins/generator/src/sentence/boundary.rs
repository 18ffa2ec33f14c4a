/// Words after which a full stop never ends a sentence.
const NEVER_LAST: &[&str] = &[
    "mr", "mrs", "ms", "dr", "prof", "st", "messrs", "gen", "col", "lt", "sgt", "capt", "rev", "hon", "gov",
    "sen", "rep", "pres", "dipl", "ing", "e.g", "i.e", "eg", "ie", "cf", "vs", "viz", "approx", "ca", "resp",
    "z.b", "d.h", "bzw", "vgl", "sog", "incl", "excl",
];

/// Words after which a full stop ends no sentence when a number follows.
const BEFORE_NUMBERS: &[&str] = &[
    "no", "nos", "nr", "fig", "figs", "eq", "eqs", "sec", "ch", "vol", "p", "pp", "art", "abs", "para",
    "tab", "ver", "v", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
    "okt", "dez",
];

/// Words that may or may not end a sentence; acronyms (`U.S.`) are like them.
const SOMETIMES_LAST: &[&str] =
    &["al", "etc", "inc", "ltd", "corp", "co", "jr", "sr", "bros", "dept", "est", "usw"];

/// Words that start a sentence far more often than they follow an abbreviation.
const STARTERS: &[&str] = &[
    "the", "this", "that", "these", "those", "it", "he", "she", "they", "we", "you", "i", "in", "on", "at",
    "a", "an", "but", "and", "or", "however", "if", "when", "as", "for", "there", "after", "before", "its",
    "his", "her", "our", "my", "your", "their", "to", "by", "with", "from", "since", "while", "although",
    "then", "so", "such", "each", "all", "some", "most", "many", "no", "not", "what", "who", "how", "why",
    "where", "please", "see",
];

/// Whether a sentence ends between `before` and `after`, where UAX #29 says that one does.
pub(super) fn is_real(before: &str, after: &str) -> bool {
    let next = after.split_whitespace().next().unwrap_or("").trim_start_matches(is_opening);
    let Some(first) = next.chars().next() else { return true };
    if first.is_lowercase() {
        return false; // "Really?" he asked.
    }
    let Some(stem) = before.strip_suffix('.') else { return true };
    let word = stem.split_whitespace().next_back().unwrap_or("").trim_start_matches(is_opening);
    let lower = word.to_lowercase();
    let is_in = |list: &[&str]| list.contains(&lower.as_str());
    let starts_anew =
        STARTERS.contains(&next.trim_end_matches(|c: char| !c.is_alphanumeric()).to_lowercase().as_str());
    if is_in(NEVER_LAST) {
        return false;
    }
    if is_in(BEFORE_NUMBERS) && first.is_numeric() {
        return false;
    }
    if is_in(SOMETIMES_LAST) || is_acronym(word) {
        return starts_anew;
    }
    !(is_initial(word) && first.is_uppercase() && !starts_anew)
}

fn is_opening(c: char) -> bool {
    matches!(c, '(' | '[' | '{' | '"' | '\'' | '«' | '“' | '„' | '‘' | '*' | '_' | '¿' | '¡')
}

/// `U.S`, `Ph.D`, `a.m`: short groups of letters joined by full stops.
fn is_acronym(word: &str) -> bool {
    let short = |part: &str| (1..=2).contains(&part.chars().count()) && part.chars().all(char::is_alphabetic);
    word.contains('.') && word.split('.').all(short)
}

/// `J` in `J. Smith`. A letter that is a name (`plan B`) is told apart by the word that follows, if at all.
fn is_initial(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(char::is_uppercase) && letters.next().is_none() && word != "I"
}
