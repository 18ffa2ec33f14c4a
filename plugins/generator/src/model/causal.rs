//! Decoder-only models: Llama (and SmolLM, which is one), Qwen2, Qwen3.
//!
//! Pre-norm with RMSNorm, rotary positions on pairs (i, i + head/2), grouped keys, gated
//! feed-forward. Qwen2 has biases on queries, keys and values; Qwen3 normalizes queries and keys
//! per head before rotation. Each passage has its own prompt at positions from 0; only the tokens
//! after it are per hypothesis.

use candle_core::{Result, Tensor};
use candle_nn::rotary_emb::rope;
use postil_contract::TokenId;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::attention::{KeyValues, Shared, attend, split_heads};
use super::backbone::{Backbone, Memory};
use super::cache::Cache;
use super::config::parse;
use super::layers::{Activation, Linear};
use super::matrix::Matrix;
use super::norm::Norm;
use super::padded::padded;
use super::parameters::{LoadError, Parameters, TensorSource};
use super::rotary::{Rotary, RotaryConfig};
use super::tree::Tree;

/// Largest head width that is accepted; published ones have 256 at most.
const MAX_HEAD: usize = 1 << 16;

/// Configuration of a decoder-only model; absent fields have the defaults of transformers, see
/// [`CausalConfig::of`].
#[derive(Deserialize)]
pub(super) struct CausalConfig {
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    rms_norm_eps: f64,
    hidden_act: String,
    pub(super) max_position_embeddings: usize,
    use_sliding_window: Option<bool>,
    layer_types: Option<Vec<String>>,
    tie_word_embeddings: Option<bool>,
    #[serde(skip)]
    rotary: RotaryConfig,
}

pub(super) struct Causal {
    embedding: Matrix,
    layers: Vec<Layer>,
    norm: Norm,
    output: Linear,
    rotary: Rotary,
    vocabulary: usize,
}

struct Layer {
    own_norm: Norm,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    query_norm: Option<Norm>,
    key_norm: Option<Norm>,
    heads: usize,
    groups: usize,
    scale: f64,
    norm: Norm,
    gate: Linear,
    expand: Linear,
    contract: Linear,
    activation: Activation,
}

impl Causal {
    pub(super) fn load(
        config: &CausalConfig,
        source: &dyn TensorSource,
    ) -> std::result::Result<Self, LoadError> {
        let other = config.layer_types.iter().flatten().find(|kind| *kind != "full_attention");
        if let Some(kind) = other {
            return Err(LoadError::Unsupported { what: "layer_types", value: kind.clone() });
        }
        if config.use_sliding_window == Some(true) {
            return Err(LoadError::Unsupported { what: "use_sliding_window", value: "true".to_owned() });
        }
        let (width, vocabulary) = (config.hidden_size, config.vocab_size);
        let bare = !source.contains("model.embed_tokens.weight") && source.contains("embed_tokens.weight");
        let from = Parameters::new(source, if bare { "" } else { "model." });
        let whole = Parameters::new(source, "");
        let embedding = from.matrix("embed_tokens.weight", vocabulary, width)?;
        let output = match whole.contains("lm_head.weight") {
            true => whole.matrix("lm_head.weight", vocabulary, width)?,
            false if config.tie_word_embeddings == Some(false) => {
                return Err(LoadError::MissingTensor { name: whole.name("lm_head.weight") });
            }
            false => embedding.clone(),
        };
        let layer = |i: usize| Layer::load(&from.under("layers").under(i), config);
        Ok(Self {
            layers: (0..config.num_hidden_layers)
                .map(layer)
                .collect::<std::result::Result<_, LoadError>>()?,
            norm: Norm::rms(&from.under("norm"), width, config.rms_norm_eps)?,
            output: Linear::of(output, Vec::new())
                .map_err(|source| LoadError::Tensor { name: whole.name("lm_head.weight"), source })?,
            rotary: config.rotary.build(config.head_width()?)?,
            embedding,
            vocabulary,
        })
    }
}

impl CausalConfig {
    /// The configuration of a `family`, by its `model_type`.
    pub(super) fn of(config: &str, family: &str) -> std::result::Result<Self, LoadError> {
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

    fn groups(&self) -> usize {
        self.num_key_value_heads.unwrap_or(self.num_attention_heads)
    }

    fn head_width(&self) -> std::result::Result<usize, LoadError> {
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

impl Backbone for Causal {
    fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// Reads all of each prompt but its last token, which is the first that a hypothesis continues
    /// with.
    fn read(&self, prompts: &[Vec<TokenId>]) -> Result<Memory> {
        let heads: Vec<Vec<TokenId>> =
            prompts.iter().map(|prompt| prompt[..prompt.len() - 1].to_vec()).collect();
        let start = prompts.iter().map(|prompt| prompt[prompt.len() - 1]).collect();
        let (ids, lengths, longest) = padded(&heads)?;
        let mut shared = Vec::with_capacity(self.layers.len());
        if longest > 0 {
            // Padding comes after every real token, so the causal mask hides it here.
            let chain = Tree::chain(longest);
            let causal = chain.bias(0)?;
            let (cos, sin) = self.rotary.at(&vec![0; prompts.len()], chain.depths())?;
            let mut x = self.embedding.embed(&ids)?;
            for layer in &self.layers {
                x = layer.forward(&x, (&cos, &sin), |queries, keys, values| {
                    let own = KeyValues { keys: keys.clone(), values: values.clone() };
                    shared.push(Shared::new(keys, values, &lengths)?);
                    attend(queries, Some((&own, causal.as_ref())), None)
                })?;
            }
        }
        Ok(Memory { shared, start, positions: lengths })
    }

    fn forward(&self, memory: &Memory, cache: &mut Cache, ids: &Tensor, tree: &Tree) -> Result<Tensor> {
        let (before, n) = (cache.len(), ids.dim(0)?);
        let bias = tree.bias(before)?;
        let offsets: Vec<usize> = memory.positions.iter().map(|at| at + before).cycle().take(n).collect();
        let (cos, sin) = self.rotary.at(&offsets, tree.depths())?;
        let mut x = self.embedding.embed(ids)?;
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&x, (&cos, &sin), |queries, keys, values| {
                let own = cache.extend(i, keys, values)?;
                attend(queries, Some((&own, bias.as_ref())), memory.shared.get(i))
            })?;
        }
        cache.finish_pass(tree.len());
        self.norm.forward(&x)
    }

    fn logits(&self, states: &Tensor) -> Result<Tensor> {
        self.output.forward(states)
    }
}

impl Layer {
    fn load(from: &Parameters<'_>, config: &CausalConfig) -> std::result::Result<Self, LoadError> {
        let (width, inner, head) = (config.hidden_size, config.intermediate_size, config.head_width()?);
        let (heads, groups) = (config.num_attention_heads, config.groups());
        let (own, feed) = (from.under("self_attn"), from.under("mlp"));
        let head_norm = |name: &str| {
            own.contains(&format!("{name}.weight"))
                .then(|| Norm::rms(&own.under(name), head, config.rms_norm_eps))
                .transpose()
        };
        Ok(Self {
            own_norm: Norm::rms(&from.under("input_layernorm"), width, config.rms_norm_eps)?,
            query: Linear::load(&own.under("q_proj"), width, heads.saturating_mul(head))?,
            key: Linear::load(&own.under("k_proj"), width, groups.saturating_mul(head))?,
            value: Linear::load(&own.under("v_proj"), width, groups.saturating_mul(head))?,
            output: Linear::load(&own.under("o_proj"), heads.saturating_mul(head), width)?,
            query_norm: head_norm("q_norm")?,
            key_norm: head_norm("k_norm")?,
            heads,
            groups,
            scale: (head as f64).powf(-0.5),
            norm: Norm::rms(&from.under("post_attention_layernorm"), width, config.rms_norm_eps)?,
            gate: Linear::load(&feed.under("gate_proj"), width, inner)?,
            expand: Linear::load(&feed.under("up_proj"), width, inner)?,
            contract: Linear::load(&feed.under("down_proj"), inner, width)?,
            activation: Activation::named("hidden_act", &config.hidden_act)?,
        })
    }

    /// Runs the layer. `look` computes attention from scaled queries, keys and values that already
    /// contain their positions.
    fn forward(
        &self,
        x: &Tensor,
        (cos, sin): (&Tensor, &Tensor),
        look: impl FnOnce(&Tensor, Tensor, Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let y = self.own_norm.forward(x)?;
        let place = |y: Tensor, heads, norm: &Option<Norm>| {
            let y = split_heads(&y, heads)?;
            let y = norm.as_ref().map_or_else(|| Ok(y.clone()), |norm| norm.forward(&y))?;
            rope(&y, cos, sin)
        };
        let queries = (place(self.query.forward(&y)?, self.heads, &self.query_norm)? * self.scale)?;
        let keys = place(self.key.forward(&y)?, self.groups, &self.key_norm)?;
        let values = split_heads(&self.value.forward(&y)?, self.groups)?;
        let x = (x + self.output.forward(&look(&queries, keys, values)?)?)?;
        let y = self.norm.forward(&x)?;
        let inner = (self.gate.activated(&y, self.activation)? * self.expand.forward(&y)?)?;
        &x + self.contract.forward(&inner)?
    }
}
