//! Errors of extraction.

/// Why a document has no text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// Returned when the bytes are not UTF-8. Convert the document first.
    #[error("byte {at} is not UTF-8")]
    NotUtf8 {
        /// Offset of the first byte that is not UTF-8.
        at: usize,
    },
    /// Returned when the document is encrypted and the password, if one was given, is not its own.
    #[error("the document is encrypted; {}", if *given { "the password is not its own" } else { "give its password" })]
    Encrypted {
        /// True when a password was given.
        given: bool,
    },
    /// Returned when the document uses an encryption that is not implemented. Save it without one.
    #[error("the document is encrypted by {method}, which cannot be read; save it without a password")]
    Encryption {
        /// Name of the encryption.
        method: &'static str,
    },
    /// Returned when the document is damaged, or not of its format.
    #[error("{part}: {what}")]
    Damaged {
        /// Page, or file of the archive.
        part: String,
        /// The damage.
        what: String,
    },
    /// Returned when the text takes longer than allowed.
    #[error("not read within {max_seconds} seconds")]
    OutOfTime {
        /// The limit.
        max_seconds: u64,
    },
    /// Returned when the document has more text than allowed.
    #[error("more than {max_bytes} bytes of text")]
    TooMuchText {
        /// The limit.
        max_bytes: usize,
    },
    /// Returned when a part of an archive is larger than allowed, as in an archive made to fill the
    /// memory.
    #[error("{part} unpacks to more than {max_bytes} bytes")]
    TooLarge {
        /// File of the archive.
        part: String,
        /// The limit.
        max_bytes: u64,
    },
    /// Returned when no page has text: they are pictures of text, which nothing here reads.
    #[error("{pages} pages are pictures without text; add text first, as `ocrmypdf IN.pdf OUT.pdf` does")]
    OnlyPictures {
        /// Number of pages.
        pages: usize,
    },
    /// Returned when this build does not have the format. Build with the feature `documents`.
    #[error("this build does not read {format}; build with the feature `documents`")]
    NotBuilt {
        /// Name of the format.
        format: &'static str,
    },
}

impl ExtractError {
    #[cfg(any(feature = "pdf", feature = "packages"))]
    pub(crate) fn damaged(part: impl Into<String>, what: &impl ToString) -> Self {
        Self::Damaged { part: part.into(), what: what.to_string() }
    }
}
