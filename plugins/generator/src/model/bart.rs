//! BART (Lewis et al. 2019, arXiv 1910.13461), the generator of the RAG paper.
//!
//! Post-norm: every residual sum is normalized. Learned positions start at row 2 of their table. Token
//! embeddings of both sides and the output layer are one matrix.

use candle_core::{Result, Tensor};
use postil_contract::TokenId;
use serde::Deserialize;

use super::attention::{Shared, attend, causal_bias, padding_bias, split_heads};
use super::cache::Cache;
use super::layers::{Activation, Linear};
use super::matrix::Matrix;
use super::norm::Norm;
use super::parameters::{LoadError, Parameters, TensorSource};
use super::{Backbone, Memory, padded};

/// Rows of the position table before position 0.
const POSITION_OFFSET: usize = 2;
const NORM_EPS: f64 = 1e-5;

#[derive(Deserialize)]
pub(super) struct BartConfig {
    vocab_size: usize,
    d_model: usize,
    encoder_layers: usize,
    decoder_layers: usize,
    encoder_attention_heads: usize,
    decoder_attention_heads: usize,
    encoder_ffn_dim: usize,
    decoder_ffn_dim: usize,
    pub(super) max_position_embeddings: usize,
    #[serde(default = "gelu")]
    activation_function: String,
    #[serde(default)]
    scale_embedding: bool,
    #[serde(default)]
    static_position_embeddings: bool,
    #[serde(default)]
    normalize_before: bool,
    #[serde(default = "two")]
    decoder_start_token_id: TokenId,
}

fn gelu() -> String {
    "gelu".to_owned()
}

fn two() -> TokenId {
    2
}

/// Prefixes of the model's tensors, in the layouts that are published: whole, without its head, inside a
/// RAG checkpoint.
const PREFIXES: [&str; 4] = ["model.", "", "rag.generator.model.", "generator.model."];

pub(super) struct Bart {
    embedding: Matrix,
    scale: f64,
    encoder: Side,
    decoder: Side,
    output: Linear,
    vocabulary: usize,
    start: TokenId,
}

/// One of the two stacks.
struct Side {
    positions: Tensor,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    own: Attention,
    own_norm: Norm,
    cross: Option<(Attention, Norm)>,
    expand: Linear,
    contract: Linear,
    norm: Norm,
    activation: Activation,
}

struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
    scale: f64,
}

impl Bart {
    pub(super) fn load(
        config: &BartConfig,
        source: &dyn TensorSource,
    ) -> std::result::Result<Self, LoadError> {
        for (is_set, value) in [
            (config.static_position_embeddings, "static_position_embeddings"),
            (config.normalize_before, "normalize_before"),
        ] {
            if is_set {
                return Err(LoadError::Unsupported { what: "BART variant", value: value.to_owned() });
            }
        }
        let has = |prefix: &&&str| source.contains(&format!("{prefix}shared.weight"));
        let prefix = PREFIXES
            .iter()
            .find(has)
            .ok_or_else(|| LoadError::MissingTensor { name: "model.shared.weight".to_owned() })?;
        let (width, vocabulary) = (config.d_model, config.vocab_size);
        let from = Parameters::new(source, prefix);
        let whole = Parameters::new(source, prefix.strip_suffix("model.").unwrap_or(prefix));
        let embedding = from.matrix("shared.weight", vocabulary, width)?;
        let bias = match whole.contains("final_logits_bias") {
            true => whole.table("final_logits_bias", 1, vocabulary)?,
            false => Vec::new(),
        };
        let encoder = (config.encoder_layers, config.encoder_attention_heads, config.encoder_ffn_dim);
        let decoder = (config.decoder_layers, config.decoder_attention_heads, config.decoder_ffn_dim);
        Ok(Self {
            scale: if config.scale_embedding { (width as f64).sqrt() } else { 1.0 },
            encoder: Side::load(&from.under("encoder"), config, encoder, false)?,
            decoder: Side::load(&from.under("decoder"), config, decoder, true)?,
            output: Linear::of(embedding.clone(), bias)
                .map_err(|source| LoadError::Tensor { name: from.name("shared.weight"), source })?,
            embedding,
            vocabulary,
            start: config.decoder_start_token_id,
        })
    }

    /// `[n, length]` ids at positions from `before`, to `[n, length, width]`.
    fn embed(&self, side: &Side, ids: &Tensor, before: usize) -> Result<Tensor> {
        let length = ids.dim(1)?;
        let tokens = self.embedding.embed(ids)?;
        let tokens = if self.scale == 1.0 { tokens } else { (tokens * self.scale)? };
        side.norm.forward(&tokens.broadcast_add(&side.positions.narrow(
            0,
            before + POSITION_OFFSET,
            length,
        )?)?)
    }
}

impl Backbone for Bart {
    fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    fn read(&self, prompts: &[Vec<TokenId>]) -> Result<Memory> {
        let (ids, lengths, longest) = padded(prompts)?;
        let bias = padding_bias(&lengths, longest)?;
        let mut x = self.embed(&self.encoder, &ids, 0)?;
        for layer in &self.encoder.layers {
            let shared = layer.own.keys_of(&x, &bias)?;
            x = layer.forward(&x, |layer, x| layer.own.attend(x, None, Some(&shared)), None)?;
        }
        let cross = self.decoder.layers.iter().filter_map(|layer| layer.cross.as_ref());
        let shared = cross.map(|(cross, _)| cross.keys_of(&x, &bias)).collect::<Result<_>>()?;
        Ok(Memory { shared, start: vec![self.start; prompts.len()], positions: vec![0; prompts.len()] })
    }

    fn forward(&self, memory: &Memory, cache: &mut Cache, ids: &Tensor) -> Result<Tensor> {
        let (before, length) = (cache.len(), ids.dim(1)?);
        let causal = causal_bias(before, length)?;
        let mut x = self.embed(&self.decoder, ids, before)?;
        for (i, (layer, shared)) in self.decoder.layers.iter().zip(&memory.shared).enumerate() {
            let look_back = |layer: &Layer, x: &Tensor| {
                let (keys, values) = layer.own.key_values(x)?;
                let own = cache.extend(i, keys, values)?;
                layer.own.attend(x, Some((&own, causal.as_ref())), None)
            };
            x = layer.forward(&x, look_back, Some(shared))?;
        }
        cache.finish_pass(length);
        self.output.forward(&x)
    }
}

impl Side {
    fn load(
        from: &Parameters<'_>,
        config: &BartConfig,
        (layers, heads, inner): (usize, usize, usize),
        crosses: bool,
    ) -> std::result::Result<Self, LoadError> {
        let width = config.d_model;
        if heads == 0 || !width.is_multiple_of(heads) {
            return Err(LoadError::Config {
                reason: format!("d_model {width} is no multiple of {heads} heads"),
            });
        }
        let activation = Activation::named(&config.activation_function)?;
        let layer = |i: usize| {
            let from = from.under("layers").under(i);
            let attention = |name: &str| Attention::load(&from.under(name), width, heads);
            let norm = |name: &str| Norm::layer(&from.under(name), width, NORM_EPS);
            let cross = crosses
                .then(|| Ok::<_, LoadError>((attention("encoder_attn")?, norm("encoder_attn_layer_norm")?)))
                .transpose()?;
            Ok(Layer {
                own: attention("self_attn")?,
                own_norm: norm("self_attn_layer_norm")?,
                cross,
                expand: Linear::load_biased(&from.under("fc1"), width, inner)?,
                contract: Linear::load_biased(&from.under("fc2"), inner, width)?,
                norm: norm("final_layer_norm")?,
                activation,
            })
        };
        let rows = config.max_position_embeddings.saturating_add(POSITION_OFFSET);
        Ok(Self {
            positions: from.tensor("embed_positions.weight", &[rows, width])?,
            norm: Norm::layer(&from.under("layernorm_embedding"), width, NORM_EPS)?,
            layers: (0..layers).map(layer).collect::<std::result::Result<_, LoadError>>()?,
        })
    }
}

impl Layer {
    fn forward(
        &self,
        x: &Tensor,
        own: impl FnOnce(&Self, &Tensor) -> Result<Tensor>,
        shared: Option<&Shared>,
    ) -> Result<Tensor> {
        let mut x = self.own_norm.forward(&(x + own(self, x)?)?)?;
        if let Some((cross, norm)) = &self.cross {
            x = norm.forward(&(&x + cross.attend(&x, None, shared)?)?)?;
        }
        let inner = self.expand.activated(&x, self.activation)?;
        self.norm.forward(&(&x + self.contract.forward(&inner)?)?)
    }
}

impl Attention {
    fn load(from: &Parameters<'_>, width: usize, heads: usize) -> std::result::Result<Self, LoadError> {
        let linear = |name: &str| Linear::load_biased(&from.under(name), width, width);
        Ok(Self {
            query: linear("q_proj")?,
            key: linear("k_proj")?,
            value: linear("v_proj")?,
            output: linear("out_proj")?,
            heads,
            scale: ((width / heads) as f64).powf(-0.5),
        })
    }

    fn key_values(&self, x: &Tensor) -> Result<(Tensor, Tensor)> {
        Ok((
            split_heads(&self.key.forward(x)?, self.heads)?,
            split_heads(&self.value.forward(x)?, self.heads)?,
        ))
    }

    fn keys_of(&self, x: &Tensor, bias: &Tensor) -> Result<Shared> {
        let (keys, values) = self.key_values(x)?;
        Ok(Shared { keys, values, bias: bias.clone() })
    }

    fn attend(
        &self,
        x: &Tensor,
        own: Option<(&super::attention::KeyValues, Option<&Tensor>)>,
        shared: Option<&Shared>,
    ) -> Result<Tensor> {
        let queries = split_heads(&(self.query.forward(x)? * self.scale)?, self.heads)?;
        self.output.forward(&attend(&queries, own, shared)?)
    }
}
