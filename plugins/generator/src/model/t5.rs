//! T5 (Raffel et al. 2020, arXiv 1910.10683), its 1.1 and Flan variants, and mT5.
//!
//! Pre-norm without biases; attention is not scaled; positions are a bias on attention scores, by
//! bucket of the distance, held by the first layer of each stack and used by all.

use candle_core::{Device, Result, Tensor};
use postil_contract::TokenId;
use serde::Deserialize;

use super::attention::{KeyValues, Shared, attend, padding_bias, split_heads};
use super::backbone::{EncoderDecoder, Memory};
use super::cache::Cache;
use super::config::parse;
use super::layers::{Activation, Linear};
use super::matrix::Matrix;
use super::norm::Norm;
use super::padded::padded;
use super::parameters::{LoadError, Parameters, TensorSource};
use super::tree::Tree;

/// T5's configuration; the defaults are those of transformers.
#[derive(Deserialize)]
#[serde(default)]
pub(super) struct T5Config {
    vocab_size: usize,
    d_model: usize,
    d_kv: usize,
    d_ff: usize,
    num_layers: usize,
    num_decoder_layers: Option<usize>,
    num_heads: usize,
    relative_attention_num_buckets: usize,
    relative_attention_max_distance: usize,
    layer_norm_epsilon: f64,
    feed_forward_proj: String,
    decoder_start_token_id: TokenId,
    /// transformers 4 scales the output exactly when embeddings are tied; transformers 5 has its
    /// own setting for that.
    tie_word_embeddings: Option<bool>,
    scale_decoder_outputs: Option<bool>,
}

impl Default for T5Config {
    fn default() -> Self {
        Self {
            vocab_size: 32_128,
            d_model: 512,
            d_kv: 64,
            d_ff: 2_048,
            num_layers: 6,
            num_decoder_layers: None,
            num_heads: 8,
            relative_attention_num_buckets: 32,
            relative_attention_max_distance: 128,
            layer_norm_epsilon: 1e-6,
            feed_forward_proj: "relu".to_owned(),
            decoder_start_token_id: 0,
            tie_word_embeddings: None,
            scale_decoder_outputs: None,
        }
    }
}

impl T5Config {
    /// Parses the configuration of an mT5, which has other defaults.
    pub(super) fn of_mt5(config: &str) -> std::result::Result<Self, LoadError> {
        #[derive(Deserialize)]
        #[serde(default)]
        struct Other {
            vocab_size: usize,
            d_ff: usize,
            num_layers: usize,
            num_heads: usize,
            feed_forward_proj: String,
            tie_word_embeddings: bool,
        }
        impl Default for Other {
            fn default() -> Self {
                Self {
                    vocab_size: 250_112,
                    d_ff: 1_024,
                    num_layers: 8,
                    num_heads: 6,
                    feed_forward_proj: "gated-gelu".to_owned(),
                    tie_word_embeddings: false,
                }
            }
        }
        let Other { vocab_size, d_ff, num_layers, num_heads, feed_forward_proj, tie_word_embeddings } =
            parse(config)?;
        Ok(Self {
            vocab_size,
            d_ff,
            num_layers,
            num_heads,
            feed_forward_proj,
            tie_word_embeddings: Some(tie_word_embeddings),
            ..parse(config)?
        })
    }
}

/// Prefixes of the model's tensors: alone, inside a RAG checkpoint.
const PREFIXES: [&str; 3] = ["", "rag.generator.", "generator."];

pub(super) struct T5 {
    embedding: Matrix,
    encoder: Stack,
    decoder: Stack,
    output: Linear,
    output_scale: f64,
    vocabulary: usize,
    start: TokenId,
}

struct Stack {
    distances: Distances,
    layers: Vec<Layer>,
    norm: Norm,
}

struct Layer {
    own_norm: Norm,
    own: Attention,
    cross: Option<(Norm, Attention)>,
    norm: Norm,
    gate: Option<Linear>,
    expand: Linear,
    contract: Linear,
    activation: Activation,
}

struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
}

/// The relative position bias of attention scores.
struct Distances {
    /// Bias by bucket, `[buckets, heads]`.
    bias: Tensor,
    buckets: usize,
    max_distance: usize,
    both_ways: bool,
}

impl T5 {
    pub(super) fn load(config: &T5Config, source: &dyn TensorSource) -> std::result::Result<Self, LoadError> {
        let (width, vocabulary) = (config.d_model, config.vocab_size);
        let has = |prefix: &&&str| source.contains(&format!("{prefix}shared.weight"));
        let from = Parameters::new(source, PREFIXES.iter().find(has).copied().unwrap_or_default());
        let embedding = from.matrix("shared.weight", vocabulary, width)?;
        let tied = !from.contains("lm_head.weight");
        let output = if tied { embedding.clone() } else { from.matrix("lm_head.weight", vocabulary, width)? };
        let scaled = config.scale_decoder_outputs.or(config.tie_word_embeddings).unwrap_or(true);
        let decoder_layers = config.num_decoder_layers.unwrap_or(config.num_layers);
        Ok(Self {
            encoder: Stack::load(&from.under("encoder"), config, config.num_layers, false)?,
            decoder: Stack::load(&from.under("decoder"), config, decoder_layers, true)?,
            output: Linear::of(output, Vec::new())
                .map_err(|source| LoadError::Tensor { name: "lm_head.weight".to_owned(), source })?,
            output_scale: if scaled { (width as f64).powf(-0.5) } else { 1.0 },
            embedding,
            vocabulary,
            start: config.decoder_start_token_id,
        })
    }
}

impl EncoderDecoder for T5 {
    fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    fn read(&self, prompts: &[Vec<TokenId>]) -> Result<Memory> {
        let (ids, lengths, longest) = padded(prompts)?;
        let padding = padding_bias(&lengths, longest)?;
        let bias =
            self.encoder.distances.bias(0, &(0..longest).collect::<Vec<_>>())?.broadcast_add(&padding)?;
        let mut x = self.embedding.embed(&ids)?;
        for layer in &self.encoder.layers {
            let look = |x: &Tensor| {
                let (keys, values) = layer.own.key_values(x)?;
                layer.own.attend(x, Some((&KeyValues { keys, values }, Some(&bias))), None)
            };
            x = layer.forward(&x, look, None)?;
        }
        let x = self.encoder.norm.forward(&x)?;
        let cross = self.decoder.layers.iter().filter_map(|layer| layer.cross.as_ref());
        let shared = cross.map(|(_, cross)| {
            let (keys, values) = cross.key_values(&x)?;
            Shared::new(keys, values, &lengths)
        });
        let shared = shared.collect::<Result<_>>()?;
        Ok(Memory { shared, start: vec![self.start; prompts.len()], positions: vec![0; prompts.len()] })
    }

    fn forward(&self, memory: &Memory, cache: &mut Cache, ids: &Tensor, tree: &Tree) -> Result<Tensor> {
        let before = cache.len();
        let mut bias = self.decoder.distances.bias(before, tree.depths())?;
        if let Some(tree) = tree.bias(before)? {
            bias = bias.broadcast_add(&tree)?;
        }
        let mut x = self.embedding.embed(ids)?;
        for (i, (layer, shared)) in self.decoder.layers.iter().zip(&memory.shared).enumerate() {
            let look_back = |x: &Tensor| {
                let (keys, values) = layer.own.key_values(x)?;
                let own = cache.extend(i, keys, values)?;
                layer.own.attend(x, Some((&own, Some(&bias))), None)
            };
            x = layer.forward(&x, look_back, Some(shared))?;
        }
        cache.finish_pass(tree.len());
        let x = self.decoder.norm.forward(&x)?;
        if self.output_scale == 1.0 { Ok(x) } else { x * self.output_scale }
    }

    fn output(&self) -> &Linear {
        &self.output
    }
}

impl Stack {
    fn load(
        from: &Parameters<'_>,
        config: &T5Config,
        layers: usize,
        decodes: bool,
    ) -> std::result::Result<Self, LoadError> {
        let (buckets, max_distance) =
            (config.relative_attention_num_buckets, config.relative_attention_max_distance);
        if buckets < 4 || max_distance <= buckets / 2 {
            let reason = format!("{buckets} buckets cannot hold distances up to {max_distance}");
            return Err(LoadError::Config { reason });
        }
        let name = "block.0.layer.0.SelfAttention.relative_attention_bias.weight";
        let bias = from.tensor(name, &[buckets, config.num_heads])?;
        let layer = |i: usize| Layer::load(&from.under("block").under(i).under("layer"), config, decodes);
        Ok(Self {
            distances: Distances { bias, buckets, max_distance, both_ways: !decodes },
            layers: (0..layers).map(layer).collect::<std::result::Result<_, LoadError>>()?,
            norm: Norm::rms(&from.under("final_layer_norm"), config.d_model, config.layer_norm_epsilon, 0.0)?,
        })
    }
}

impl Layer {
    fn load(from: &Parameters<'_>, config: &T5Config, decodes: bool) -> std::result::Result<Self, LoadError> {
        let (width, inner) = (config.d_model, config.d_ff);
        let norm =
            |i: usize| Norm::rms(&from.under(i).under("layer_norm"), width, config.layer_norm_epsilon, 0.0);
        let attention = |i: usize, name: &str| Attention::load(&from.under(i).under(name), config);
        let last = if decodes { 2 } else { 1 };
        let feed = from.under(last).under("DenseReluDense");
        let (gated, activation) = match config.feed_forward_proj.strip_prefix("gated-") {
            Some("gelu") => (true, Activation::GeluTanh),
            Some(name) => (true, Activation::named("feed_forward_proj", name)?),
            None => (false, Activation::named("feed_forward_proj", &config.feed_forward_proj)?),
        };
        let bare = |name: &str, input, output| Linear::load(&feed.under(name), input, output);
        Ok(Self {
            own_norm: norm(0)?,
            own: attention(0, "SelfAttention")?,
            cross: decodes
                .then(|| Ok::<_, LoadError>((norm(1)?, attention(1, "EncDecAttention")?)))
                .transpose()?,
            norm: norm(last)?,
            gate: gated.then(|| bare("wi_0", width, inner)).transpose()?,
            expand: bare(if gated { "wi_1" } else { "wi" }, width, inner)?,
            contract: bare("wo", inner, width)?,
            activation,
        })
    }

    fn forward(
        &self,
        x: &Tensor,
        own: impl FnOnce(&Tensor) -> Result<Tensor>,
        shared: Option<&Shared>,
    ) -> Result<Tensor> {
        let mut x = (x + own(&self.own_norm.forward(x)?)?)?;
        if let Some((norm, cross)) = &self.cross {
            x = (&x + cross.attend(&norm.forward(&x)?, None, shared)?)?;
        }
        let y = self.norm.forward(&x)?;
        let inner = match &self.gate {
            Some(gate) => (gate.activated(&y, self.activation)? * self.expand.forward(&y)?)?,
            None => self.expand.activated(&y, self.activation)?,
        };
        &x + self.contract.forward(&inner)?
    }
}

impl Attention {
    fn load(from: &Parameters<'_>, config: &T5Config) -> std::result::Result<Self, LoadError> {
        let (width, inner) = (config.d_model, config.d_kv.saturating_mul(config.num_heads));
        let bare = |name: &str, input, output| Linear::load(&from.under(name), input, output);
        Ok(Self {
            query: bare("q", width, inner)?,
            key: bare("k", width, inner)?,
            value: bare("v", width, inner)?,
            output: bare("o", inner, width)?,
            heads: config.num_heads,
        })
    }

    fn key_values(&self, x: &Tensor) -> Result<(Tensor, Tensor)> {
        Ok((
            split_heads(&self.key.forward(x)?, self.heads)?,
            split_heads(&self.value.forward(x)?, self.heads)?,
        ))
    }

    fn attend(
        &self,
        x: &Tensor,
        own: Option<(&KeyValues, Option<&Tensor>)>,
        shared: Option<&Shared>,
    ) -> Result<Tensor> {
        let queries = split_heads(&self.query.forward(x)?, self.heads)?;
        self.output.forward(&attend(&queries, own, shared)?)
    }
}

impl Distances {
    /// The bias of tokens at `depths` after `before` others, toward those and each other:
    /// `[1, heads, depths.len(), before + depths.len()]`.
    fn bias(&self, before: usize, depths: &[usize]) -> Result<Tensor> {
        let (length, all) = (depths.len(), before + depths.len());
        let queries = depths.iter().map(|depth| before + depth);
        let keys: Vec<usize> = (0..before).chain(queries.clone()).collect();
        let distance = |query: usize, key: &usize| self.bucket(*key as i64 - query as i64);
        let buckets: Vec<u32> =
            queries.flat_map(|query| keys.iter().map(move |key| distance(query, key))).collect();
        let index = Tensor::from_vec(buckets, length * all, &Device::Cpu)?;
        self.bias
            .index_select(&index, 0)?
            .reshape((length, all, ()))?
            .permute((2, 0, 1))?
            .contiguous()?
            .unsqueeze(0)
    }

    /// Bucket of a distance: near distances have a bucket each, far ones share them
    /// logarithmically. Computed in f32, so that it rounds as the reference does.
    fn bucket(&self, distance: i64) -> u32 {
        let (buckets, first) = match self.both_ways {
            true => (self.buckets / 2, if distance > 0 { self.buckets / 2 } else { 0 }),
            false => (self.buckets, 0),
        };
        let distance = match self.both_ways {
            true => distance.unsigned_abs() as usize,
            false => usize::try_from(-distance).unwrap_or(0),
        };
        let exact = buckets / 2;
        let bucket = if distance < exact {
            distance
        } else {
            let range = (self.max_distance as f64 / exact as f64).ln() as f32;
            let far = (distance as f32 / exact as f32).ln() / range * (buckets - exact) as f32;
            (exact + far as usize).min(buckets - 1)
        };
        (first + bucket) as u32
    }
}
