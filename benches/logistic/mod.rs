//! Logistic regression of a few factors, and the calibration of what it predicts.

use postil_contract::{ConfidenceFit, SIGNS, Signs};

/// An answer that was given, and its weight among the others.
#[derive(Clone, Copy)]
pub(crate) struct Given {
    pub(crate) signs: Signs,
    pub(crate) is_right: bool,
    pub(crate) weight: f64,
}

/// Number of factors, the offset included.
const FACTORS: usize = SIGNS + 1;
const STEPS: usize = 50;
/// Bins of the calibration error, as `postil eval` has them.
const BINS: usize = 10;

/// The maximum-likelihood regression for these answers (Newton's method), their weights scaled to a
/// mean of 1. A weak prior, equal to one more answer of each kind, keeps the factors small.
pub(crate) fn fitted(answers: &[Given]) -> ConfidenceFit {
    let mean = answers.iter().map(|given| given.weight).sum::<f64>() / answers.len().max(1) as f64;
    let mut factors = [0.0f64; FACTORS];
    for _ in 0..STEPS {
        let (mut gradient, mut curvature) = (factors.map(|factor| -factor), [[0.0; FACTORS]; FACTORS]);
        for (at, row) in curvature.iter_mut().enumerate() {
            row[at] = 1.0;
        }
        for Given { signs, is_right, weight } in answers {
            let [probability, read, abstention] = signs.log_odds();
            let x = [1.0, probability, read, abstention];
            let log_odds: f64 = x.iter().zip(factors).map(|(x, factor)| x * factor).sum();
            let right = 1.0 / (1.0 + (-log_odds).exp());
            let weight = weight / mean;
            for (i, row) in curvature.iter_mut().enumerate() {
                gradient[i] += weight * x[i] * (f64::from(*is_right) - right);
                let cells = row.iter_mut().zip(x);
                cells.for_each(|(cell, other)| *cell += weight * x[i] * other * right * (1.0 - right));
            }
        }
        let step = solved(curvature, gradient);
        factors.iter_mut().zip(step).for_each(|(factor, step)| *factor += step);
    }
    let [offset, probability, read_probability, abstention] = factors;
    ConfidenceFit { offset, probability, read_probability, abstention }
}

/// The solution x of a x = b, for a positive definite matrix a.
fn solved<const N: usize>(mut a: [[f64; N]; N], mut b: [f64; N]) -> [f64; N] {
    for at in 0..N {
        for below in at + 1..N {
            let factor = a[below][at] / a[at][at];
            let pivot = a[at];
            a[below].iter_mut().zip(pivot).for_each(|(cell, above)| *cell -= factor * above);
            b[below] -= factor * b[at];
        }
    }
    for at in (0..N).rev() {
        let known: f64 = (at + 1..N).map(|column| a[at][column] * b[column]).sum();
        b[at] = (b[at] - known) / a[at][at];
    }
    b
}

/// Mean negative log-likelihood in nats, by weight, of answers with their probabilities.
pub(crate) fn log_loss(answers: &[(Given, f64)]) -> f64 {
    let loss = |(given, p): &(Given, f64)| {
        let p = p.clamp(1e-6, 1.0 - 1e-6);
        -given.weight * if given.is_right { p.ln() } else { (1.0 - p).ln() }
    };
    let weights: f64 = answers.iter().map(|(given, _)| given.weight).sum();
    answers.iter().map(loss).sum::<f64>() / weights.max(f64::MIN_POSITIVE)
}

/// Expected calibration error of answers with their probabilities, weights left aside.
pub(crate) fn calibration_error(answers: &[(Given, f64)]) -> f64 {
    let mut off = [0.0f64; BINS];
    for (given, p) in answers {
        off[((p * BINS as f64) as usize).min(BINS - 1)] += p - f64::from(given.is_right);
    }
    off.iter().map(|off| off.abs()).sum::<f64>() / answers.len().max(1) as f64
}
