//! Language models against stored logits, likelihoods and posteriors, from both forms of
//! `config.json`.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use postil_contract::{Decoding, TokenId};
use postil_generator::{
    LanguageModel, Marginal, Mode, TensorSource, evidence_log_ratio, exhaustive, marginal, prior,
};
use serde_json::Value;

use crate::support::golden;

const CONFIGS: [&str; 2] = ["config.json", "config.v5.json"];
const POSTERIOR: f64 = 5e-4;

struct Tolerance {
    logits: f64,
    log_likelihood: f64,
}

/// Largest difference seen, by quantity.
#[derive(Default)]
pub(crate) struct Errors(Vec<(&'static str, f64, usize)>);

impl Errors {
    pub(crate) fn check(&mut self, what: &'static str, got: f64, expected: &Value, tolerance: f64) {
        let expected = expected.as_f64().unwrap_or(f64::NEG_INFINITY);
        let error = if got == expected { 0.0 } else { (got - expected).abs() };
        match self.0.iter_mut().find(|(name, ..)| *name == what) {
            Some((_, worst, count)) => (*worst, *count) = (worst.max(error), *count + 1),
            None => self.0.push((what, error, 1)),
        }
        assert!(error <= tolerance, "{what}: got {got}, expected {expected}");
    }

    fn check_all(
        &mut self,
        what: &'static str,
        got: impl ExactSizeIterator<Item = f64>,
        expected: &Value,
        tolerance: f64,
    ) {
        let expected = expected.as_array().unwrap();
        assert_eq!(got.len(), expected.len(), "{what}");
        got.zip(expected).for_each(|(got, expected)| self.check(what, got, expected, tolerance));
    }

    pub(crate) fn report(&self, name: &str) {
        assert!(!self.0.is_empty(), "{name} has no case");
        for (what, worst, count) in &self.0 {
            eprintln!("{name}: {what}: {count} values, largest error {worst:.1e}");
        }
    }
}

pub(crate) fn ids(value: &Value) -> Vec<TokenId> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap().try_into().unwrap()).collect()
}

pub(crate) fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// The prompts of every question: stored flat for encoder-decoders, by question for the others.
pub(crate) fn prompts(golden: &Value) -> Vec<Vec<Vec<TokenId>>> {
    let inputs = &golden["inputs"];
    match inputs["contexts"].as_array() {
        Some(flat) => {
            let passages = inputs["n_docs"].as_u64().unwrap() as usize;
            flat.chunks_exact(passages).map(|contexts| contexts.iter().map(ids).collect()).collect()
        }
        None => {
            let by_question = inputs["prompts"].as_array().unwrap().iter();
            by_question.map(|prompts| prompts.as_array().unwrap().iter().map(ids).collect()).collect()
        }
    }
}

pub(crate) fn tensors(model: &str) -> HashMap<String, Tensor> {
    let file = golden::folder().unwrap().join(model).join("model.safetensors");
    candle_core::safetensors::load(file, &Device::Cpu).unwrap()
}

/// Loads the model; its answers begin after `start` if that is given, else as its configuration
/// says.
pub(crate) fn load(
    model: &str,
    config: &str,
    tensors: &dyn TensorSource,
    start: Option<TokenId>,
) -> LanguageModel {
    let folder = golden::folder().unwrap().join(model);
    let mut config: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join(config)).unwrap()).unwrap();
    if let Some(start) = start {
        config["decoder_start_token_id"] = start.into();
    }
    let generation = std::fs::read_to_string(folder.join("generation_config.json")).ok();
    LanguageModel::load(model, &config.to_string(), generation.as_deref(), tensors).unwrap()
}

fn check_logits(
    errors: &mut Errors,
    model: &LanguageModel,
    prompts: &[Vec<TokenId>],
    answer: &[TokenId],
    item: &Value,
    tolerance: f64,
) {
    let Some(expected) = item["seq_logits_per_doc"].as_array() else { return };
    let got = model.logits(prompts, answer).unwrap();
    let mut lines = got.chunks_exact(model.vocabulary());
    for line in expected.iter().flat_map(|per_doc| per_doc.as_array().unwrap()) {
        errors.check_all("logits", lines.next().unwrap().iter().map(|v| f64::from(*v)), line, tolerance);
    }
    assert!(lines.next().is_none());
}

fn check_marginals(errors: &mut Errors, found: [&Marginal; 2], item: &Value, tolerance: f64) {
    let [sequence, token] = found;
    errors.check("rag_sequence_ll", sequence.log_prob, &item["rag_sequence_ll"], tolerance);
    errors.check("rag_token_ll", token.log_prob, &item["rag_token_ll"], tolerance);
    errors.check_all("posterior_seq", sequence.posterior.iter().copied(), &item["posterior_seq"], POSTERIOR);
    for (what, found) in [("prefix_posterior", sequence), ("token_posterior", token)] {
        for (z, expected) in item[what].as_array().unwrap().iter().enumerate() {
            errors.check_all(what, found.steps.iter().map(|s| s.posterior[z]), expected, POSTERIOR);
        }
    }
}

/// Scores one target under every passage, and computes the marginals from the scores.
fn check_target(
    errors: &mut Errors,
    model: &LanguageModel,
    prompts: &[Vec<TokenId>],
    item: &Value,
    scores: &[f64],
    tolerance: &Tolerance,
) -> Vec<Vec<Option<f32>>> {
    let target = ids(&item["target"]);
    check_logits(errors, model, prompts, &target, item, tolerance.logits);
    let log_prior = prior(scores, 1.0);
    let mut decoding = model.start(prompts).unwrap();
    let run = |decoding: &mut dyn Decoding, mode| {
        exhaustive(decoding, vec![target.clone()], mode, &log_prior).unwrap().remove(0)
    };
    let [sequence, token] = [Mode::Sequence, Mode::Token].map(|mode| run(decoding.as_mut(), mode));
    for (z, expected) in item["token_logprobs_per_doc"].as_array().unwrap().iter().enumerate() {
        let got: Vec<f64> = sequence.scores.tokens().map(|t| f64::from(t[z].unwrap())).collect();
        errors.check_all("token_logprobs_per_doc", got.into_iter(), expected, tolerance.log_likelihood);
    }
    check_marginals(errors, [&sequence.marginal, &token.marginal], item, tolerance.log_likelihood);
    let scores: Vec<Vec<Option<f32>>> = sequence.scores.tokens().map(<[_]>::to_vec).collect();
    check_steps(decoding.as_mut(), &target, &scores);
    scores
}

/// Checks that the cache gives, token by token and while a second hypothesis comes and goes, the
/// results of one pass.
fn check_steps(decoding: &mut dyn Decoding, target: &[TokenId], scores: &[Vec<Option<f32>>]) {
    let vocabulary = decoding.vocabulary();
    let mut row = 0;
    for (i, (token, expected)) in target.iter().zip(scores).enumerate() {
        let log_probs = decoding.log_probs().unwrap();
        for (line, expected) in log_probs.row(row).chunks_exact(vocabulary).zip(expected) {
            let (got, expected) = (line[*token as usize], expected.unwrap());
            assert!((got - expected).abs() < 1e-3, "token {i}: {got} {expected}");
        }
        let other = (*token + 1) % vocabulary as TokenId;
        match i % 3 {
            0 => decoding.advance(&[row, row], &[other, *token]).unwrap(),
            1 => decoding.advance(&[row, 0, row], &[*token, *token, other]).unwrap(),
            _ => decoding.advance(&[row], &[*token]).unwrap(),
        }
        row = usize::from(i % 3 == 0);
    }
}

fn encoder_decoder(model: &str, tolerance: &Tolerance) {
    let Some(golden) = golden::read::<Value>(&format!("golden_{model}.json")) else { return };
    let (tensors, prompts) = (tensors(model), prompts(&golden));
    let scores: Vec<Vec<f64>> =
        golden["inputs"]["doc_scores"].as_array().unwrap().iter().map(floats).collect();
    for config in CONFIGS {
        let mut errors = Errors::default();
        for set in golden["targets"].as_array().unwrap() {
            for (b, item) in set["items"].as_array().unwrap().iter().enumerate() {
                let loaded = load(model, config, &tensors, Some(ids(&set["labels"][b])[0]));
                check_target(&mut errors, &loaded, &prompts[b], item, &scores[b], tolerance);
            }
        }
        errors.report(&format!("{model} {config}"));
    }
}

#[test]
fn golden_bart_logits_likelihoods_and_posteriors_are_reproduced() {
    encoder_decoder("bart", &Tolerance { logits: 5e-4, log_likelihood: 2e-4 });
}

#[test]
fn golden_t5_logits_likelihoods_and_posteriors_are_reproduced() {
    encoder_decoder("t5", &Tolerance { logits: 2e-3, log_likelihood: 5e-4 });
}

fn decoder_only(model: &str) {
    let tolerance = Tolerance { logits: 2e-4, log_likelihood: 2e-4 };
    let Some(golden) = golden::read::<Value>(&format!("golden_{model}.json")) else { return };
    let (tensors, prompts) = (tensors(model), prompts(&golden));
    let scores: Vec<Vec<f64>> =
        golden["inputs"]["doc_scores"].as_array().unwrap().iter().map(floats).collect();
    for config in CONFIGS {
        let (mut errors, loaded) = (Errors::default(), load(model, config, &tensors, None));
        for item in golden["targets"].as_array().unwrap() {
            let b = item["question"].as_u64().unwrap() as usize;
            let mut said = check_target(&mut errors, &loaded, &prompts[b], item, &scores[b], &tolerance);

            let (target, null) = (ids(&item["target"]), ids(&golden["inputs"]["null_prompts"][b]));
            let null = loaded.start(&[null]).unwrap().score(&[target]).unwrap().remove(0);
            let null: Vec<f32> = null.tokens().map(|t| t[0].unwrap()).collect();
            let expected = &item["null_token_logprobs"];
            errors.check_all(
                "null_token_logprobs",
                null.iter().map(|v| f64::from(*v)),
                expected,
                tolerance.log_likelihood,
            );
            let log_prior = prior(&scores[b], 1.0);
            let found = marginal(Mode::Sequence, &log_prior, said.iter().map(Vec::as_slice));
            let ratio = evidence_log_ratio(found.log_prob, null.iter().map(|v| f64::from(*v)).sum());
            errors.check(
                "evidence_log_ratio",
                ratio,
                &item["evidence_log_ratio"],
                2.0 * tolerance.log_likelihood,
            );

            let with_null = &item["with_null_doc"];
            let mut scores = scores[b].clone();
            scores.push(with_null["null_score"].as_f64().unwrap());
            said.iter_mut().zip(&null).for_each(|(token, null)| token.push(Some(*null)));
            let run = |mode| marginal(mode, &prior(&scores, 1.0), said.iter().map(Vec::as_slice));
            let (sequence, token) = (run(Mode::Sequence), run(Mode::Token));
            check_marginals(&mut errors, [&sequence, &token], with_null, tolerance.log_likelihood);
        }
        errors.report(&format!("{model} {config}"));
    }
}

#[test]
fn golden_llama_logits_likelihoods_and_posteriors_are_reproduced() {
    decoder_only("llama");
}

#[test]
fn golden_qwen2_logits_likelihoods_and_posteriors_are_reproduced() {
    decoder_only("qwen2");
}

#[test]
fn golden_qwen3_logits_likelihoods_and_posteriors_are_reproduced() {
    decoder_only("qwen3");
}
