use serde::Deserialize;

use super::parameters::LoadError;

const DEFAULT_THETA: f64 = 10_000.0;

/// Settings of rotary positions, as transformers 4 (`rope_theta`, `rope_scaling`) or 5
/// (`rope_parameters`) writes them.
#[derive(Default, Deserialize)]
pub(super) struct RotaryConfig {
    rope_theta: Option<f64>,
    rope_scaling: Option<Scaling>,
    rope_parameters: Option<Scaling>,
    /// Theta of the layers with a sliding window, where they have one of their own.
    rope_local_base_freq: Option<f64>,
    max_position_embeddings: Option<f64>,
    original_max_position_embeddings: Option<f64>,
}

#[derive(Deserialize)]
struct Scaling {
    rope_type: Option<String>,
    /// Name that older configurations have for `rope_type`; some have both.
    #[serde(rename = "type")]
    kind: Option<String>,
    rope_theta: Option<f64>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<f64>,
    /// Settings of the layers with full attention, in models with several kinds of layers.
    full_attention: Option<Box<Scaling>>,
    /// Settings of the layers with a sliding window, likewise.
    sliding_attention: Option<Box<Scaling>>,
    /// Divisors of texts no longer than the model was first trained with; those of longer texts are
    /// not read.
    short_factor: Option<Vec<f64>>,
    /// Factor of cosines and sines.
    attention_factor: Option<f64>,
    /// Divisor of each frequency, where a checkpoint stores it (GGUF's `rope_freqs`).
    factors: Option<Vec<f64>>,
}

/// The angle per position of each pair of a head.
pub(super) struct Rotary {
    frequencies: Vec<f64>,
    /// Factor of cosines and sines.
    scale: f64,
}

impl RotaryConfig {
    /// Computes the angles for heads of `head` components.
    pub(super) fn build(&self, head: usize) -> std::result::Result<Rotary, LoadError> {
        let scaling = self.scaling().map(|scaling| scaling.full_attention.as_deref().unwrap_or(scaling));
        let theta = scaling.and_then(|s| s.rope_theta).or(self.rope_theta).unwrap_or(DEFAULT_THETA);
        let mut rotary = Rotary::unscaled(theta, head);
        if let Some(scaling) = scaling {
            scaling.apply(&mut rotary, self)?;
        }
        Ok(rotary)
    }

    /// Computes the angles of the layers with a sliding window; `None` when they are those of the
    /// other layers.
    pub(super) fn build_local(&self, head: usize) -> Option<Rotary> {
        let own = self.scaling().and_then(|scaling| scaling.sliding_attention.as_ref()?.rope_theta);
        own.or(self.rope_local_base_freq).map(|theta| Rotary::unscaled(theta, head))
    }

    /// Number of positions that the angles hold for; `None` when nothing limits it.
    pub(super) fn limit(&self) -> Option<usize> {
        let scaling = self.scaling().filter(|scaling| scaling.is_for_lengths())?;
        self.trained(scaling).map(|positions| positions as usize)
    }

    fn scaling(&self) -> Option<&Scaling> {
        self.rope_parameters.as_ref().or(self.rope_scaling.as_ref())
    }

    /// Number of positions that the model was first trained with.
    fn trained(&self, scaling: &Scaling) -> Option<f64> {
        scaling.original_max_position_embeddings.or(self.original_max_position_embeddings)
    }
}

impl Scaling {
    fn kind(&self) -> &str {
        self.rope_type.as_deref().or(self.kind.as_deref()).unwrap_or("default")
    }

    /// True for a scaling with other factors for longer texts.
    fn is_for_lengths(&self) -> bool {
        matches!(self.kind(), "longrope" | "su")
    }

    fn apply(&self, rotary: &mut Rotary, config: &RotaryConfig) -> std::result::Result<(), LoadError> {
        let frequencies = &mut rotary.frequencies;
        let needed = |value: Option<f64>, name: &str| {
            value.ok_or_else(|| LoadError::Config { reason: format!("rotary scaling lacks {name}") })
        };
        match self.kind() {
            "default" => Ok(()),
            "linear" => {
                let factor = needed(self.factor, "factor")?;
                frequencies.iter_mut().for_each(|f| *f /= factor);
                Ok(())
            }
            "factors" => divide(frequencies, self.factors.as_deref()),
            // arXiv 2402.13753, with the factors of short texts: see `RotaryConfig::limit`.
            "longrope" | "su" => {
                divide(frequencies, self.short_factor.as_deref())?;
                let trained = needed(config.trained(self), "original_max_position_embeddings")?;
                let stretch = config.max_position_embeddings.unwrap_or(trained) / trained;
                let stretched = (1.0 + stretch.ln() / trained.ln()).sqrt();
                let factor = if stretch > 1.0 { stretched } else { 1.0 };
                rotary.scale = self.attention_factor.unwrap_or(factor);
                match rotary.scale.is_finite() {
                    true => Ok(()),
                    false => Err(LoadError::Config { reason: format!("{trained} positions of training") }),
                }
            }
            "llama3" => {
                let factor = needed(self.factor, "factor")?;
                let (low, high) = (
                    needed(self.low_freq_factor, "low_freq_factor")?,
                    needed(self.high_freq_factor, "high_freq_factor")?,
                );
                let trained =
                    needed(self.original_max_position_embeddings, "original_max_position_embeddings")?;
                for f in frequencies {
                    let turns = trained * *f / std::f64::consts::TAU;
                    let kept = ((turns - low) / (high - low)).clamp(0.0, 1.0);
                    *f = (1.0 - kept) * *f / factor + kept * *f;
                }
                Ok(())
            }
            other => Err(LoadError::Unsupported { what: "rope_type", value: other.to_owned() }),
        }
    }
}

/// Divides each frequency by its factor.
fn divide(frequencies: &mut [f64], factors: Option<&[f64]>) -> std::result::Result<(), LoadError> {
    let factors = factors.unwrap_or_default();
    if factors.len() != frequencies.len() || factors.iter().any(|f| !(f.is_finite() && *f > 0.0)) {
        let reason = format!("{} factors for {} frequencies", factors.len(), frequencies.len());
        return Err(LoadError::Config { reason });
    }
    frequencies.iter_mut().zip(factors).for_each(|(frequency, factor)| *frequency /= factor);
    Ok(())
}

impl Rotary {
    fn unscaled(theta: f64, head: usize) -> Self {
        let frequency = |i: usize| theta.powf(-2.0 * i as f64 / head as f64);
        Self { frequencies: (0..head / 2).map(frequency).collect(), scale: 1.0 }
    }

    /// Number of pairs in a head.
    pub(super) fn pairs(&self) -> usize {
        self.frequencies.len()
    }

    /// Cosines, then sines, of the angles at a position: `[2, pairs]`.
    pub(super) fn at(&self, position: usize, out: &mut [f32]) {
        let (cos, sin) = out.split_at_mut(self.pairs());
        for ((frequency, cos), sin) in self.frequencies.iter().zip(cos).zip(sin) {
            let angle = position as f64 * frequency;
            (*cos, *sin) = ((angle.cos() * self.scale) as f32, (angle.sin() * self.scale) as f32);
        }
    }

    /// Turns the pairs (i, i + pairs) of each head of a line by the angles of [`Rotary::at`].
    pub(super) fn turn(&self, angles: &[f32], line: &mut [f32]) {
        let (cos, sin) = angles.split_at(self.pairs());
        for head in line.chunks_exact_mut(2 * self.pairs()) {
            let (low, high) = head.split_at_mut(self.pairs());
            for (((low, high), cos), sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                (*low, *high) = (*low * cos - *high * sin, *high * cos + *low * sin);
            }
        }
    }
}
