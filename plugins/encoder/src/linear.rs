use postil_checkpoint::{CheckpointError, Weights};

use postil_kernel::{Finish, Kernel, PANEL, Panels, Rows, panels_of};

/// A linear layer: `outputs = weight * inputs + bias`.
pub struct Linear {
    weight: Panels,
    /// Rounded up to whole panels.
    bias: Vec<f32>,
    outputs: usize,
    inputs: usize,
}

impl Linear {
    /// Takes `weight`, `[outputs, inputs]` row-major, and `bias`, `[outputs]`. Panics when they disagree.
    pub fn new(weight: &[f32], mut bias: Vec<f32>, inputs: usize) -> Self {
        let outputs = bias.len();
        bias.resize(panels_of(outputs) * PANEL, 0.0);
        Self { weight: Panels::from_linear(weight, outputs, inputs), bias, outputs, inputs }
    }

    /// `{name}.weight`, `[outputs, inputs]`, and `{name}.bias`, `[outputs]`.
    ///
    /// # Errors
    /// As [`Weights::values`].
    pub fn load(
        weights: &Weights,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, CheckpointError> {
        Self::stacked(weights, &[name.to_owned()], outputs, inputs)
    }

    /// Several layers of the same inputs as one: their outputs side by side.
    pub(crate) fn stacked(
        weights: &Weights,
        names: &[String],
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, CheckpointError> {
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            weight.extend(weights.values(&format!("{name}.weight"), &[outputs, inputs])?);
            bias.extend(weights.values(&format!("{name}.bias"), &[outputs])?);
        }
        Ok(Self::new(&weight, bias, inputs))
    }

    /// Values in a row of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// `input`: `[rows, inputs]`. Returns `[rows, outputs]`.
    pub fn apply(&self, input: &[f32]) -> Vec<f32> {
        self.applied(input, false)
    }

    /// [`Linear::apply`], then GELU in its exact (erf) form.
    pub fn apply_gelu(&self, input: &[f32]) -> Vec<f32> {
        self.applied(input, true)
    }

    fn applied(&self, input: &[f32], gelu: bool) -> Vec<f32> {
        let mut output = vec![0.0; input.len() / self.inputs * self.outputs];
        self.run(Kernel::detect(), input, gelu, &mut output);
        output
    }

    /// `input`: `[rows, inputs]`. Writes `[rows, outputs]`, through GELU if asked.
    pub(crate) fn run(&self, kernel: Kernel, input: &[f32], gelu: bool, output: &mut [f32]) {
        let rows = Rows { values: input, stride: self.inputs, rows: input.len() / self.inputs };
        let finish = Finish { bias: &self.bias, gelu };
        kernel.product(rows, self.weight.all(), finish, output, self.outputs);
    }
}

/// log of the sum of exponentials of a row of logits, to 1e-5; the row is used up. NaN if any of it is.
pub fn log_total(logits: &mut [f32]) -> f32 {
    // The kernel's exponential makes a number of anything. Without an exit from the loop, many are taken at a time.
    if logits.iter().fold(false, |found, v| found | v.is_nan()) {
        return f32::NAN;
    }
    let top = greatest(logits);
    Kernel::detect().softmax(logits, 1.0);
    // The greatest share is at least 1 / length, so its logarithm is exact to rounding.
    top - greatest(logits).ln()
}

fn greatest(row: &[f32]) -> f32 {
    let greater = |a: f32, b: f32| if b > a { b } else { a };
    let (chunks, rest) = row.as_chunks::<PANEL>();
    let mut lanes = [f32::NEG_INFINITY; PANEL];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = greater(*lane, *value);
        }
    }
    lanes.into_iter().chain(rest.iter().copied()).fold(f32::NEG_INFINITY, greater)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_total_is_that_of_plain_arithmetic() {
        for length in [1usize, 7, 16, 33, 4096] {
            let mut row: Vec<f32> = (0..length).map(|i| ((i * 37) % 101) as f32 / 9.0 - 3.0).collect();
            row[length / 2] = -1e4;
            let top = row.iter().fold(f64::NEG_INFINITY, |top, v| top.max(f64::from(*v)));
            let expected = top + row.iter().map(|v| (f64::from(*v) - top).exp()).sum::<f64>().ln();
            let got = f64::from(log_total(&mut row));
            assert!((got - expected).abs() < 1e-5 * expected.abs().max(1.0), "{length}: {got} {expected}");
        }
        assert!(log_total(&mut [0.0, f32::NAN, 1.0]).is_nan());
    }
}
