//! Names of metrics and precisions, as command lines and exports write them.

use super::metric::Metric;
use super::precision::Precision;
use std::fmt;
use std::str::FromStr;

/// The error for a text that is not a name of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{got:?} is no {kind}; there are: {known}")]
#[non_exhaustive]
pub struct NameError {
    /// The kind of name that was expected.
    pub kind: &'static str,
    /// The text that was given.
    pub got: String,
    /// All names of the kind.
    pub known: String,
}

/// A kind with a few values, each of which has a name.
trait Named: Copy + 'static {
    const KIND: &'static str;
    const ALL: &'static [Self];
    fn name(self) -> &'static str;

    fn find(text: &str) -> Result<Self, NameError> {
        Self::ALL.iter().copied().find(|named| named.name() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|named| named.name()).collect();
            NameError { kind: Self::KIND, got: text.to_owned(), known: known.join(", ") }
        })
    }
}

impl Named for Metric {
    const KIND: &'static str = "metric";
    const ALL: &'static [Self] = &[Self::Cosine, Self::Dot, Self::L2];

    fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Dot => "dot",
            Self::L2 => "l2",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Metric {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::find(text)
    }
}

impl Named for Precision {
    const KIND: &'static str = "precision";
    const ALL: &'static [Self] = &[Self::Full, Self::Half];

    fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Half => "half",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Precision {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::find(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_are_refused_with_those_there_are() {
        for metric in Metric::ALL {
            assert_eq!(metric.to_string().parse(), Ok(*metric));
        }
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse(), Ok(*precision));
        }
        let refused = "angle".parse::<Metric>().unwrap_err();
        assert_eq!(refused.to_string(), "\"angle\" is no metric; there are: cosine, dot, l2");
    }
}
