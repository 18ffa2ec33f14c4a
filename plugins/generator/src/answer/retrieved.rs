use postil_contract::Passage;

/// A passage with its relevance, as retrieval returned it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retrieved<'a> {
    /// The text and title that the generator reads.
    pub passage: Passage<'a>,
    /// Unscaled score that the prior is computed from: the similarity to the question, plus any
    /// other ranking terms.
    pub relevance: f32,
}
