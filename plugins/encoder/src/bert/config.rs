use postil_checkpoint::{Fingerprint, ModelFolder, settings};
use serde::Deserialize;
use serde_json::Value;

use crate::EncoderError;

const CONFIG: &str = "config.json";

/// The sizes of a BERT, from `config.json` as transformers 4 or 5 writes it. A field that is absent
/// or null has the default of transformers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct BertConfig {
    /// Architecture: `bert` or `dpr`.
    pub model_type: String,
    /// Number of tokens in the vocabulary.
    #[serde(default = "size::<30_522>")]
    pub vocab_size: usize,
    /// Number of components in a token's state.
    #[serde(default = "size::<768>")]
    pub hidden_size: usize,
    /// Number of layers.
    #[serde(default = "size::<12>")]
    pub num_hidden_layers: usize,
    /// Number of attention heads in a layer.
    #[serde(default = "size::<12>")]
    pub num_attention_heads: usize,
    /// Number of components inside the feed-forward part.
    #[serde(default = "size::<3_072>")]
    pub intermediate_size: usize,
    /// Longest sequence, in tokens.
    #[serde(default = "size::<512>")]
    pub max_position_embeddings: usize,
    /// Number of token kinds: 2, for the two parts of a pair.
    #[serde(default = "size::<2>")]
    pub type_vocab_size: usize,
    /// Epsilon added to the variance in a layer norm.
    #[serde(default = "bert_epsilon")]
    pub layer_norm_eps: f64,
    /// Name of the activation function.
    #[serde(default = "gelu")]
    pub hidden_act: String,
    /// Type of the position embeddings.
    #[serde(default = "absolute")]
    pub position_embedding_type: String,
    /// For DPR, number of components of the projected vector; 0 for no projection.
    #[serde(default)]
    pub projection_dim: usize,
}

fn size<const N: usize>() -> usize {
    N
}

fn bert_epsilon() -> f64 {
    1e-12
}

fn gelu() -> String {
    "gelu".to_owned()
}

fn absolute() -> String {
    "absolute".to_owned()
}

fn is_composite(config: &Value) -> bool {
    config["model_type"] == "rag"
}

/// Kind that a configuration states, or else the class of its model; empty when it has neither.
fn kind(config: &Value) -> String {
    let class = config["architectures"][0].as_str().unwrap_or_default();
    match &config["model_type"] {
        Value::String(kind) => kind.clone(),
        Value::Null if class.starts_with("Bert") => "bert".to_owned(),
        Value::Null if class.starts_with("DPR") => "dpr".to_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The first feature that a configuration asks for and this encoder lacks: the field, its value,
/// and the supported values. `None` when there is none.
fn beyond(config: &Value) -> Option<(&'static str, String, &'static str)> {
    for field in ["is_decoder", "add_cross_attention"] {
        if config[field] == true {
            return Some((field, "true".to_owned(), "false"));
        }
    }
    let heads = &config["pruned_heads"];
    if heads.as_object().is_some_and(|heads| !heads.is_empty()) {
        return Some(("pruned_heads", heads.to_string(), "none"));
    }
    let quantized = &config["quantization_config"];
    let method = quantized["quant_method"].as_str().map_or_else(|| quantized.to_string(), str::to_owned);
    (!quantized.is_null()).then_some(("quantization_config", method, "none: weights as F32, F16 or BF16"))
}

impl BertConfig {
    /// Reads and checks `config.json`; for a RAG checkpoint, its question encoder's part.
    ///
    /// # Errors
    /// [`EncoderError::Unsupported`] for another architecture or variant, [`EncoderError::Config`]
    /// for sizes that do not fit together or a field of the wrong type.
    pub fn open(folder: &ModelFolder) -> Result<Self, EncoderError> {
        let unsupported = |field, got: &str, supported| {
            let path = folder.file(CONFIG);
            Err(EncoderError::Unsupported { path, field, got: got.to_owned(), supported })
        };
        let mut whole: Value = folder.json(CONFIG)?;
        if is_composite(&whole) {
            whole = whole["question_encoder"].take();
        }
        // The kind is checked first: another architecture has other fields, and the error should
        // name the architecture, not a field.
        let kind = kind(&whole);
        if !matches!(kind.as_str(), "bert" | "dpr") {
            let got = if kind.is_empty() { "not there" } else { &kind };
            return unsupported("model_type", got, "bert, dpr, rag with one of them");
        }
        if let Some((field, got, supported)) = beyond(&whole) {
            return unsupported(field, &got, supported);
        }
        if let Value::Object(fields) = &mut whole {
            fields.insert("model_type".to_owned(), Value::String(kind));
        }
        let invalid = |reason| EncoderError::Config { path: folder.file(CONFIG), reason };
        let config: Self = settings(whole).map_err(invalid)?;
        if !matches!(config.hidden_act.as_str(), "gelu" | "gelu_python") {
            return unsupported("hidden_act", &config.hidden_act, "gelu");
        }
        if config.position_embedding_type != "absolute" {
            return unsupported("position_embedding_type", &config.position_embedding_type, "absolute");
        }
        config.check().map_err(invalid)?;
        Ok(config)
    }

    /// True when the folder holds a RAG checkpoint, of which the encoder is a part.
    pub(crate) fn is_part(folder: &ModelFolder) -> Result<bool, EncoderError> {
        Ok(is_composite(&folder.json(CONFIG)?))
    }

    /// Checks that the sizes are plausible and fit together.
    ///
    /// # Errors
    /// A description of the first contradiction.
    pub fn check(&self) -> Result<(), String> {
        let sizes = [
            ("vocab_size", self.vocab_size, 1 << 24),
            ("hidden_size", self.hidden_size, 1 << 16),
            ("num_hidden_layers", self.num_hidden_layers, 1 << 10),
            ("num_attention_heads", self.num_attention_heads, 1 << 10),
            ("intermediate_size", self.intermediate_size, 1 << 20),
            ("max_position_embeddings", self.max_position_embeddings, 1 << 20),
            ("type_vocab_size", self.type_vocab_size, 1 << 10),
        ];
        if !(self.layer_norm_eps.is_finite() && self.layer_norm_eps >= 0.0) {
            return Err(format!("layer_norm_eps is {}, expected a number from 0", self.layer_norm_eps));
        }
        for (name, size, limit) in sizes {
            if size == 0 || size > limit {
                return Err(format!("{name} is {size}, expected 1 to {limit}"));
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            let (hidden, heads) = (self.hidden_size, self.num_attention_heads);
            return Err(format!("hidden_size {hidden} does not divide into {heads} attention heads"));
        }
        Ok(())
    }

    /// Adds everything that decides the output to a fingerprint.
    pub(crate) fn fingerprint(&self, fingerprint: &mut Fingerprint) {
        fingerprint.part("config", format!("{self:?}").as_bytes());
    }
}
