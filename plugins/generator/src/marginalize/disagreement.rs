use super::Mixture;

/// The entropy of a next-token mixture in nats, split by its cause: H(mixture) = unsure + disagree.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Disagreement {
    /// Mean entropy of the passages' own distributions: every passage is unsure.
    pub unsure: f64,
    /// Jensen-Shannon divergence, the mutual information of token and passage: passages disagree.
    pub disagree: f64,
}

/// Splits the uncertainty about the next token. `lines` as for [`Mixture::next_token`], with a
/// vocabulary of `lines.len() / k`.
pub fn disagreement<T: Copy + Into<f64>>(mixture: &Mixture, lines: &[T]) -> Disagreement {
    let vocabulary = lines.len() / mixture.passages().max(1);
    let mut mixed = vec![0.0; vocabulary];
    mixture.next_token(lines, &mut mixed);
    let own: Vec<f64> =
        lines.chunks_exact(vocabulary.max(1)).map(|line| entropy(line.iter().map(|v| (*v).into()))).collect();
    let speaking: Vec<bool> = lines
        .chunks_exact(vocabulary.max(1))
        .map(|line| line.iter().any(|v| (*v).into() > f64::NEG_INFINITY))
        .collect();
    let weights = mixture.step_weights(&speaking);
    let unsure = weights.iter().zip(own).map(|(w, h)| w.exp() * h).sum();
    Disagreement { unsure, disagree: (entropy(mixed.iter().copied()) - unsure).max(0.0) }
}

/// Entropy -sum p log p of natural-log probabilities, with 0 log 0 = 0.
fn entropy(log_probs: impl Iterator<Item = f64>) -> f64 {
    -log_probs.filter(|l| *l > f64::NEG_INFINITY).map(|l| l.exp() * l).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mode;

    fn split(lines: [[f64; 2]; 2]) -> Disagreement {
        let mixture = Mixture::new(Mode::Token, &[0.5f64.ln(); 2]);
        disagreement(&mixture, &lines.as_flattened().iter().map(|p| p.ln()).collect::<Vec<_>>())
    }

    #[test]
    fn certain_passages_that_differ_disagree_and_equal_unsure_ones_do_not() {
        let ln2 = 2f64.ln();
        let (apart, alike) = (split([[1.0, 0.0], [0.0, 1.0]]), split([[0.5, 0.5], [0.5, 0.5]]));
        assert!((apart.disagree - ln2).abs() < 1e-12 && apart.unsure.abs() < 1e-12, "{apart:?}");
        assert!((alike.unsure - ln2).abs() < 1e-12 && alike.disagree.abs() < 1e-12, "{alike:?}");
    }
}
