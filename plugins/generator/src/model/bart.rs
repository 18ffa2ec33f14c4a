//! BART (Lewis et al. 2019, arXiv 1910.13461), the generator of the RAG paper.
//!
//! Post-norm: every residual sum is normalized. Learned positions start at row 2 of their table.
//! Token embeddings of both sides and the output layer share one matrix.

use std::sync::Arc;

use candle_core::{D, Result, Tensor};
use postil_contract::TokenId;
use postil_kernel::{Kernel, Panels};
use serde::Deserialize;

use super::attention::{attend, split_heads};
use super::backbone::{EncoderDecoder, Memory};
use super::cache::Cache;
use super::layers::{Activation, Linear};
use super::matrix::{Matrix, embed};
use super::norm::Norm;
use super::packed::Packed;
use super::parameters::{LoadError, Parameters, TensorSource};
use super::tree::Tree;

/// Number of rows in the position table before position 0.
const POSITION_OFFSET: usize = 2;
const NORM_EPS: f64 = 1e-5;

/// BART's configuration; the defaults are those of transformers.
#[derive(Deserialize)]
#[serde(default)]
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
    activation_function: String,
    scale_embedding: bool,
    static_position_embeddings: bool,
    normalize_before: bool,
    normalize_embedding: bool,
    add_final_layer_norm: bool,
    decoder_start_token_id: TokenId,
}

impl Default for BartConfig {
    fn default() -> Self {
        Self {
            vocab_size: 50_265,
            d_model: 1_024,
            encoder_layers: 12,
            decoder_layers: 12,
            encoder_attention_heads: 16,
            decoder_attention_heads: 16,
            encoder_ffn_dim: 4_096,
            decoder_ffn_dim: 4_096,
            max_position_embeddings: 1_024,
            activation_function: "gelu".to_owned(),
            scale_embedding: false,
            static_position_embeddings: false,
            normalize_before: false,
            normalize_embedding: true,
            add_final_layer_norm: false,
            decoder_start_token_id: 2,
        }
    }
}

/// Prefixes of the model's tensors in the published layouts: whole, without its head, inside a RAG
/// checkpoint.
const PREFIXES: [&str; 4] = ["model.", "", "rag.generator.model.", "generator.model."];

pub(super) struct Bart {
    embedding: Arc<Panels>,
    width: usize,
    scale: f32,
    encoder: Side,
    decoder: Side,
    output: Linear,
    vocabulary: usize,
    start: TokenId,
}

/// The encoder or the decoder stack.
struct Side {
    /// Position embeddings, `[positions, width]`.
    positions: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    own: SelfAttention,
    own_norm: Norm,
    cross: Option<CrossAttention>,
    expand: Linear,
    contract: Linear,
    norm: Norm,
    activation: Activation,
}

struct SelfAttention {
    /// Query, key and value maps side by side.
    projection: Linear,
    output: Linear,
    heads: usize,
    scale: f64,
}

struct CrossAttention {
    query: Linear,
    /// Key and value maps side by side.
    key_values: Linear,
    output: Linear,
    norm: Norm,
    heads: usize,
    scale: f64,
}

impl Bart {
    pub(super) fn load(
        config: &BartConfig,
        source: &dyn TensorSource,
    ) -> std::result::Result<Self, LoadError> {
        for (what, value, supported) in [
            ("static_position_embeddings", config.static_position_embeddings, false),
            ("normalize_before", config.normalize_before, false),
            ("normalize_embedding", config.normalize_embedding, true),
            ("add_final_layer_norm", config.add_final_layer_norm, false),
        ] {
            if value != supported {
                return Err(LoadError::Unsupported { what, value: value.to_string() });
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
        let Matrix::Dense(embedding) = from.matrix("shared.weight", vocabulary, width)? else {
            return Err(LoadError::Unsupported { what: "BART weights", value: "quantized".to_owned() });
        };
        let bias = match whole.contains("final_logits_bias") {
            true => whole.table("final_logits_bias", 1, vocabulary)?,
            false => Vec::new(),
        };
        let encoder = (config.encoder_layers, config.encoder_attention_heads, config.encoder_ffn_dim);
        let decoder = (config.decoder_layers, config.decoder_attention_heads, config.decoder_ffn_dim);
        Ok(Self {
            scale: if config.scale_embedding { (width as f32).sqrt() } else { 1.0 },
            width,
            encoder: Side::load(&from.under("encoder"), config, encoder, false)?,
            decoder: Side::load(&from.under("decoder"), config, decoder, true)?,
            output: Linear::of(Matrix::Dense(embedding.clone()), bias)
                .map_err(|source| LoadError::Tensor { name: from.name("shared.weight"), source })?,
            embedding,
            vocabulary,
            start: config.decoder_start_token_id,
        })
    }

    /// Maps `[n, positions.len()]` ids to `[n, positions.len(), width]`.
    fn embed(&self, side: &Side, ids: &Tensor, positions: impl Iterator<Item = usize>) -> Result<Tensor> {
        let tokens = (embed(&self.embedding, ids)? * f64::from(self.scale))?;
        let position = |at: usize| &side.positions[(at + POSITION_OFFSET) * self.width..][..self.width];
        let positions: Vec<f32> = positions.flat_map(position).copied().collect();
        let positions = Tensor::from_vec(positions, ((), self.width), tokens.device())?;
        side.norm.forward(&tokens.broadcast_add(&positions)?)
    }
}

impl EncoderDecoder for Bart {
    fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    fn read(&self, prompts: &[Vec<TokenId>]) -> Result<Memory> {
        let (encoder, kernel) = (&self.encoder, Kernel::detect());
        let mut x = Packed::new(prompts, self.width, |at, token, state| {
            self.embedding.copy_column(*token as usize, state);
            state.iter_mut().for_each(|v| *v *= self.scale);
            let position = &encoder.positions[(at + POSITION_OFFSET) * self.width..][..self.width];
            encoder.norm.add(kernel, state, position);
        });
        for Layer { own, own_norm, expand, activation, contract, norm, .. } in &encoder.layers {
            let context = x.attend(&own.projection, own.heads)?;
            x.update(&context, (&own.output, own_norm), (expand, *activation, contract, norm))?;
        }
        let cross = self.decoder.layers.iter().filter_map(|layer| layer.cross.as_ref());
        let shared = cross.map(|cross| x.shared(&cross.key_values, cross.heads)).collect::<Result<_>>()?;
        Ok(Memory { shared, start: vec![self.start; prompts.len()], positions: vec![0; prompts.len()] })
    }

    fn forward(&self, memory: &Memory, cache: &mut Cache, ids: &Tensor, tree: &Tree) -> Result<Tensor> {
        let before = cache.len();
        let bias = tree.bias(before)?;
        let mut x = self.embed(&self.decoder, ids, tree.depths().iter().map(|depth| before + depth))?;
        for (i, (layer, shared)) in self.decoder.layers.iter().zip(&memory.shared).enumerate() {
            let projected = layer.own.projection.forward(&x)?;
            let part = |at: usize| {
                split_heads(&projected.narrow(D::Minus1, at * self.width, self.width)?, layer.own.heads)
            };
            let own = cache.extend(i, part(1)?, part(2)?)?;
            let queries = (part(0)? * layer.own.scale)?;
            let context = attend(&queries, Some((&own, bias.as_ref())), None)?;
            x = layer.own_norm.forward(&(&x + layer.own.output.forward(&context)?)?)?;
            if let Some(cross) = &layer.cross {
                let queries = (split_heads(&cross.query.forward(&x)?, cross.heads)? * cross.scale)?;
                let context = attend(&queries, None, Some(shared))?;
                x = cross.norm.forward(&(&x + cross.output.forward(&context)?)?)?;
            }
            let inner = layer.expand.activated(&x, layer.activation)?;
            x = layer.norm.forward(&(&x + layer.contract.forward(&inner)?)?)?;
        }
        cache.finish_pass(tree.len());
        Ok(x)
    }

    fn output(&self) -> &Linear {
        &self.output
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
        let activation = Activation::named("activation_function", &config.activation_function)?;
        let layer = |i: usize| {
            let from = from.under("layers").under(i);
            let norm = |name: &str| Norm::layer(&from.under(name), width, NORM_EPS);
            let linear =
                |from: &Parameters<'_>, name: &str| Linear::load_biased(&from.under(name), width, width);
            let (own, cross) = (from.under("self_attn"), from.under("encoder_attn"));
            let scale = ((width / heads) as f64).powf(-0.5);
            let cross = || {
                Ok::<_, LoadError>(CrossAttention {
                    query: linear(&cross, "q_proj")?,
                    key_values: Linear::stacked(&cross, &["k_proj", "v_proj"], width, width)?,
                    output: linear(&cross, "out_proj")?,
                    norm: norm("encoder_attn_layer_norm")?,
                    heads,
                    scale,
                })
            };
            Ok(Layer {
                own: SelfAttention {
                    projection: Linear::stacked(&own, &["q_proj", "k_proj", "v_proj"], width, width)?,
                    output: linear(&own, "out_proj")?,
                    heads,
                    scale,
                },
                own_norm: norm("self_attn_layer_norm")?,
                cross: crosses.then(cross).transpose()?,
                expand: Linear::load_biased(&from.under("fc1"), width, inner)?,
                contract: Linear::load_biased(&from.under("fc2"), inner, width)?,
                norm: norm("final_layer_norm")?,
                activation,
            })
        };
        let rows = config.max_position_embeddings.saturating_add(POSITION_OFFSET);
        Ok(Self {
            positions: from.table("embed_positions.weight", rows, width)?,
            norm: Norm::layer(&from.under("layernorm_embedding"), width, NORM_EPS)?,
            layers: (0..layers).map(layer).collect::<std::result::Result<_, LoadError>>()?,
        })
    }
}
