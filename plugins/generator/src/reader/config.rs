use postil_contract::{Calibration, ConfidenceFit, TokenId};
use postil_encoder::BertConfig;
use serde::Deserialize;

use crate::LoadError;

/// Name of the generator.
pub(super) const NAME: &str = "reader";

/// The settings in `config.json`, with the encoder's sizes.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ReaderConfig {
    /// The encoder's sizes, at the same level as the other fields.
    #[serde(flatten)]
    pub(super) bert: BertConfig,
    /// Number of components inside the gate.
    pub(super) gate_size: usize,
    /// Names of the gate's outputs, in order.
    gates: Vec<String>,
    /// The token before the first piece.
    #[serde(rename = "decoder_start_token_id")]
    pub(super) start: TokenId,
    /// The token that ends an answer, and that separates question and passage.
    #[serde(rename = "eos_token_id")]
    pub(super) end: TokenId,
    /// The token that says that the passage does not answer.
    #[serde(rename = "no_answer_token_id")]
    pub(super) no_answer: TokenId,
    /// Longest question, in pieces.
    pub(super) max_question_tokens: usize,
    /// Longest title with its colon, in pieces; a longer one is cut.
    pub(super) max_title_tokens: usize,
    /// Longest input, in pieces.
    pub(super) max_input_tokens: usize,
    /// Longest answer, in pieces, without its end token.
    pub(super) max_answer_tokens: usize,
    /// Parameters that `benches/calibrate.rs` fitted.
    #[serde(default)]
    calibration: Fitted,
}

/// [`Calibration`] in the format of `config.json`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
struct Fitted {
    prior_temperature: f32,
    no_answer_threshold: Option<f64>,
    confidence: Option<FittedConfidence>,
    min_confidence: f64,
}

/// [`ConfidenceFit`] in the format of `config.json`.
#[derive(Clone, Copy, Debug, Deserialize)]
struct FittedConfidence {
    offset: f64,
    probability: f64,
    /// 0 in folders that were fitted without it.
    #[serde(default)]
    read_probability: f64,
    abstention: f64,
}

impl Default for Fitted {
    fn default() -> Self {
        let Calibration { prior_temperature, no_answer_threshold, min_confidence, .. } =
            Calibration::default();
        Self { prior_temperature, no_answer_threshold, confidence: None, min_confidence }
    }
}

const MODEL_TYPE: &str = "postil-reader";
const GATES: [&str; 5] = ["end", "no_answer", "generate", "point", "continue"];
/// Largest `gate_size` and `max_answer_tokens` that are accepted.
const MOST: usize = 1 << 16;

/// Largest factor of the confidence that is accepted.
const MOST_FACTOR: f64 = 1e3;

#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    model_type: String,
}

impl ReaderConfig {
    pub(super) fn is_of_reader(json: &[u8]) -> bool {
        serde_json::from_slice(json).is_ok_and(|kind: Kind| kind.model_type == MODEL_TYPE)
    }

    /// Parses and checks `config.json`.
    pub(super) fn parse(json: &[u8]) -> Result<Self, LoadError> {
        let invalid = |error: serde_json::Error| LoadError::Config { reason: error.to_string() };
        // The kind is checked first: another architecture has other fields, and the error should
        // name the architecture, not a field.
        let kind: Kind = serde_json::from_slice(json).map_err(invalid)?;
        if kind.model_type != MODEL_TYPE {
            return Err(LoadError::Unsupported { what: "model_type", value: kind.model_type });
        }
        let config: Self = serde_json::from_slice(json).map_err(invalid)?;
        if config.bert.hidden_act != "gelu" {
            return Err(LoadError::Unsupported { what: "hidden_act", value: config.bert.hidden_act });
        }
        if config.gates != GATES {
            return Err(LoadError::Unsupported { what: "gates", value: config.gates.join(", ") });
        }
        config.check().map_err(|reason| LoadError::Config { reason })?;
        Ok(config)
    }

    pub(super) fn calibration(&self) -> Calibration {
        let Fitted { prior_temperature, no_answer_threshold, confidence, min_confidence } = self.calibration;
        let confidence = confidence.map(|fit| {
            let FittedConfidence { offset, probability, read_probability, abstention } = fit;
            ConfidenceFit { offset, probability, read_probability, abstention }
        });
        Calibration { prior_temperature, no_answer_threshold, confidence, min_confidence }
    }

    fn check(&self) -> Result<(), String> {
        self.bert.check()?;
        if self.bert.type_vocab_size < 2 {
            return Err("type_vocab_size is 1, question and passage need 2".to_owned());
        }
        if self.bert.position_embedding_type != "absolute" || self.bert.projection_dim != 0 {
            return Err("positions are absolute and nothing is projected".to_owned());
        }
        for (name, size) in [("gate_size", self.gate_size), ("max_answer_tokens", self.max_answer_tokens)] {
            if size == 0 || size > MOST {
                return Err(format!("{name} is {size}, expected 1 to {MOST}"));
            }
        }
        let special = [self.start, self.end, self.no_answer];
        if let Some(id) = special.iter().find(|id| **id as usize >= self.bert.vocab_size) {
            return Err(format!("special token {id} is not among the {} tokens", self.bert.vocab_size));
        }
        let Fitted {
            prior_temperature: temperature,
            no_answer_threshold: threshold,
            confidence,
            min_confidence,
        } = self.calibration;
        let factors =
            confidence.map(|fit| [fit.offset, fit.probability, fit.read_probability, fit.abstention]);
        if let Some(factor) = factors.into_iter().flatten().find(|factor| factor.abs() > MOST_FACTOR) {
            return Err(format!("confidence has {factor}, expected at most {MOST_FACTOR}"));
        }
        if !(temperature > 0.0 && temperature.is_finite()) {
            return Err(format!("prior_temperature is {temperature}, expected a number above 0"));
        }
        if let Some(threshold) = threshold.filter(|threshold| !(0.0..=1.0).contains(threshold)) {
            return Err(format!("no_answer_threshold is {threshold}, expected 0 to 1"));
        }
        if !(0.0..=1.0).contains(&min_confidence) {
            return Err(format!("min_confidence is {min_confidence}, expected 0 to 1"));
        }
        if self.end == self.no_answer {
            return Err(format!("token {} cannot both end an answer and say that there is none", self.end));
        }
        let (most, positions) = (self.max_input_tokens, self.bert.max_position_embeddings);
        // Besides these: `[CLS]`, two `[SEP]` and one piece of a passage.
        let least = self.max_question_tokens.saturating_add(self.max_title_tokens).saturating_add(4);
        if most > positions || most < least || self.max_question_tokens == 0 || self.max_title_tokens == 0 {
            return Err(format!(
                "max_input_tokens is {most}, expected {least} to {positions} with question and title above 0"
            ));
        }
        Ok(())
    }
}
