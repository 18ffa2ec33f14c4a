use postil_checkpoint::ModelFolder;
use serde::Deserialize;

use crate::EncoderError;

/// How the states of a text's tokens, special tokens included, become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Their mean.
    Mean,
    /// The state of the first token.
    Cls,
    /// The greatest value of each component.
    Max,
}

#[derive(Deserialize)]
#[serde(default)]
struct Modes {
    pooling_mode: Option<String>,
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
    pooling_mode_max_tokens: bool,
    pooling_mode_mean_sqrt_len_tokens: bool,
    pooling_mode_weightedmean_tokens: bool,
    pooling_mode_lasttoken: bool,
    include_prompt: bool,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            pooling_mode: None,
            pooling_mode_cls_token: false,
            pooling_mode_mean_tokens: false,
            pooling_mode_max_tokens: false,
            pooling_mode_mean_sqrt_len_tokens: false,
            pooling_mode_weightedmean_tokens: false,
            pooling_mode_lasttoken: false,
            include_prompt: true,
        }
    }
}

impl Pooling {
    /// The pooling that sentence-transformers' pooling module in `path` asks for.
    pub(crate) fn open(folder: &ModelFolder, path: &str) -> Result<Self, EncoderError> {
        let modes: Modes = folder.json(&format!("{path}/config.json"))?;
        let flags = [
            ("cls", modes.pooling_mode_cls_token),
            ("mean", modes.pooling_mode_mean_tokens),
            ("max", modes.pooling_mode_max_tokens),
            ("mean_sqrt_len", modes.pooling_mode_mean_sqrt_len_tokens),
            ("weightedmean", modes.pooling_mode_weightedmean_tokens),
            ("lasttoken", modes.pooling_mode_lasttoken),
            ("include_prompt = false", !modes.include_prompt),
        ];
        let mut asked: Vec<&str> = flags.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
        asked.extend(modes.pooling_mode.as_deref());
        match asked[..] {
            ["mean"] => Ok(Self::Mean),
            ["cls"] => Ok(Self::Cls),
            ["max"] => Ok(Self::Max),
            _ => Err(EncoderError::Unsupported {
                path: folder.path().to_owned(),
                field: "pooling",
                got: asked.join(" + "),
                supported: "mean, cls or max alone",
            }),
        }
    }

    /// `states`: `[tokens, width]`, at least one token. Adds one vector of `width` to `out`.
    pub fn pool(self, states: &[f32], width: usize, out: &mut Vec<f32>) {
        let from = out.len();
        out.extend_from_slice(&states[..width]);
        let pooled = &mut out[from..];
        let rest = states[width..].chunks_exact(width);
        match self {
            Self::Cls => {}
            Self::Max => {
                for state in rest {
                    pooled.iter_mut().zip(state).for_each(|(most, value)| *most = most.max(*value));
                }
            }
            Self::Mean => {
                for state in rest {
                    pooled.iter_mut().zip(state).for_each(|(sum, value)| *sum += value);
                }
                let count = (states.len() / width) as f32;
                pooled.iter_mut().for_each(|sum| *sum /= count);
            }
        }
    }
}

/// Divides a vector by its length; the zero vector stays.
pub fn normalize(vector: &mut [f32]) {
    // sentence-transformers (torch's normalize) divides by at least this.
    const LEAST_LENGTH: f64 = 1e-12;
    let square: f64 = vector.iter().map(|value| f64::from(*value) * f64::from(*value)).sum();
    let length = square.sqrt().max(LEAST_LENGTH) as f32;
    vector.iter_mut().for_each(|value| *value /= length);
}
