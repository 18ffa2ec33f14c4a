use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::config::parse;
use super::super::parameters::LoadError;
use super::super::rotary::RotaryConfig;

/// Largest head width that is accepted; published ones have 256 at most.
const MAX_HEAD: usize = 1 << 16;

/// Configuration of a decoder-only model; absent fields have the defaults of transformers, see
/// [`CausalConfig::of`].
#[derive(Deserialize)]
pub(in crate::model) struct CausalConfig {
    pub(super) vocab_size: usize,
    pub(super) hidden_size: usize,
    pub(super) intermediate_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    pub(super) rms_norm_eps: f64,
    pub(super) hidden_act: String,
    pub(in crate::model) max_position_embeddings: usize,
    pub(super) use_sliding_window: Option<bool>,
    pub(super) layer_types: Option<Vec<String>>,
    pub(super) tie_word_embeddings: Option<bool>,
    #[serde(skip)]
    pub(super) rotary: RotaryConfig,
}

impl CausalConfig {
    /// The configuration of a `family`, by its `model_type`.
    pub(in crate::model) fn of(config: &str, family: &str) -> Result<Self, LoadError> {
        let (words, inner, positions) = match family {
            "llama" => (32_000, 11_008, 2_048),
            _ => (151_936, 22_016, 32_768),
        };
        let mut stated: Map<String, Value> = parse(config)?;
        for (field, default) in [
            ("vocab_size", json!(words)),
            ("hidden_size", json!(4_096)),
            ("intermediate_size", json!(inner)),
            ("num_hidden_layers", json!(32)),
            ("num_attention_heads", json!(32)),
            ("rms_norm_eps", json!(1e-6)),
            ("hidden_act", json!("silu")),
            ("max_position_embeddings", json!(positions)),
        ] {
            stated.entry(field).or_insert(default);
        }
        let read: Self = postil_checkpoint::settings(Value::Object(stated))
            .map_err(|reason| LoadError::Config { reason })?;
        // Parsed separately, so that an error names the field: serde does not know the fields of a
        // flattened part.
        Ok(Self { rotary: parse(config)?, ..read })
    }

    pub(super) fn groups(&self) -> usize {
        self.num_key_value_heads.unwrap_or(self.num_attention_heads)
    }

    pub(super) fn head_width(&self) -> Result<usize, LoadError> {
        let (heads, groups) = (self.num_attention_heads, self.groups());
        if heads == 0 || groups == 0 || !heads.is_multiple_of(groups) {
            return Err(LoadError::Config {
                reason: format!("{heads} heads do not share {groups} key groups"),
            });
        }
        let width = self.head_dim.unwrap_or(self.hidden_size / heads);
        match (2..=MAX_HEAD).contains(&width) && width.is_multiple_of(2) {
            true => Ok(width),
            false => {
                Err(LoadError::Config { reason: format!("head_dim {width} is odd or beyond {MAX_HEAD}") })
            }
        }
    }
}
