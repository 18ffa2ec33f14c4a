//! The interface of a format, with the limits that every format keeps to.

use std::time::{Duration, Instant};

use crate::error::ExtractError;
use crate::extracted::Extracted;

/// Default seconds that reading one document may take.
pub const DEFAULT_MAX_SECONDS: u64 = 120;

/// Default bytes of text that one document may have.
pub const DEFAULT_MAX_TEXT_BYTES: usize = 64 << 20;

/// Options of an extraction.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExtractOptions {
    /// Password of encrypted documents; `None` tries the empty one.
    pub password: Option<String>,
    /// Seconds that one document may take; default [`DEFAULT_MAX_SECONDS`].
    pub max_seconds: u64,
    /// Bytes of text that one document may have; default [`DEFAULT_MAX_TEXT_BYTES`].
    pub max_text_bytes: usize,
}

impl Default for ExtractOptions {
    fn default() -> Self {
        Self { password: None, max_seconds: DEFAULT_MAX_SECONDS, max_text_bytes: DEFAULT_MAX_TEXT_BYTES }
    }
}

impl ExtractOptions {
    /// Sets [`password`](Self::password).
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Sets [`max_seconds`](Self::max_seconds).
    #[must_use]
    pub fn max_seconds(mut self, seconds: u64) -> Self {
        self.max_seconds = seconds;
        self
    }

    /// Sets [`max_text_bytes`](Self::max_text_bytes).
    #[must_use]
    pub fn max_text_bytes(mut self, bytes: usize) -> Self {
        self.max_text_bytes = bytes;
        self
    }
}

/// The rest of a document's time and text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    ends: Instant,
    max_seconds: u64,
    max_text_bytes: usize,
}

impl Budget {
    pub(crate) fn new(options: &ExtractOptions) -> Self {
        let max_seconds = options.max_seconds.min(u64::from(u32::MAX));
        let ends = Instant::now() + Duration::from_secs(max_seconds);
        Self { ends, max_seconds, max_text_bytes: options.max_text_bytes }
    }

    pub(crate) fn is_spent(&self) -> bool {
        Instant::now() > self.ends
    }

    /// Refuses to go on when the time is spent.
    pub(crate) fn time(&self) -> Result<(), ExtractError> {
        match self.is_spent() {
            true => Err(ExtractError::OutOfTime { max_seconds: self.max_seconds }),
            false => Ok(()),
        }
    }

    /// Refuses a text of more bytes than allowed.
    pub(crate) fn text(&self, bytes: usize) -> Result<(), ExtractError> {
        match bytes > self.max_text_bytes {
            true => Err(ExtractError::TooMuchText { max_bytes: self.max_text_bytes }),
            false => Ok(()),
        }
    }

    /// Most bytes that a part of an archive may unpack to.
    #[cfg(feature = "packages")]
    pub(crate) fn part_bytes(&self) -> usize {
        self.max_text_bytes.saturating_mul(4)
    }
}

/// A document to read.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) options: &'a ExtractOptions,
    pub(crate) budget: Budget,
}

/// A format that can be read.
pub(crate) struct Reader {
    /// Endings of file names, in lower case.
    pub(crate) endings: &'static [&'static str],
    /// True for bytes that can be nothing else.
    pub(crate) is: fn(&[u8]) -> bool,
    /// The text of a document.
    pub(crate) read: fn(Input<'_>) -> Result<Extracted, ExtractError>,
}
