//! AdamW (Loshchilov and Hutter 2019) in place, with clipping, and the schedule of its rate.
//!
//! candle's `AdamW` makes ten temporary tensors of each parameter's size at every step, and cannot
//! be stored: its moments are private.

use std::sync::Mutex;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, InplaceOp2, Layout, Result};
use rayon::prelude::*;

use crate::Parameters;

/// Values that a thread takes at a time.
const PART: usize = 1 << 16;

/// Settings of AdamW. The defaults are those of BERT's fine-tuning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of squared gradients.
    pub beta2: f64,
    /// Term added to the root of the second.
    pub epsilon: f64,
    /// Share of a weight that is taken off at every step, times the rate; not of biases and norms.
    pub weight_decay: f64,
    /// Length to which a longer gradient of all parameters together is cut.
    pub clip: f64,
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01, clip: 1.0 }
    }
}

/// The optimizer's state: two moments of every parameter.
pub struct AdamW {
    settings: AdamSettings,
    steps: u64,
    moments: Vec<(Vec<f32>, Vec<f32>)>,
}

impl AdamW {
    /// A new state for these parameters.
    pub fn new(parameters: &Parameters, settings: AdamSettings) -> Self {
        let zeros = |count| vec![0.0; count];
        let moments =
            parameters.iter().map(|(_, var)| (zeros(var.elem_count()), zeros(var.elem_count()))).collect();
        Self { settings, steps: 0, moments }
    }

    /// Number of steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The moments of every parameter, in the order of their names.
    pub fn moments(&self) -> &[(Vec<f32>, Vec<f32>)] {
        &self.moments
    }

    /// Takes up a stored state.
    pub fn restore(&mut self, steps: u64, moments: Vec<(Vec<f32>, Vec<f32>)>) {
        (self.steps, self.moments) = (steps, moments);
    }

    /// One step against the gradients, times `scale`, with this learning rate. Returns the length of
    /// the gradient before clipping; nothing changes when that is no finite number.
    ///
    /// # Errors
    /// candle's.
    pub fn step(&mut self, parameters: &Parameters, grads: &Gradients, rate: f64) -> Result<f64> {
        let length = grads.length();
        if !length.is_finite() {
            return Ok(length);
        }
        self.steps += 1;
        let AdamSettings { beta1, beta2, clip, .. } = self.settings;
        // As torch's clip_grad_norm_.
        let scale = (clip / (length + 1e-6)).min(1.0);
        let step = self.steps as i32;
        let (first, second) = (1.0 - beta1.powi(step), 1.0 - beta2.powi(step));
        for (((name, var), moments), grad) in parameters.iter().zip(&mut self.moments).zip(&grads.values) {
            let Some(grad) = grad else { continue };
            let is_plain = var.rank() < 2;
            debug_assert!(is_plain || !name.ends_with(".bias"), "a bias has one dimension");
            let update = Update {
                settings: self.settings,
                decay: if is_plain { 0.0 } else { self.settings.weight_decay * rate },
                rate: rate / first,
                second: second.sqrt(),
                scale: scale as f32,
                moments: Mutex::new(moments),
            };
            let grad = candle_core::Tensor::from_slice(grad, var.shape(), var.device())?;
            var.inplace_op2(&grad, &update)?;
        }
        Ok(length)
    }
}

struct Update<'a> {
    settings: AdamSettings,
    decay: f64,
    rate: f64,
    second: f64,
    scale: f32,
    moments: Mutex<&'a mut (Vec<f32>, Vec<f32>)>,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(&self, s1: &mut CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<()> {
        let (Some((from, to)), Some((start, end))) = (l1.contiguous_offsets(), l2.contiguous_offsets())
        else {
            candle_core::bail!("a parameter is not contiguous")
        };
        let CpuStorage::F32(values) = s1 else { candle_core::bail!("a parameter is not of f32") };
        let (values, grads) = (&mut values[from..to], &s2.as_slice::<f32>()?[start..end]);
        let mut moments = self.moments.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (first, second) = &mut **moments;
        let AdamSettings { beta1, beta2, epsilon, .. } = self.settings;
        let [beta1, beta2, epsilon, rate, root, keep] =
            [beta1, beta2, epsilon, self.rate, self.second, 1.0 - self.decay].map(|value| value as f32);
        let parts = values.par_chunks_mut(PART).zip(grads.par_chunks(PART));
        let parts = parts.zip(first.par_chunks_mut(PART).zip(second.par_chunks_mut(PART)));
        parts.for_each(|((values, grads), (first, second))| {
            let each = values.iter_mut().zip(grads).zip(first.iter_mut().zip(second));
            for ((value, grad), (first, second)) in each {
                let grad = grad * self.scale;
                *first += (1.0 - beta1) * (grad - *first);
                *second = beta2 * *second + (1.0 - beta2) * grad * grad;
                *value = *value * keep - rate * *first / (second.sqrt() / root + epsilon);
            }
        });
        Ok(())
    }
}

/// Sums of gradients over the parts of one batch.
#[derive(Default)]
pub struct Gradients {
    values: Vec<Option<Vec<f32>>>,
}

impl Gradients {
    /// Adds the gradients of one part, times `share`.
    ///
    /// # Errors
    /// candle's.
    pub fn add(&mut self, parameters: &Parameters, grads: &GradStore, share: f64) -> Result<()> {
        let share = share as f32;
        if self.values.is_empty() {
            self.values = parameters.iter().map(|_| None).collect();
        }
        for ((_, var), sum) in parameters.iter().zip(&mut self.values) {
            let Some(grad) = grads.get(var) else { continue };
            crate::ops::read(grad, |grad| {
                match sum {
                    Some(sum) => {
                        sum.par_chunks_mut(PART).zip(grad.par_chunks(PART)).for_each(|(sum, grad)| {
                            sum.iter_mut().zip(grad).for_each(|(sum, g)| *sum += share * g);
                        });
                    }
                    None => *sum = Some(grad.iter().map(|g| share * g).collect()),
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Length of the gradient of all parameters together.
    pub fn length(&self) -> f64 {
        let square = |grad: &Vec<f32>| -> f64 {
            let part = |part: &[f32]| part.iter().map(|g| f64::from(*g) * f64::from(*g)).sum::<f64>();
            grad.par_chunks(PART).map(part).collect::<Vec<_>>().iter().sum()
        };
        self.values.iter().flatten().map(square).sum::<f64>().sqrt()
    }
}

/// Factor of the learning rate after this share of the run, 0 to 1: it rises evenly during
/// `warm_up`, then falls evenly to 0.
pub fn rate_factor(fraction: f64, warm_up: f64) -> f64 {
    if fraction < warm_up {
        return fraction / warm_up;
    }
    ((1.0 - fraction) / (1.0 - warm_up)).clamp(0.0, 1.0)
}
