use super::{log_softmax, log_sum_exp};

const NOTHING: f64 = f64::NEG_INFINITY;
/// Upper bound on the error of a logarithm of a sum.
const ROUNDING: f64 = 1e-9;

/// The two models of Lewis et al. 2020, section 2.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// RAG-Sequence: one passage explains the whole answer, p(y|x) = sum_z p(z|x) prod_i
    /// p(y_i|x,z,y_<i).
    #[default]
    Sequence,
    /// RAG-Token: every token has a passage of its own, p(y|x) = prod_i sum_z p(z|x)
    /// p(y_i|x,z,y_<i).
    Token,
}

/// A text that is not a [`Mode`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no mode; there are: sequence, token")]
pub struct ModeError {
    given: String,
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Sequence => "sequence",
            Self::Token => "token",
        })
    }
}

impl std::str::FromStr for Mode {
    type Err = ModeError;

    fn from_str(text: &str) -> Result<Self, ModeError> {
        let named = [Self::Sequence, Self::Token].into_iter().find(|mode| mode.to_string() == text);
        named.ok_or_else(|| ModeError { given: text.to_owned() })
    }
}

/// The probabilities of one token.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// log p(y_i|x,y_<i), the passage marginalized out.
    pub log_prob: f64,
    /// Posterior of each passage, `[passages]`, sums to 1. RAG-Sequence: p(z|x,y_1..i), filtered.
    /// RAG-Token: the responsibility p(z_i|x,y_1..i), from the prior and this token alone.
    pub posterior: Vec<f64>,
}

/// The distribution of the next token with the passage marginalized out.
///
/// Under RAG-Token the weight of a passage that abstains at a step goes to the others, in
/// proportion to theirs. Under RAG-Sequence such a passage has no weight left: its accumulator is
/// -inf.
#[derive(Clone, Debug)]
pub struct Mixture {
    mode: Mode,
    log_prior: Vec<f64>,
    accumulator: Vec<f64>,
}

impl Mixture {
    /// Starts before the first token. `log_prior`: `[passages]`, natural log, normalized.
    pub fn new(mode: Mode, log_prior: &[f64]) -> Self {
        Self { mode, log_prior: log_prior.to_vec(), accumulator: log_prior.to_vec() }
    }

    /// k, the number of passages.
    pub fn passages(&self) -> usize {
        self.log_prior.len()
    }

    /// log p(z|x,y_<i), `[passages]`, normalized: the weights that mix the next token. Equal to the
    /// prior when no passage can have said the tokens so far.
    pub fn log_weights(&self) -> Vec<f64> {
        log_softmax(&self.accumulator).unwrap_or_else(|| self.log_prior.clone())
    }

    /// Writes log p(y_i = v|x,y_<i) for every v of the vocabulary into `out`.
    ///
    /// `lines`: `[passages, out.len()]`, row-major, each normalized or wholly -inf. Panics when the
    /// lengths disagree.
    pub fn next_token<T: Copy + Into<f64>>(&self, lines: &[T], out: &mut [f64]) {
        assert_eq!(lines.len(), self.passages() * out.len(), "lines must be [passages, vocabulary]");
        out.fill(NOTHING);
        let heard = self.heard(lines, out.len());
        match heard[..] {
            // A log-sum-exp of one term needs no exponential.
            [(line, weight)] => out.iter_mut().zip(line).for_each(|(out, v)| *out = weight + (*v).into()),
            [] => {}
            _ => out.iter_mut().enumerate().for_each(|(v, out)| *out = mixed(&heard, v)),
        }
    }

    /// The tokens whose log p(y_i = v|x,y_<i) is among the `most` highest of those that `allow`
    /// keeps, each with that value; the result may contain others too. `allow` gets lower bounds,
    /// `[vocabulary]`, and sets forbidden tokens to -inf.
    ///
    /// A mixture is at least its greatest term and at most k times that term, so only few tokens
    /// need the full sum.
    pub(crate) fn likeliest<T: Copy + Into<f64>>(
        &self,
        lines: &[T],
        most: usize,
        allow: impl FnOnce(&mut [f64]),
    ) -> Vec<(usize, f64)> {
        let vocabulary = lines.len() / self.passages();
        let heard = self.heard(lines, vocabulary);
        let mut least = vec![NOTHING; vocabulary];
        for (line, weight) in &heard {
            least.iter_mut().zip(*line).for_each(|(least, v)| *least = least.max(weight + (*v).into()));
        }
        allow(&mut least);
        let room = (heard.len() as f64).ln() + ROUNDING;
        let bar = nth_highest(&least, most) - room;
        let may_be = |(_, least): &(usize, &f64)| **least >= bar && **least > NOTHING;
        let found = least.iter().enumerate().filter(may_be);
        found.map(|(v, _)| (v, mixed(&heard, v))).collect()
    }

    /// The lines that take part in the next token, each with its log-weight.
    fn heard<'l, T: Copy + Into<f64>>(&self, lines: &'l [T], vocabulary: usize) -> Vec<(&'l [T], f64)> {
        if vocabulary == 0 {
            return Vec::new();
        }
        let speaks = |line: &[T]| line.iter().any(|v| (*v).into() > NOTHING);
        let speaking: Vec<bool> = lines.chunks_exact(vocabulary).map(speaks).collect();
        let weighted = lines.chunks_exact(vocabulary).zip(self.step_weights(&speaking));
        weighted.filter(|(_, weight)| *weight > NOTHING).collect()
    }

    /// Records the chosen token: `log_probs`, `[passages]`, is its log p(y_i|x,z,y_<i), `None`
    /// where the passage abstains. Panics when the length is not k.
    pub fn observe<T: Copy + Into<f64>>(&mut self, log_probs: &[Option<T>]) -> Step {
        assert_eq!(log_probs.len(), self.passages(), "one log-probability per passage");
        let speaking: Vec<bool> = log_probs.iter().map(Option::is_some).collect();
        let weights = self.step_weights(&speaking);
        let likelihood = |v: &Option<T>| v.map_or(NOTHING, Into::into);
        let joint: Vec<f64> = weights.iter().zip(log_probs).map(|(w, v)| w + likelihood(v)).collect();
        if self.mode == Mode::Sequence {
            self.accumulator.iter_mut().zip(log_probs).for_each(|(a, v)| *a += likelihood(v));
        }
        let posterior = log_softmax(&joint).unwrap_or_else(|| self.log_prior.clone());
        Step {
            log_prob: log_sum_exp(joint.iter().copied()),
            posterior: posterior.into_iter().map(f64::exp).collect(),
        }
    }

    /// The log-weights of this step, given the passages that do not abstain.
    pub(super) fn step_weights(&self, speaking: &[bool]) -> Vec<f64> {
        let mut weights = self.log_weights();
        if self.mode == Mode::Token && speaking.contains(&false) {
            weights.iter_mut().zip(speaking).filter(|(_, speaks)| !**speaks).for_each(|(w, _)| *w = NOTHING);
            weights = log_softmax(&weights).unwrap_or(weights);
        }
        weights
    }
}

/// Log of the sum over the lines of weight times p(v).
fn mixed<T: Copy + Into<f64>>(heard: &[(&[T], f64)], v: usize) -> f64 {
    log_sum_exp(heard.iter().map(|(line, weight)| weight + line[v].into()))
}

/// The n-th highest of the values, n from 1; -inf when there are fewer.
fn nth_highest(values: &[f64], n: usize) -> f64 {
    if n == 0 || n > values.len() {
        return NOTHING;
    }
    // Kept sorted, the highest last. After the first few values, hardly any is inserted.
    let mut highest = vec![NOTHING; n];
    for value in values {
        if *value > highest[0] {
            let below = highest.partition_point(|kept| kept < value);
            highest.copy_within(1..below, 0);
            highest[below - 1] = *value;
        }
    }
    highest[0]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_likeliest_tokens_are_those_of_the_whole_distribution(
            lines in prop::collection::vec(prop::collection::vec(-20.0_f32..0.0, 30), 1..5),
            silent in 0..8_usize,
            barred in 0..30_usize,
            most in 1..12_usize,
        ) {
            let mut lines = lines;
            if let Some(line) = lines.get_mut(silent) {
                line.fill(f32::NEG_INFINITY);
            }
            let log_prior: Vec<f64> = (0..lines.len()).map(|z| -(z as f64)).collect();
            let mixture = Mixture::new(Mode::Token, &log_softmax(&log_prior).unwrap());
            let lines = lines.concat();
            let mut whole = vec![0.0; 30];
            mixture.next_token(&lines, &mut whole);
            whole[barred] = NOTHING;
            let found = mixture.likeliest(&lines, most, |bounds| bounds[barred] = NOTHING);
            for (v, log_prob) in &found {
                prop_assert_eq!(*log_prob, whole[*v]);
            }
            let mut sorted: Vec<usize> = (0..30).filter(|v| whole[*v] > NOTHING).collect();
            sorted.sort_by(|a, b| whole[*b].total_cmp(&whole[*a]));
            for v in sorted.iter().take(most) {
                prop_assert!(found.iter().any(|(found, _)| found == v));
            }
        }
    }
}
