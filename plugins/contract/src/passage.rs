/// A passage as a plugin sees it: text without an identity.
///
/// The caller keeps ids, documents and byte ranges, and matches results to passages by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Passage<'a> {
    /// Title of the text that the passage is part of: a document title, or a chain of headings;
    /// empty when there is none.
    pub title: &'a str,
    /// The passage's text.
    pub text: &'a str,
}

impl<'a> Passage<'a> {
    /// A passage without a title.
    pub fn untitled(text: &'a str) -> Self {
        Self { title: "", text }
    }
}
