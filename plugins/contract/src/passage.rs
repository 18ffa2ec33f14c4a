/// A passage as a plugin sees it: text without an identity.
///
/// Ids, documents and byte ranges stay with the caller, who matches results to passages by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Passage<'a> {
    /// What the passage is part of: a document title, a chain of headings; empty when there is none.
    pub title: &'a str,
    /// The passage itself.
    pub text: &'a str,
}

impl<'a> Passage<'a> {
    /// A passage that stands alone.
    pub fn untitled(text: &'a str) -> Self {
        Self { title: "", text }
    }
}
