//! How a segment is searched, as was found out when it was made; see [`crate::index::measure`].

/// Effort of a segment whose graph does not find enough: all of it is looked at.
pub(crate) const SCAN: u32 = 0;

/// A section of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Whether the graph is one of the vectors, because codes do not tell the rows apart.
    pub(crate) by_vectors: bool,
    /// Candidates that a search has to keep at least, or [`SCAN`].
    pub(crate) effort: u32,
}

impl Default for Plan {
    /// By codes, as wide as is asked for: what segments of before there were plans have.
    fn default() -> Self {
        Self { by_vectors: false, effort: 1 }
    }
}

impl Plan {
    pub(super) fn to_words(self) -> [u32; 2] {
        [u32::from(self.by_vectors), self.effort]
    }

    /// The plan that 8 bytes say; any of them is one.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let word = |at: usize| {
            let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
            u32::from_le_bytes(word.unwrap_or_default())
        };
        Self { by_vectors: word(0) != 0, effort: word(4) }
    }
}
