//! The mathematics alone, from stored per-passage log-probabilities, against stored results in f64.

use postil_generator::{
    Marginal, Mode, evidence_log_ratio, leave_one_out_sequence, log_softmax, marginal, prior,
};
use serde_json::Value;

use crate::support::golden;

const TOLERANCE: f64 = 1e-8;

/// Largest difference seen, by quantity.
#[derive(Default)]
struct Errors(Vec<(&'static str, f64, usize)>);

impl Errors {
    fn check(&mut self, what: &'static str, got: f64, expected: &Value) {
        let expected = expected.as_f64().unwrap_or(f64::NEG_INFINITY);
        let error = if got == expected { 0.0 } else { (got - expected).abs() / expected.abs().max(1.0) };
        match self.0.iter_mut().find(|(name, ..)| *name == what) {
            Some((_, worst, count)) => (*worst, *count) = (worst.max(error), *count + 1),
            None => self.0.push((what, error, 1)),
        }
        assert!(error <= TOLERANCE, "{what}: got {got}, expected {expected}");
    }

    fn check_all(&mut self, what: &'static str, got: &[f64], expected: &Value) {
        let expected = expected.as_array().unwrap();
        assert_eq!(got.len(), expected.len(), "{what}");
        got.iter().zip(expected).for_each(|(got, expected)| self.check(what, *got, expected));
    }

    fn report(&self, file: &str) {
        assert!(!self.0.is_empty(), "{file} has no case");
        for (what, worst, count) in &self.0 {
            eprintln!("{file}: {what}: {count} values, largest error {worst:.1e}");
        }
    }
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NEG_INFINITY)).collect()
}

/// Converts `[passages][tokens]`, as stored, to `[tokens][passages]`.
fn tokens(per_doc: &[Vec<f64>]) -> Vec<Vec<Option<f64>>> {
    (0..per_doc[0].len()).map(|i| per_doc.iter().map(|line| Some(line[i])).collect()).collect()
}

fn both(log_prior: &[f64], per_doc: &[Vec<f64>]) -> (Marginal, Marginal) {
    let tokens = tokens(per_doc);
    let run = |mode| marginal(mode, log_prior, tokens.iter().map(Vec::as_slice));
    (run(Mode::Sequence), run(Mode::Token))
}

/// Checks the values that every scored target has, for each model.
fn check_posteriors(errors: &mut Errors, item: &Value, sequence: &Marginal, token: &Marginal) {
    errors.check("rag_sequence_ll", sequence.log_prob, &item["rag_sequence_ll"]);
    errors.check("rag_token_ll", token.log_prob, &item["rag_token_ll"]);
    errors.check_all("posterior_seq", &sequence.posterior, &item["posterior_seq"]);
    for (z, (filtered, responsible)) in item["prefix_posterior"]
        .as_array()
        .into_iter()
        .flatten()
        .zip(item["token_posterior"].as_array().unwrap())
        .enumerate()
    {
        let line = |found: &Marginal| found.steps.iter().map(|s| s.posterior[z]).collect::<Vec<_>>();
        errors.check_all("prefix_posterior", &line(sequence), filtered);
        errors.check_all("token_posterior", &line(token), responsible);
    }
}

fn check_item(errors: &mut Errors, item: &Value, scores: &[f64]) -> Vec<Vec<f64>> {
    let log_prior = prior(scores, 1.0);
    let per_doc: Vec<Vec<f64>> =
        item["token_logprobs_per_doc"].as_array().unwrap().iter().map(floats).collect();
    let (sequence, token) = both(&log_prior, &per_doc);
    errors.check_all("doc_logprobs", &log_prior, &item["doc_logprobs"]);
    errors.check_all("seq_logprob_per_doc", &sequence.log_likelihoods, &item["seq_logprob_per_doc"]);
    check_posteriors(errors, item, &sequence, &token);
    for (found, key, what) in [
        (&sequence, "rag_sequence_token_logprobs", "rag_sequence_token_logprobs"),
        (&token, "rag_token_token_logprobs", "rag_token_token_logprobs"),
    ] {
        errors.check_all(what, &found.steps.iter().map(|s| s.log_prob).collect::<Vec<_>>(), &item[key]);
    }
    for z in 0..scores.len() {
        let closed = leave_one_out_sequence(&log_prior, &sequence.log_likelihoods, z);
        assert!((sequence.leave_one_out[z] - closed).abs() < TOLERANCE || closed.is_infinite());
    }
    per_doc
}

fn encoder_decoder(file: &'static str) {
    let Some(golden) = golden::read::<Value>(file) else { return };
    let mut errors = Errors::default();
    let scores: Vec<Vec<f64>> =
        golden["inputs"]["doc_scores"].as_array().unwrap().iter().map(floats).collect();
    let mut first = None;
    for target in golden["targets"].as_array().unwrap() {
        let items = target["items"].as_array().unwrap();
        let read: Vec<_> =
            items.iter().zip(&scores).map(|(item, s)| check_item(&mut errors, item, s)).collect();
        for (b, item) in items.iter().enumerate() {
            check_full_vocabulary(&mut errors, item, &prior(&scores[b], 1.0));
        }
        first.get_or_insert(read);
    }
    for (case, per_doc) in golden["extreme_doc_scores"].as_array().into_iter().flatten().zip(first.unwrap()) {
        let log_prior = prior(&floats(&case["doc_scores"]), 1.0);
        errors.check_all("extreme doc_logprobs", &log_prior, &case["doc_logprobs"]);
        let (sequence, token) = both(&log_prior, &per_doc);
        errors.check("extreme rag_sequence_ll", sequence.log_prob, &case["rag_sequence_ll"]);
        errors.check("extreme rag_token_ll", token.log_prob, &case["rag_token_ll"]);
        errors.check_all("extreme posterior_seq", &sequence.posterior, &case["posterior_seq"]);
    }
    errors.report(file);
}

/// Checks the way from stored logits to the RAG-Token log-probability of every observed token.
fn check_full_vocabulary(errors: &mut Errors, item: &Value, log_prior: &[f64]) {
    let (Some(logits), Some(expected)) =
        (item["seq_logits_per_doc"].as_array(), item["rag_token_token_logprobs"].as_array())
    else {
        return;
    };
    let mixture = postil_generator::Mixture::new(Mode::Token, log_prior);
    for (i, (target, expected)) in item["target"].as_array().unwrap().iter().zip(expected).enumerate() {
        let lines: Vec<f64> = logits.iter().flat_map(|doc| log_softmax(&floats(&doc[i])).unwrap()).collect();
        let mut mixed = vec![0.0; lines.len() / log_prior.len()];
        mixture.next_token(&lines, &mut mixed);
        errors.check("rag_token from logits", mixed[target.as_u64().unwrap() as usize], expected);
    }
}

fn decoder_only(file: &'static str) {
    let Some(golden) = golden::read::<Value>(file) else { return };
    let mut errors = Errors::default();
    let scores: Vec<Vec<f64>> =
        golden["inputs"]["doc_scores"].as_array().unwrap().iter().map(floats).collect();
    for item in golden["targets"].as_array().unwrap() {
        let scores = &scores[item["question"].as_u64().unwrap() as usize];
        let mut per_doc = check_item(&mut errors, item, scores);
        let null = floats(&item["null_token_logprobs"]);
        let (sequence, token) = both(&prior(scores, 1.0), &per_doc);
        let ratio = evidence_log_ratio(sequence.log_prob, null.iter().sum());
        errors.check("evidence_log_ratio", ratio, &item["evidence_log_ratio"]);
        let per_token: Vec<f64> =
            token.steps.iter().zip(&null).map(|(s, n)| evidence_log_ratio(s.log_prob, *n)).collect();
        errors.check_all("token_evidence_log_ratio", &per_token, &item["token_evidence_log_ratio"]);

        let with_null = &item["with_null_doc"];
        let mut scores = scores.clone();
        scores.push(with_null["null_score"].as_f64().unwrap());
        per_doc.push(null);
        let (sequence, token) = both(&prior(&scores, 1.0), &per_doc);
        check_posteriors(&mut errors, with_null, &sequence, &token);
    }
    errors.report(file);
}

#[test]
fn golden_bart_marginals_follow_from_stored_log_probabilities() {
    encoder_decoder("golden_bart.json");
}

#[test]
fn golden_t5_marginals_follow_from_stored_log_probabilities() {
    encoder_decoder("golden_t5.json");
}

#[test]
fn golden_llama_marginals_follow_from_stored_log_probabilities() {
    decoder_only("golden_llama.json");
}

#[test]
fn golden_qwen2_marginals_follow_from_stored_log_probabilities() {
    decoder_only("golden_qwen2.json");
}

#[test]
fn golden_qwen3_marginals_follow_from_stored_log_probabilities() {
    decoder_only("golden_qwen3.json");
}
