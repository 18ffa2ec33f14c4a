use postil_contract::{Decoding, GenerateError};

use super::walk::{Watch, walk};
use super::{Constraints, Hypothesis};
use crate::Mode;

/// Options for drawing tokens from the mixture. The filters apply in the order of the fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Divisor of the log-probabilities, above 0. 1 draws from the model itself.
    pub temperature: f64,
    /// Number of most probable tokens to keep; 0 keeps all.
    pub top_k: usize,
    /// Probability mass to keep, in (0, 1], most probable tokens first; 1 keeps all.
    pub top_p: f64,
    /// Least probability of a token relative to the most probable one, in [0, 1]; 0 keeps all.
    pub min_p: f64,
    /// Seed: equal seeds draw equal answers, on every machine and in every version.
    pub seed: u64,
}

impl Sampling {
    /// Options that draw from the model itself. This is exact for RAG-Sequence too, since by the
    /// chain rule the mixture at each step is p(y_i|x,y_<i).
    pub fn new(seed: u64) -> Self {
        Self { temperature: 1.0, top_k: 0, top_p: 1.0, min_p: 0.0, seed }
    }

    pub(crate) fn check(&self) -> Result<(), GenerateError> {
        for (is_good, what, got, expected) in [
            (
                self.temperature > 0.0 && self.temperature.is_finite(),
                "temperature",
                self.temperature,
                "above 0",
            ),
            (self.top_p > 0.0 && self.top_p <= 1.0, "top-p", self.top_p, "above 0 and at most 1"),
            ((0.0..=1.0).contains(&self.min_p), "min-p", self.min_p, "between 0 and 1"),
        ] {
            if !is_good {
                return Err(GenerateError::Value { what, got, expected });
            }
        }
        Ok(())
    }

    /// The tokens kept, most probable first, with weights that need not sum to 1.
    fn kept(&self, log_probs: &[f64]) -> Vec<(usize, f64)> {
        let top = log_probs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weight = |p: f64| ((p - top) / self.temperature).exp();
        let mut kept: Vec<(usize, f64)> = log_probs
            .iter()
            .enumerate()
            .filter(|(_, p)| **p > f64::NEG_INFINITY)
            .map(|(v, p)| (v, weight(*p)))
            .collect();
        kept.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        if self.top_k > 0 {
            kept.truncate(self.top_k);
        }
        if self.top_p < 1.0 {
            let total: f64 = kept.iter().map(|(_, w)| w).sum();
            let mut held = 0.0;
            let enough = kept.iter().position(|(_, w)| {
                held += w;
                held >= self.top_p * total
            });
            kept.truncate(enough.map_or(kept.len(), |last| last + 1));
        }
        kept.retain(|(_, w)| *w >= self.min_p); // the most probable has weight 1
        kept
    }
}

/// Draws each token from the mixture. Consumes the decoding's rows. `undecoded` is as in
/// [`greedy`](super::greedy).
///
/// # Errors
/// [`GenerateError::Value`] for an option out of its range, or when the longest answer has no
/// token; [`GenerateError::Shape`] when there is not one prior per passage; the decoding's errors.
pub fn sample(
    decoding: &mut dyn Decoding,
    mode: Mode,
    log_prior: &[f64],
    constraints: &Constraints,
    sampling: &Sampling,
    undecoded: f64,
    watch: Watch<'_>,
) -> Result<Hypothesis, GenerateError> {
    sampling.check()?;
    let mut dice = SplitMix(sampling.seed);
    walk(decoding, mode, log_prior, constraints, undecoded, watch, |mixed| {
        let kept = sampling.kept(mixed);
        let mut left = dice.unit() * kept.iter().map(|(_, w)| w).sum::<f64>();
        let drawn = kept.iter().find(|(_, w)| {
            left -= w;
            left < 0.0
        });
        drawn.or(kept.last()).map_or(0, |(v, _)| *v)
    })
}

/// SplitMix64 (Steele et al. 2014): small, and equal on every machine.
struct SplitMix(u64);

impl SplitMix {
    /// A uniform number in [0, 1).
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(sampling: &Sampling) -> Vec<usize> {
        let log_probs = [0.1f64, 0.5, 0.0, 0.3, 0.1].map(f64::ln);
        sampling.kept(&log_probs).into_iter().map(|(v, _)| v).collect()
    }

    #[test]
    fn filters_keep_what_they_say_and_never_nothing() {
        let all = Sampling::new(1);
        assert_eq!(kept(&all), [1, 3, 0, 4]);
        assert_eq!(kept(&Sampling { top_k: 2, ..all.clone() }), [1, 3]);
        assert_eq!(kept(&Sampling { top_p: 0.75, ..all.clone() }), [1, 3]);
        assert_eq!(kept(&Sampling { top_p: 1e-9, ..all.clone() }), [1]);
        assert_eq!(kept(&Sampling { min_p: 0.3, ..all.clone() }), [1, 3]);
        assert_eq!(kept(&Sampling { min_p: 1.0, ..all }), [1]);
    }
}
