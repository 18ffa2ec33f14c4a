use super::{Mixture, Mode, Step, leave_one_out_sequence, leave_one_out_step, log_softmax};

/// The probabilities of a whole answer with the passage marginalized out.
#[derive(Clone, Debug, PartialEq)]
pub struct Marginal {
    /// log p(y|x) of the answer.
    pub log_prob: f64,
    /// One step per token; their log-probabilities sum to `log_prob`.
    pub steps: Vec<Step>,
    /// log p(y|x,z), `[passages]`; -inf for a passage that cannot say all of y.
    pub log_likelihoods: Vec<f64>,
    /// Posterior of each passage, `[passages]`, sums to 1: softmax_z(log p(z|x) + log p(y|x,z)).
    ///
    /// Under RAG-Sequence that is p(z|x,y). RAG-Token has no single passage for the whole answer;
    /// the same formula then gives the single passage that would have said it, so that function
    /// words, on which responsibilities fall back to the prior, do not dilute the credit. When no
    /// passage alone can say all of it, this is the mean of the tokens' responsibilities.
    pub posterior: Vec<f64>,
    /// log p(y|all passages) - log p(y|all but z), `[passages]`; +inf when no other passage can say
    /// it.
    pub leave_one_out: Vec<f64>,
}

/// Scores an answer. `tokens` are its log p(y_i|x,z,y_<i), `[passages]` each, `None` where a
/// passage abstains. An empty answer has probability 1, and its posterior is the prior. Panics when
/// a token has not one entry per passage.
pub fn marginal<'a, T: Copy + Into<f64> + 'a>(
    mode: Mode,
    log_prior: &[f64],
    tokens: impl IntoIterator<Item = &'a [Option<T>]>,
) -> Marginal {
    let passages = log_prior.len();
    let mut mixture = Mixture::new(mode, log_prior);
    let (mut steps, mut log_likelihoods) = (Vec::new(), vec![0.0; passages]);
    let mut leave_one_out = vec![0.0; passages];
    for token in tokens {
        if mode == Mode::Token {
            let speaking: Vec<bool> = token.iter().map(Option::is_some).collect();
            let weights = mixture.step_weights(&speaking);
            let likelihoods: Vec<f64> = token.iter().map(|v| or_nothing(*v)).collect();
            for (z, effect) in leave_one_out.iter_mut().enumerate() {
                *effect += leave_one_out_step(&weights, &likelihoods, z);
            }
        }
        log_likelihoods.iter_mut().zip(token).for_each(|(sum, v)| *sum += or_nothing(*v));
        steps.push(mixture.observe(token));
    }
    if mode == Mode::Sequence {
        leave_one_out =
            (0..passages).map(|z| leave_one_out_sequence(log_prior, &log_likelihoods, z)).collect();
    }
    let joint: Vec<f64> = log_prior.iter().zip(&log_likelihoods).map(|(p, l)| p + l).collect();
    let posterior = match log_softmax(&joint) {
        Some(posterior) => posterior.into_iter().map(f64::exp).collect(),
        None => mean_responsibility(&steps, passages),
    };
    Marginal {
        log_prob: steps.iter().map(|s| s.log_prob).sum(),
        steps,
        log_likelihoods,
        posterior,
        leave_one_out,
    }
}

fn or_nothing<T: Into<f64>>(value: Option<T>) -> f64 {
    value.map_or(f64::NEG_INFINITY, Into::into)
}

fn mean_responsibility(steps: &[Step], passages: usize) -> Vec<f64> {
    let share = |z| steps.iter().map(|s| s.posterior[z]).sum::<f64>() / steps.len() as f64;
    (0..passages).map(share).collect()
}
