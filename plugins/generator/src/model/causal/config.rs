use serde::Deserialize;
use serde_json::{Value, json};

use super::super::config::{parse, raw};
use super::super::family::{Family, Fields};
use super::super::parameters::LoadError;
use super::super::rotary::RotaryConfig;

/// Largest head width that is accepted; published ones have 256 at most.
const MAX_HEAD: usize = 1 << 16;

/// Fields whose null switches a feature off that their absence leaves on.
const NULLABLE: [&str; 3] = ["sliding_window", "attn_logit_softcapping", "final_logit_softcapping"];

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
    max_position_embeddings: usize,
    pub(super) use_sliding_window: Option<bool>,
    pub(super) layer_types: Option<Vec<String>>,
    pub(super) tie_word_embeddings: Option<bool>,
    /// Width whose inverse square root scales queries; by default a head's.
    pub(super) query_pre_attn_scalar: Option<f64>,
    /// Cap c of the scores of keys: c tanh(score / c).
    pub(super) attn_logit_softcapping: Option<f64>,
    /// Cap of the logits of tokens, likewise.
    pub(super) final_logit_softcapping: Option<f64>,
    pub(super) use_bidirectional_attention: Option<bool>,
    /// Positions of a sliding window, which limits the model's own so that the window never hides
    /// anything.
    pub(super) window: Option<usize>,
    /// Added to every norm's weight.
    #[serde(default)]
    pub(super) norm_offset: f32,
    /// True when the outputs of attention and feed-forward are normalized too.
    #[serde(default)]
    pub(super) post_norms: bool,
    /// Factor of the embeddings.
    pub(super) embedding_scale: Option<f64>,
    /// True when queries, keys and values are stored as one matrix, gate and expansion as another.
    #[serde(default)]
    pub(super) fused: bool,
    #[serde(skip)]
    pub(super) rotary: RotaryConfig,
}

impl CausalConfig {
    /// The configuration of a `family`.
    pub(in crate::model) fn of(config: &str, family: &Family) -> Result<Self, LoadError> {
        let mut stated: Fields = parse(config)?;
        let original = raw(config)?;
        for name in NULLABLE {
            if original.get(name).is_some_and(Value::is_null) {
                stated.insert(name.to_owned(), Value::Null);
            }
        }
        (family.complete)(&mut stated);
        for (field, default) in [
            ("hidden_size", json!(4_096)),
            ("num_hidden_layers", json!(32)),
            ("num_attention_heads", json!(32)),
            ("rms_norm_eps", json!(1e-6)),
            ("hidden_act", json!("silu")),
        ] {
            stated.entry(field).or_insert(default);
        }
        let stated = Value::Object(stated);
        let settings = |reason| LoadError::Config { reason };
        // Parsed separately, so that an error names the field: serde does not know the fields of a
        // flattened part.
        let rotary = postil_checkpoint::settings(stated.clone()).map_err(settings)?;
        let read: Self = postil_checkpoint::settings(stated).map_err(settings)?;
        Ok(Self { rotary, ..read })
    }

    /// Number of positions.
    pub(in crate::model) fn positions(&self) -> usize {
        let limits = [self.window, self.rotary.limit()].into_iter().flatten();
        limits.fold(self.max_position_embeddings, usize::min)
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
