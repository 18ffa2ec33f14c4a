//! The losses of retrieval: in-batch contrast, and the marginal of RAG (Lewis et al. 2020, section
//! 2), whose gradient with respect to the prior's logits is prior - posterior.

use candle_core::{D, Result, Tensor};

use crate::ops;

/// In-batch softmax: each query, `[queries, width]`, belongs to the passage of its own number; all
/// other `passages`, `[at least queries, width]`, are its negatives. Mean of -log softmax(scale *
/// products).
///
/// # Errors
/// candle's.
pub fn contrastive(queries: &Tensor, passages: &Tensor, scale: f64) -> Result<Tensor> {
    let scores = (queries.matmul(&passages.t()?)? * scale)?;
    let own: Vec<u32> = (0..queries.dim(0)? as u32).collect();
    ops::cross_entropy(&scores, &own)
}

/// -log sum_z p(z|x) p(y|x,z), RAG-Sequence, a scalar. `prior_logits`: `[passages]`, the scaled
/// products of the question's vector with the passages'; `log_likelihoods`: `[passages]`, log
/// p(y|x,z) of the whole answer.
///
/// # Errors
/// candle's.
pub fn rag_sequence(prior_logits: &Tensor, log_likelihoods: &Tensor) -> Result<Tensor> {
    log_sum_exp(&(log_softmax(prior_logits)? + log_likelihoods)?)?.neg()
}

/// -sum_i log sum_z p(z|x) p(y_i|x,z,y_<i), RAG-Token, a scalar. `token_log_likelihoods`:
/// `[passages, tokens]`.
///
/// # Errors
/// candle's.
pub fn rag_token(prior_logits: &Tensor, token_log_likelihoods: &Tensor) -> Result<Tensor> {
    let prior = log_softmax(prior_logits)?.unsqueeze(1)?;
    log_sum_exp(&token_log_likelihoods.broadcast_add(&prior)?.t()?)?.sum_all()?.neg()
}

/// Log of the sum of exponentials over the last dimension. The largest value is subtracted as a
/// constant, so that its own gradient does not pass through it.
pub(crate) fn log_sum_exp(x: &Tensor) -> Result<Tensor> {
    let most = x.max_keepdim(D::Minus1)?.detach();
    let sum = x.broadcast_sub(&most)?.exp()?.sum(D::Minus1)?;
    sum.log()? + most.squeeze(D::Minus1)?
}

/// Logarithm of the softmax over the last dimension.
pub(crate) fn log_softmax(x: &Tensor) -> Result<Tensor> {
    x.broadcast_sub(&log_sum_exp(x)?.unsqueeze(D::Minus1)?)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};
    use proptest::prelude::*;

    use super::*;

    fn softmax(logits: &[f64]) -> Vec<f64> {
        let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logits.iter().map(|logit| (logit - most).exp()).sum();
        logits.iter().map(|logit| (logit - most).exp() / sum).collect()
    }

    proptest! {
        #[test]
        fn the_gradient_of_the_prior_logits_is_prior_minus_posterior(
            rows in prop::collection::vec((-8f32..8.0, prop::collection::vec(-12f32..0.0, 5)), 1..8)
        ) {
            let (logits, tokens): (Vec<f32>, Vec<Vec<f32>>) = rows.into_iter().unzip();
            let of = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<_>>();
            let prior = softmax(&of(&logits));
            let posterior = |likelihoods: &[f32]| {
                let joint: Vec<f64> =
                    prior.iter().zip(likelihoods).map(|(prior, l)| prior.ln() + f64::from(*l)).collect();
                softmax(&joint)
            };
            let var = Var::new(logits.as_slice(), &Device::Cpu).unwrap();
            let gradient = |loss: &Tensor| {
                loss.backward().unwrap().get(&var).unwrap().to_vec1::<f32>().unwrap()
            };

            let whole: Vec<f32> = tokens.iter().map(|tokens| tokens.iter().sum()).collect();
            let whole_tensor = Tensor::new(whole.as_slice(), &Device::Cpu).unwrap();
            let found = gradient(&rag_sequence(&var, &whole_tensor).unwrap());
            for (found, (prior, posterior)) in found.iter().zip(prior.iter().zip(posterior(&whole))) {
                prop_assert!((f64::from(*found) - (prior - posterior)).abs() < 2e-5);
            }

            let token_tensor = Tensor::new(tokens.clone(), &Device::Cpu).unwrap();
            let found = gradient(&rag_token(&var, &token_tensor).unwrap());
            let mut expected = vec![0.0; prior.len()];
            for token in 0..5 {
                let column: Vec<f32> = tokens.iter().map(|tokens| tokens[token]).collect();
                for ((sum, prior), posterior) in expected.iter_mut().zip(&prior).zip(posterior(&column)) {
                    *sum += prior - posterior;
                }
            }
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert!((f64::from(*found) - expected).abs() < 1e-4);
            }
        }
    }
}
