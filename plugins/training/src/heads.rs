//! The heads of BERT's pretraining (Devlin et al. 2018): masked words and next sentences.

use candle_core::{Device, Result, Tensor};

use crate::{Bert, Parameters, ops};

const TRANSFORM: &str = "cls.predictions.transform";
const BIAS: &str = "cls.predictions.bias";
const NEXT: &str = "cls.seq_relationship";
const POOLER: &str = "pooler.dense";

/// The head that predicts masked words: a layer with GELU and norm, then the word embeddings
/// themselves as the output layer, with a bias.
pub struct MaskedWords;

impl MaskedWords {
    /// Adds the head's tensors that the parent lacks: most published encoders leave them out. A new
    /// head begins as the identity.
    ///
    /// # Errors
    /// candle's.
    pub fn complete(bert: &Bert, parameters: &mut Parameters) -> Result<()> {
        let (width, words) = (bert.config().hidden_size, bert.config().vocab_size);
        let cpu = &Device::Cpu;
        let new = [
            (format!("{TRANSFORM}.dense.weight"), Tensor::eye(width, candle_core::DType::F32, cpu)?),
            (format!("{TRANSFORM}.dense.bias"), Tensor::zeros(width, candle_core::DType::F32, cpu)?),
            (format!("{TRANSFORM}.LayerNorm.weight"), Tensor::ones(width, candle_core::DType::F32, cpu)?),
            (format!("{TRANSFORM}.LayerNorm.bias"), Tensor::zeros(width, candle_core::DType::F32, cpu)?),
            (BIAS.to_owned(), Tensor::zeros(words, candle_core::DType::F32, cpu)?),
        ];
        for (name, tensor) in new {
            if !parameters.has(&name) {
                parameters.insert(&name, &tensor)?;
            }
        }
        Ok(())
    }

    /// Mean of -log p(word) over the masked positions. `states`: `[tokens, hidden_size]`; `places`:
    /// the positions among the tokens; `words`: the right word of each.
    ///
    /// # Errors
    /// candle's; also when there is no position.
    pub fn loss(
        bert: &Bert,
        parameters: &Parameters,
        states: &Tensor,
        places: &[u32],
        words: &[u32],
    ) -> Result<Tensor> {
        let places = Tensor::from_slice(places, places.len(), &Device::Cpu)?;
        let of = |name: &str| parameters.tensor(&format!("{TRANSFORM}.{name}"));
        let hidden = states.index_select(&places, 0)?;
        let hidden = ops::gelu(&ops::linear(&hidden, &of("dense.weight")?, &of("dense.bias")?)?)?;
        let epsilon = bert.config().layer_norm_eps;
        let hidden = ops::norm(&hidden, &of("LayerNorm.weight")?, &of("LayerNorm.bias")?, epsilon)?;
        ops::cross_entropy(&ops::linear(&hidden, &bert.words(parameters)?, &parameters.tensor(BIAS)?)?, words)
    }
}

/// The head that says whether the second part of a pair follows the first: the pooler, then two
/// classes, of which 0 is "follows".
pub struct NextSentence;

impl NextSentence {
    /// Adds the head's tensors that the parent lacks.
    ///
    /// # Errors
    /// candle's.
    pub fn complete(bert: &Bert, parameters: &mut Parameters, prefix: &str) -> Result<()> {
        let (width, f32, cpu) = (bert.config().hidden_size, candle_core::DType::F32, &Device::Cpu);
        let new = [
            (format!("{prefix}{POOLER}.weight"), Tensor::eye(width, f32, cpu)?),
            (format!("{prefix}{POOLER}.bias"), Tensor::zeros(width, f32, cpu)?),
            (format!("{NEXT}.weight"), Tensor::zeros((2, width), f32, cpu)?),
            (format!("{NEXT}.bias"), Tensor::zeros(2, f32, cpu)?),
        ];
        for (name, tensor) in new {
            if !parameters.has(&name) {
                parameters.insert(&name, &tensor)?;
            }
        }
        Ok(())
    }

    /// Mean of -log p(class). `firsts`: the states of the first tokens, `[pairs, hidden_size]`;
    /// `is_next`: 0 where the second part follows the first, else 1. `prefix` is that of the
    /// pooler's names.
    ///
    /// # Errors
    /// candle's.
    pub fn loss(parameters: &Parameters, prefix: &str, firsts: &Tensor, classes: &[u32]) -> Result<Tensor> {
        let of = |name: String| parameters.tensor(&name);
        let pooled = ops::linear(
            firsts,
            &of(format!("{prefix}{POOLER}.weight"))?,
            &of(format!("{prefix}{POOLER}.bias"))?,
        )?;
        let logits =
            ops::linear(&pooled.tanh()?, &of(format!("{NEXT}.weight"))?, &of(format!("{NEXT}.bias"))?)?;
        ops::cross_entropy(&logits, classes)
    }
}
