use super::{log_softmax, log_sum_exp};

const NOTHING: f64 = f64::NEG_INFINITY;

/// Which of the two models of Lewis et al. 2020, section 2.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// One passage explains the whole answer: p(y|x) = sum_z p(z|x) prod_i p(y_i|x,z,y_<i).
    #[default]
    Sequence,
    /// Every token has a passage of its own: p(y|x) = prod_i sum_z p(z|x) p(y_i|x,z,y_<i).
    Token,
}

/// What one token said.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// log p(y_i|x,y_<i), the passage marginalized out.
    pub log_prob: f64,
    /// `[passages]`, sums to 1. RAG-Sequence: p(z|x,y_1..i), filtered. RAG-Token: the responsibility
    /// p(z_i|x,y_1..i), from the prior and this token alone.
    pub posterior: Vec<f64>,
}

/// The distribution of the next token with the passage marginalized out.
///
/// Under RAG-Token a passage that abstains at a step lends its weight to the others, in proportion to
/// theirs. Under RAG-Sequence it has no weight left to lend: its accumulator is -inf.
#[derive(Clone, Debug)]
pub struct Mixture {
    mode: Mode,
    log_prior: Vec<f64>,
    accumulator: Vec<f64>,
}

impl Mixture {
    /// Stands before the first token. `log_prior`: `[passages]`, natural log, normalized.
    pub fn new(mode: Mode, log_prior: &[f64]) -> Self {
        Self { mode, log_prior: log_prior.to_vec(), accumulator: log_prior.to_vec() }
    }

    /// k, the number of passages.
    pub fn passages(&self) -> usize {
        self.log_prior.len()
    }

    /// log p(z|x,y_<i), `[passages]`, normalized: the weights the next token is mixed with. The prior
    /// again when no passage can have said the tokens so far.
    pub fn log_weights(&self) -> Vec<f64> {
        log_softmax(&self.accumulator).unwrap_or_else(|| self.log_prior.clone())
    }

    /// log p(y_i = v|x,y_<i) for every v of the vocabulary, into `out`.
    ///
    /// `lines`: `[passages, out.len()]`, row-major, each normalized or wholly -inf. Panics when the
    /// lengths disagree.
    pub fn next_token<T: Copy + Into<f64>>(&self, lines: &[T], out: &mut [f64]) {
        assert_eq!(lines.len(), self.passages() * out.len(), "lines must be [passages, vocabulary]");
        out.fill(NOTHING);
        if out.is_empty() {
            return;
        }
        let speaks = |line: &[T]| line.iter().any(|v| (*v).into() > NOTHING);
        let speaking: Vec<bool> = lines.chunks_exact(out.len()).map(speaks).collect();
        let weights = self.step_weights(&speaking);
        let vocabulary = out.len();
        let said = |v: usize| {
            let heard = lines.chunks_exact(vocabulary).zip(&weights).filter(|(_, weight)| **weight > NOTHING);
            heard.map(move |(line, weight)| weight + line[v].into())
        };
        let mut heard = lines.chunks_exact(vocabulary).zip(&weights).filter(|(_, w)| **w > NOTHING);
        if let (Some((line, weight)), None) = (heard.next(), heard.next()) {
            // What a log-sum-exp of one term is.
            out.iter_mut().zip(line).for_each(|(out, v)| *out = weight + (*v).into());
            return;
        }
        out.iter_mut().enumerate().for_each(|(v, out)| *out = log_sum_exp(said(v)));
    }

    /// Takes the token that was chosen: `log_probs`, `[passages]`, is log p(y_i|x,z,y_<i) of it, `None`
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

    /// The weights of this step, given who speaks.
    pub(super) fn step_weights(&self, speaking: &[bool]) -> Vec<f64> {
        let mut weights = self.log_weights();
        if self.mode == Mode::Token && speaking.contains(&false) {
            weights.iter_mut().zip(speaking).filter(|(_, speaks)| !**speaks).for_each(|(w, _)| *w = NOTHING);
            weights = log_softmax(&weights).unwrap_or(weights);
        }
        weights
    }
}
