use postil_checkpoint::ModelFolder;
use serde_json::{Map, Value};

use crate::EncoderError;

/// The method that combines the states of a text's tokens, special tokens included, into one
/// vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Mean of the states.
    Mean,
    /// State of the first token.
    Cls,
    /// Maximum of each component.
    Max,
}

/// Flags of `1_Pooling/config.json`, each with its mode and its default.
const FLAGS: [(&str, &str, bool); 6] = [
    ("pooling_mode_cls_token", "cls", false),
    ("pooling_mode_mean_tokens", "mean", true),
    ("pooling_mode_max_tokens", "max", false),
    ("pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", false),
    ("pooling_mode_weightedmean_tokens", "weightedmean", false),
    ("pooling_mode_lasttoken", "lasttoken", false),
];

fn mode(value: &Value) -> Result<&str, (&'static str, String)> {
    value.as_str().ok_or_else(|| ("pooling_mode", value.to_string()))
}

/// The modes that a configuration asks for, as sentence-transformers reads it: `pooling_mode` takes
/// precedence over the flags, and a null flag is off.
fn asked(stated: &Map<String, Value>) -> Result<Vec<&str>, (&'static str, String)> {
    match stated.get("pooling_mode") {
        None | Some(Value::Null) => {}
        Some(Value::Array(modes)) => return modes.iter().map(mode).collect(),
        Some(one) => return Ok(vec![mode(one)?]),
    }
    let mut asked = Vec::new();
    for (flag, mode, default) in FLAGS {
        let is_on = match stated.get(flag) {
            None => default,
            Some(Value::Null) => false,
            Some(Value::Bool(is_on)) => *is_on,
            Some(other) => return Err((flag, other.to_string())),
        };
        if is_on {
            asked.push(mode);
        }
    }
    Ok(asked)
}

impl Pooling {
    /// Reads the settings of a folder's pooling module.
    pub(crate) fn open(folder: &ModelFolder, path: &str) -> Result<Self, EncoderError> {
        let file = match path {
            "" => "config.json".to_owned(),
            path => format!("{path}/config.json"),
        };
        let stated: Map<String, Value> = folder.json(&file)?;
        let unsupported = |field, got: String, supported| {
            Err(EncoderError::Unsupported { path: folder.file(&file), field, got, supported })
        };
        if let Some(prompt) = stated.get("include_prompt").filter(|prompt| **prompt == false) {
            return unsupported("include_prompt", prompt.to_string(), "true");
        }
        match asked(&stated) {
            Ok(modes) => match modes[..] {
                ["mean"] => Ok(Self::Mean),
                ["cls"] => Ok(Self::Cls),
                ["max"] => Ok(Self::Max),
                [] => unsupported("pooling_mode", "none".to_owned(), "mean, cls or max alone"),
                _ => unsupported("pooling_mode", modes.join(" + "), "mean, cls or max alone"),
            },
            Err((field, got)) => unsupported(field, got, "true, false; for pooling_mode a name"),
        }
    }

    /// Pools `states`, `[tokens, width]`, at least one token. Appends one vector of `width`
    /// components to `out`.
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

/// Divides a vector by its length; the zero vector is unchanged.
pub fn normalize(vector: &mut [f32]) {
    // Least divisor in sentence-transformers (torch's normalize).
    const LEAST_LENGTH: f64 = 1e-12;
    let square: f64 = vector.iter().map(|value| f64::from(*value) * f64::from(*value)).sum();
    let length = square.sqrt().max(LEAST_LENGTH) as f32;
    vector.iter_mut().for_each(|value| *value /= length);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(config: &str) -> Result<Pooling, String> {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("1_Pooling")).unwrap();
        for (name, content) in [("config.json", "{}"), ("1_Pooling/config.json", config)] {
            std::fs::write(home.path().join(name), content).unwrap();
        }
        let folder = ModelFolder::open(home.path()).unwrap();
        Pooling::open(&folder, "1_Pooling").map_err(|error| error.to_string())
    }

    #[test]
    fn fields_left_out_and_null_mean_what_they_do_to_sentence_transformers() {
        for (config, pooling) in [
            ("{}", Pooling::Mean),
            (r#"{"word_embedding_dimension": 8}"#, Pooling::Mean),
            (
                r#"{"pooling_mode": null, "pooling_mode_max_tokens": null, "include_prompt": null}"#,
                Pooling::Mean,
            ),
            (r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": null}"#, Pooling::Cls),
            (r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#, Pooling::Cls),
            (r#"{"pooling_mode": "max", "pooling_mode_mean_tokens": true}"#, Pooling::Max),
            (r#"{"pooling_mode": ["cls"]}"#, Pooling::Cls),
        ] {
            assert_eq!(opened(config), Ok(pooling), "{config}");
        }
    }

    #[test]
    fn another_pooling_is_refused_with_its_field_value_and_file() {
        for (config, said) in [
            (r#"{"pooling_mode": "lasttoken"}"#, "pooling_mode is lasttoken"),
            (r#"{"pooling_mode": ["mean", "max"]}"#, "pooling_mode is mean + max"),
            (r#"{"pooling_mode_cls_token": true}"#, "pooling_mode is cls + mean"),
            (r#"{"pooling_mode_mean_tokens": false}"#, "pooling_mode is none"),
            (r#"{"pooling_mode_mean_tokens": "yes"}"#, "pooling_mode_mean_tokens is \"yes\""),
            (r#"{"include_prompt": false}"#, "include_prompt is false"),
        ] {
            let error = opened(config).unwrap_err();
            assert!(error.contains("1_Pooling/config.json: ") && error.contains(said), "{config}: {error}");
        }
    }
}
