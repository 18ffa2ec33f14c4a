use std::fmt;
use std::str::FromStr;

use crate::{BeamOptions, Sampling};

/// Number of beams in the default search.
pub const DEFAULT_BEAMS: usize = 4;

/// The search for an answer under the mixture of the passages, by a generator that writes freely. A
/// generator with finitely many answers, such as `quote`, always scores them all.
///
/// With a generator whose vocabulary is not fixed, an answer found under one passage cannot be
/// scored under the others: `Beam` then replaces the last three. A search displays as its name with
/// its number of beams, and parses as [`BeamOptions::quick`].
#[derive(Clone, Debug, PartialEq)]
pub enum Decode {
    /// The most probable token at each step; streams.
    Greedy,
    /// Tokens drawn from the mixture, equal for equal seeds; streams.
    Sample(Sampling),
    /// Joint beam search over the mixture.
    Beam(BeamOptions),
    /// Beams under each passage alone, each answer scored under all passages (the paper's thorough
    /// decoding).
    Thorough(BeamOptions),
    /// As `Thorough`, but a passage whose own beams lack a candidate gives it probability 0 (the
    /// paper's fast decoding).
    Fast(BeamOptions),
    /// The candidates of `Beam` and `Thorough`, scored exactly.
    Union(BeamOptions),
}

/// A text that is not a [`Decode`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given:?} is none of greedy, beam=4, thorough=4, fast=4, union=4 (the number may be left out), \
     sample=SEED or sample=SEED,temperature=0.8,top_k=40,top_p=0.9,min_p=0.05"
)]
pub struct DecodeError {
    given: String,
}

impl Default for Decode {
    fn default() -> Self {
        Self::Union(BeamOptions::quick(DEFAULT_BEAMS))
    }
}

impl Decode {
    /// True when tokens are chosen one by one, so that they can be streamed and the search
    /// interrupted.
    pub fn streams(&self) -> bool {
        matches!(self, Self::Greedy | Self::Sample(_))
    }
}

impl FromStr for Decode {
    type Err = DecodeError;

    /// Parses the form that [`Decode`] displays; a missing number is the default, a missing seed
    /// is 0.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let beams = || {
            let beams = value.map_or(Some(DEFAULT_BEAMS), |value| value.parse().ok().filter(|n| *n > 0));
            beams.map(BeamOptions::quick)
        };
        let parsed = match name {
            "greedy" if value.is_none() => Some(Self::Greedy),
            "sample" => sampling(value.unwrap_or("0")).map(Self::Sample),
            "beam" => beams().map(Self::Beam),
            "thorough" => beams().map(Self::Thorough),
            "fast" => beams().map(Self::Fast),
            "union" => beams().map(Self::Union),
            _ => None,
        };
        parsed.ok_or_else(|| DecodeError { given: text.to_owned() })
    }
}

/// Parses `SEED` and any of the sampling options by name.
fn sampling(text: &str) -> Option<Sampling> {
    let mut parts = text.split(',');
    let mut sampling = Sampling::new(parts.next()?.parse().ok()?);
    for part in parts {
        match part.split_once('=')? {
            ("temperature", value) => sampling.temperature = value.parse().ok()?,
            ("top_k", value) => sampling.top_k = value.parse().ok()?,
            ("top_p", value) => sampling.top_p = value.parse().ok()?,
            ("min_p", value) => sampling.min_p = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(sampling)
}

impl fmt::Display for Decode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greedy => f.write_str("greedy"),
            Self::Sample(Sampling { seed, temperature, top_k, top_p, min_p }) => {
                write!(f, "sample={seed},temperature={temperature},top_k={top_k},top_p={top_p},min_p={min_p}")
            }
            Self::Beam(BeamOptions { beams, .. }) => write!(f, "beam={beams}"),
            Self::Thorough(BeamOptions { beams, .. }) => write!(f, "thorough={beams}"),
            Self::Fast(BeamOptions { beams, .. }) => write!(f, "fast={beams}"),
            Self::Union(BeamOptions { beams, .. }) => write!(f, "union={beams}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_displayed_is_read_again() {
        let controls = Sampling { temperature: 0.8, top_k: 40, top_p: 0.9, min_p: 0.05, ..Sampling::new(7) };
        for decode in [
            Decode::Greedy,
            Decode::Sample(Sampling::new(3)),
            Decode::Sample(controls),
            Decode::Beam(BeamOptions::quick(2)),
            Decode::Thorough(BeamOptions::quick(3)),
            Decode::Fast(BeamOptions::quick(5)),
            Decode::default(),
        ] {
            assert_eq!(decode.to_string().parse(), Ok(decode));
        }
    }

    #[test]
    fn numbers_may_be_left_out_and_nonsense_is_refused() {
        assert_eq!("beam".parse(), Ok(Decode::Beam(BeamOptions::quick(DEFAULT_BEAMS))));
        assert_eq!("sample".parse(), Ok(Decode::Sample(Sampling::new(0))));
        for nonsense in ["", "beam=", "beam=0", "greedy=1", "sample=x", "sample=1,top=2", "Greedy"] {
            assert!(nonsense.parse::<Decode>().is_err(), "{nonsense:?}");
        }
    }
}
