use postil_checkpoint::{Fingerprint, ModelFolder};
use serde::Deserialize;
use serde_json::Value;

use crate::EncoderError;

/// The sizes of a BERT, from `config.json` as transformers 4 or 5 writes it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct BertConfig {
    /// `bert` or `dpr`.
    pub model_type: String,
    /// Tokens in the vocabulary.
    pub vocab_size: usize,
    /// Components of a token's state.
    pub hidden_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Attention heads in a layer.
    pub num_attention_heads: usize,
    /// Components inside the feed-forward part.
    pub intermediate_size: usize,
    /// Longest sequence.
    pub max_position_embeddings: usize,
    /// Kinds of token: 2, for the two parts of a pair.
    #[serde(default = "two")]
    pub type_vocab_size: usize,
    /// Added to the variance in a layer norm.
    #[serde(default = "bert_epsilon")]
    pub layer_norm_eps: f64,
    /// The nonlinearity.
    #[serde(default = "gelu")]
    pub hidden_act: String,
    /// How positions enter.
    #[serde(default = "absolute")]
    pub position_embedding_type: String,
    /// DPR: components of the projected vector, 0 for no projection.
    #[serde(default)]
    pub projection_dim: usize,
}

fn two() -> usize {
    2
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

impl BertConfig {
    /// Reads and checks `config.json`; of a RAG checkpoint, its question encoder's part.
    ///
    /// # Errors
    /// [`EncoderError::Unsupported`] for another architecture, [`EncoderError::Config`] for sizes that
    /// do not fit together.
    pub fn open(folder: &ModelFolder) -> Result<Self, EncoderError> {
        let unsupported = |field, got: &str, supported| {
            let path = folder.path().to_owned();
            Err(EncoderError::Unsupported { path, field, got: got.to_owned(), supported })
        };
        let mut whole: Value = folder.json("config.json")?;
        if is_composite(&whole) {
            whole = whole["question_encoder"].take();
        }
        // The kind first: another architecture has other fields, and should be named, not its fields.
        let kind = whole["model_type"].as_str().unwrap_or_default();
        if !matches!(kind, "bert" | "dpr") {
            return unsupported("model_type", kind, "bert, dpr, rag with one of them");
        }
        let config: Self = serde_json::from_value(whole).map_err(|source| EncoderError::Config {
            path: folder.path().to_owned(),
            reason: source.to_string(),
        })?;
        if config.hidden_act != "gelu" {
            return unsupported("hidden_act", &config.hidden_act, "gelu");
        }
        if config.position_embedding_type != "absolute" {
            return unsupported("position_embedding_type", &config.position_embedding_type, "absolute");
        }
        config.check().map_err(|reason| EncoderError::Config { path: folder.path().to_owned(), reason })?;
        Ok(config)
    }

    /// Whether the folder holds a RAG checkpoint, of which the encoder is a part.
    pub(crate) fn is_part(folder: &ModelFolder) -> Result<bool, EncoderError> {
        Ok(is_composite(&folder.json("config.json")?))
    }

    /// Whether the sizes are in proportion and fit together.
    ///
    /// # Errors
    /// What does not.
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

    /// Adds what decides the output to a fingerprint.
    pub(crate) fn fingerprint(&self, fingerprint: &mut Fingerprint) {
        fingerprint.part("config", format!("{self:?}").as_bytes());
    }
}
