use postil_checkpoint::{CheckpointError, Weights};

use postil_kernel::{Finish, Int16Panels, Int16Rows, Kernel, PANEL, Panels, Rows, panels_of};

/// A linear layer: `outputs = weight * inputs + bias`.
pub struct Linear {
    weight: Weight,
    /// Rounded up to whole panels.
    bias: Vec<f32>,
    outputs: usize,
    inputs: usize,
}

enum Weight {
    Float(Panels),
    Int16(Int16Panels),
}

impl Linear {
    /// Takes `weight`, `[outputs, inputs]` row-major, and `bias`, `[outputs]`. Panics when they disagree.
    pub fn new(weight: &[f32], mut bias: Vec<f32>, inputs: usize) -> Self {
        let outputs = bias.len();
        bias.resize(panels_of(outputs) * PANEL, 0.0);
        let weight = Weight::Float(Panels::from_linear(weight, outputs, inputs));
        Self { weight, bias, outputs, inputs }
    }

    /// The same with its weight rounded to 16 bits, as its inputs will be.
    pub(crate) fn rounded(self) -> Self {
        let weight = match self.weight {
            Weight::Float(weight) => Weight::Int16(Int16Panels::from_panels(&weight)),
            rounded @ Weight::Int16(_) => rounded,
        };
        Self { weight, ..self }
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
        self.run(Kernel::detect(), input, gelu, &mut output, &mut Int16Rows::default());
        output
    }

    /// `input`: `[rows, inputs]`. Writes `[rows, outputs]`, through GELU if asked. `codes` is overwritten.
    pub(crate) fn run(
        &self,
        kernel: Kernel,
        input: &[f32],
        gelu: bool,
        output: &mut [f32],
        codes: &mut Int16Rows,
    ) {
        let rows = Rows { values: input, stride: self.inputs, rows: input.len() / self.inputs };
        let finish = Finish { bias: &self.bias, gelu };
        match &self.weight {
            Weight::Float(weight) => kernel.product(rows, weight.all(), finish, output, self.outputs),
            Weight::Int16(weight) => {
                kernel.round(rows, self.inputs, codes);
                kernel.int16_product(codes, weight, finish, output, self.outputs);
            }
        }
    }
}
