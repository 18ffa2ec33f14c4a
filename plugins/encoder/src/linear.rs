use std::ops::Range;
use std::sync::Arc;

use postil_checkpoint::{CheckpointError, Weights};

use postil_kernel::{Finish, Int16Panels, Int16Rows, Kernel, PANEL, Panels, Rows, panels_of};

/// The left-hand side of a layer's product.
#[derive(Default)]
pub(crate) struct Input {
    rows: usize,
    /// Values, `[rows, inputs]`, for f32 weights.
    values: Vec<f32>,
    /// The same values rounded to codes, for rounded weights.
    codes: Int16Rows,
}

/// A linear layer: `outputs = weight * inputs + bias`.
pub struct Linear {
    weight: Weight,
    /// Bias, padded to whole panels.
    bias: Vec<f32>,
    outputs: usize,
    inputs: usize,
}

enum Weight {
    Float(Panels),
    Int16(Int16Panels),
}

impl Linear {
    /// Takes `weight`, `[outputs, inputs]` row-major, and `bias`, `[outputs]`. Panics when they
    /// disagree.
    pub fn new(weight: &[f32], mut bias: Vec<f32>, inputs: usize) -> Self {
        let outputs = bias.len();
        bias.resize(panels_of(outputs) * PANEL, 0.0);
        let weight = Weight::Float(Panels::from_linear(weight, outputs, inputs));
        Self { weight, bias, outputs, inputs }
    }

    /// The same layer with its weight rounded to 16 bits, as its inputs will be: see
    /// `postil_kernel::Int16Panels` for the error of a product.
    #[must_use]
    pub fn rounded(self) -> Self {
        let weight = match self.weight {
            Weight::Float(weight) => Weight::Int16(Int16Panels::from_panels(&weight)),
            rounded @ Weight::Int16(_) => rounded,
        };
        Self { weight, ..self }
    }

    /// Loads `{name}.weight`, `[outputs, inputs]`, and `{name}.bias`, `[outputs]`.
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

    /// Combines several layers of the same inputs into one; their outputs lie side by side.
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

    /// Number of values in a row of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Applies the layer to `input`, `[rows, inputs]`. Returns `[rows, outputs]`.
    pub fn apply(&self, input: &[f32]) -> Vec<f32> {
        self.applied(input, false)
    }

    /// Output number `output`, below [`Linear::outputs`], for one row, `[inputs]`: bit for bit as
    /// in the result of [`Linear::apply`].
    pub fn apply_one(&self, input: &[f32], output: usize) -> f32 {
        let (kernel, panel) = (Kernel::detect(), output / PANEL);
        let input = self.take(kernel, input, &mut Arc::default());
        let mut outputs = Vec::new();
        self.run(kernel, &input, false, std::iter::once(panel..panel + 1), &mut outputs);
        outputs[output % PANEL]
    }

    /// Applies the layer as [`Linear::apply`] does, then GELU in its exact (erf) form.
    pub fn apply_gelu(&self, input: &[f32]) -> Vec<f32> {
        self.applied(input, true)
    }

    fn applied(&self, input: &[f32], gelu: bool) -> Vec<f32> {
        let kernel = Kernel::detect();
        let input = self.take(kernel, input, &mut Arc::default());
        let mut output = Vec::new();
        self.run(kernel, &input, gelu, std::iter::once(0..panels_of(self.outputs)), &mut output);
        output
    }

    /// Converts `values`, `[rows, inputs]`, to the input of [`Linear::run`]; reuses `space` unless
    /// another thread still holds it.
    pub(crate) fn take(&self, kernel: Kernel, values: &[f32], space: &mut Arc<Input>) -> Arc<Input> {
        if Arc::get_mut(space).is_none() {
            *space = Arc::default();
        }
        let input = Arc::get_mut(space).expect("it is new, or nobody else has it");
        input.rows = values.len() / self.inputs;
        match self.weight {
            Weight::Float(_) => {
                input.values.clear();
                input.values.extend_from_slice(values);
            }
            Weight::Int16(_) => {
                let rows = Rows { values, stride: self.inputs, rows: input.rows };
                kernel.round(rows, self.inputs, &mut input.codes);
            }
        }
        Arc::clone(space)
    }

    /// Writes to `output` the outputs of some `panels` of weights, side by side, through GELU if
    /// requested: `[rows, outputs of the panels]`. `input` comes from [`Linear::take`].
    pub(crate) fn run(
        &self,
        kernel: Kernel,
        input: &Input,
        gelu: bool,
        panels: impl IntoIterator<Item = Range<usize>> + Clone,
        output: &mut Vec<f32>,
    ) {
        let stride = panels.clone().into_iter().map(|panels| self.outputs_of(&panels)).sum();
        output.resize(input.rows * stride, 0.0);
        let mut at = 0;
        for panels in panels.into_iter().filter(|panels| !panels.is_empty()) {
            let finish = Finish { bias: &self.bias[panels.start * PANEL..panels.end * PANEL], gelu };
            // Without rows, there is no first row to start in.
            let output = output.get_mut(at..).unwrap_or_default();
            match &self.weight {
                Weight::Float(weight) => {
                    let rows = Rows { values: &input.values, stride: self.inputs, rows: input.rows };
                    kernel.product(rows, weight.part(panels.start, panels.len()), finish, output, stride);
                }
                Weight::Int16(weight) => {
                    let columns = weight.part(panels.start, panels.len());
                    kernel.int16_product(&input.codes, columns, finish, output, stride);
                }
            }
            at += self.outputs_of(&panels);
        }
    }

    fn outputs_of(&self, panels: &Range<usize>) -> usize {
        self.outputs.min(panels.end * PANEL) - self.outputs.min(panels.start * PANEL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_output_is_to_the_bit_that_of_all() {
        let (inputs, outputs) = (40, 37);
        let value = |i: usize| ((i * 37 % 101) as f32 - 50.0) / 17.0;
        let weight: Vec<f32> = (0..inputs * outputs).map(value).collect();
        let linear = || Linear::new(&weight, (0..outputs).map(value).collect(), inputs);
        for linear in [linear(), linear().rounded()] {
            let rows: Vec<f32> = (0..3 * inputs).map(|i| value(i * 7)).collect();
            let all = linear.apply(&rows);
            for (row, all) in rows.chunks_exact(inputs).zip(all.chunks_exact(outputs)) {
                let each: Vec<f32> = (0..outputs).map(|output| linear.apply_one(row, output)).collect();
                assert_eq!(each, all);
            }
        }
    }
}
