/// Tracks the text that each token adds to an answer.
///
/// A token may end inside a character; detokenizers then show U+FFFD until the rest comes. Such an
/// end is held back, so that streamed text never has to be withdrawn.
#[derive(Debug, Default)]
pub(crate) struct Growth {
    told: String,
}

impl Growth {
    /// Takes the `text` of all tokens so far. Returns its new part; empty when `text` does not
    /// continue the text before.
    pub(crate) fn added(&mut self, text: &str) -> String {
        let whole = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
        let Some(added) = whole.strip_prefix(self.told.as_str()) else { return String::new() };
        let added = added.to_owned();
        self.told.push_str(&added);
        added
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_waits_for_its_other_half() {
        let mut growth = Growth::default();
        let added = ["caf", "caf\u{fffd}", "café", "café", "café!"].map(|text| growth.added(text));
        assert_eq!(added, ["caf", "", "é", "", "!"]);
    }
}
