use postil_contract::{AnswerScores, Decoding, GenerateError};

use super::{Hypothesis, check_prior};
use crate::{Mixture, Mode};

/// Takes the most probable token of the mixture at each step, the lowest id among equals, until an end
/// token or `max_tokens`. Uses up the decoding's rows.
///
/// # Errors
/// [`GenerateError::Value`] when `max_tokens` is 0; [`GenerateError::Shape`] when there is not one prior
/// per passage; what the decoding says.
pub fn greedy(
    decoding: &mut dyn Decoding,
    mode: Mode,
    log_prior: &[f64],
    max_tokens: usize,
) -> Result<Hypothesis, GenerateError> {
    check_prior(decoding.passages(), log_prior)?;
    if max_tokens == 0 {
        return Err(GenerateError::Value {
            what: "longest answer in tokens",
            got: 0.0,
            expected: "at least 1",
        });
    }
    let mut mixture = Mixture::new(mode, log_prior);
    let mut mixed = vec![0.0; decoding.vocabulary()];
    let (mut tokens, mut values) = (Vec::new(), Vec::new());
    let finished = loop {
        let log_probs = decoding.log_probs()?;
        let lines = log_probs.row(0);
        mixture.next_token(lines, &mut mixed);
        let best = mixed.iter().enumerate().fold(0, |best, (v, p)| if *p > mixed[best] { v } else { best });
        let token = u32::try_from(best).expect("token ids are u32");
        let chosen: Vec<Option<f32>> = lines
            .chunks_exact(mixed.len())
            .map(|line| line.iter().any(|v| *v > f32::NEG_INFINITY).then(|| line[best]))
            .collect();
        mixture.observe(&chosen);
        values.extend(chosen);
        tokens.push(token);
        if decoding.is_end(token) || tokens.len() == max_tokens {
            break decoding.is_end(token);
        }
        decoding.advance(&[0], &[token])?;
    };
    let scores = AnswerScores::new(decoding.passages(), values)?;
    Hypothesis::new(tokens, finished, scores, mode, log_prior)
}
