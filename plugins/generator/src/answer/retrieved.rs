use postil_contract::Passage;

/// A passage as retrieval found it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retrieved<'a> {
    /// The text and title that the generator reads.
    pub passage: Passage<'a>,
    /// The score its prior is made of, not yet scaled: its similarity to the question, plus whatever else it
    /// was ranked by.
    pub relevance: f32,
}
