//! Names of kinds with a few values, as command lines and exports write them: metrics and
//! precisions.

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
pub(super) trait Named: Copy + 'static {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::metric::Metric;
    use crate::vector::precision::Precision;

    #[test]
    fn names_are_read_back_and_others_are_refused_with_those_there_are() {
        for metric in Metric::ALL {
            assert_eq!(metric.to_string().parse(), Ok(*metric));
        }
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse(), Ok(*precision));
        }
        let refused = "third".parse::<Precision>().unwrap_err();
        assert_eq!(refused.to_string(), "\"third\" is no precision; there are: full, half");
        assert!(
            "angle".parse::<Metric>().unwrap_err().to_string().contains("no metric; there are: cosine, ")
        );
    }
}
