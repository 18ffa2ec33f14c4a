use super::{AnswerOptions, Basis, Evidence};
use crate::Hypothesis;
use crate::marginalize::{
    Disagreement, Mixture, Mode, disagreement, evidence_log_ratio, grounded_probability, log_sum_exp,
};

/// The evidence for `answer`, whose log p(y|x) is `log_prob`, against `null`, its tokens'
/// log-probabilities without a passage.
pub(super) fn evidence(
    basis: Basis,
    log_prob: f64,
    null: &[f64],
    disagreement: Disagreement,
    options: &AnswerOptions,
) -> Evidence {
    let null_log_probability = null.iter().sum();
    let log_ratio = evidence_log_ratio(log_prob, null_log_probability);
    let never_withheld = options.min_evidence == f64::NEG_INFINITY;
    let null_prior = 1.0 / (1.0 + (-options.min_evidence).exp());
    Evidence {
        basis,
        null_log_probability,
        log_ratio,
        log_ratio_per_token: log_ratio / null.len().max(1) as f64,
        grounded_probability: if never_withheld { 1.0 } else { grounded_probability(log_ratio, null_prior) },
        disagreement,
    }
}

/// The uncertainty about the answer over `considered` and, unless `are_all`, any other answer.
/// `log_prior`: `[passages]`; further passages of the hypotheses are ignored.
pub(super) fn about_answer(considered: &[&Hypothesis], are_all: bool, log_prior: &[f64]) -> Disagreement {
    let line = |z: usize| {
        let mut line: Vec<f64> = considered.iter().map(|h| h.marginal.log_likelihoods[z]).collect();
        if !are_all {
            let rest = 1.0 - log_sum_exp(line.iter().copied()).exp();
            line.push(rest.max(0.0).ln());
        }
        line
    };
    let lines: Vec<f64> = (0..log_prior.len()).flat_map(line).collect();
    disagreement(&Mixture::new(Mode::Sequence, log_prior), &lines)
}
