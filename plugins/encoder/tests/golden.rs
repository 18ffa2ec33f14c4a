//! The forward pass against stored reference outputs of transformers, run in f64.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first failure, and says when it is skipped"
)]

use std::fs;
use std::path::{Path, PathBuf};

use postil_checkpoint::ModelFolder;
use postil_encoder::{BertModel, Packed, Pooling, normalize};
use serde_json::Value;

const TOLERANCE: f64 = 5e-6;

/// `$POSTIL_GOLDEN`, else `../shared/golden` beside the workspace; `None`, with a message, when
/// absent.
fn golden() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    let folder = std::env::var_os("POSTIL_GOLDEN").map_or_else(beside, PathBuf::from);
    let there = folder.join("golden_bert.json").is_file();
    if !there {
        println!("skipped: no golden fixtures, set POSTIL_GOLDEN to their folder");
    }
    there.then_some(folder)
}

fn cases(folder: &Path, file: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap()
}

/// The model of `folder/name` under either of its two configurations.
fn models(folder: &Path, name: &str) -> Vec<BertModel> {
    let source = folder.join(name);
    let configs = ["config.json", "config.v5.json"].map(|file| source.join(file));
    let models = configs.iter().filter(|config| config.is_file()).map(|config| {
        let copy = tempfile::tempdir().unwrap();
        fs::copy(config, copy.path().join("config.json")).unwrap();
        fs::copy(source.join("model.safetensors"), copy.path().join("model.safetensors")).unwrap();
        BertModel::open(&ModelFolder::open(copy.path()).unwrap()).unwrap()
    });
    models.collect()
}

fn ids(row: &Value) -> Vec<u32> {
    row.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

fn close(what: &str, got: &[f32], expected: &Value) -> f64 {
    let expected = expected.as_array().unwrap();
    assert_eq!(got.len(), expected.len(), "{what}");
    let differences =
        got.iter().zip(expected).map(|(got, expected)| (f64::from(*got) - expected.as_f64().unwrap()).abs());
    let most = differences.fold(0.0, f64::max);
    assert!(most <= TOLERANCE, "{what}: off by {most:e}");
    most
}

#[test]
fn golden_bert_states_and_pooled_vectors_are_those_of_the_reference() {
    let Some(folder) = golden() else { return };
    let cases = cases(&folder, "golden_bert.json");
    let rows = cases["input_ids"].as_array().unwrap().len();
    let mut most = 0f64;
    for model in models(&folder, "bert") {
        let width = model.config().hidden_size;
        let (mut all, mut kinds, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..rows {
            let length = ids(&cases["attention_mask"][row]).iter().filter(|mask| **mask == 1).count();
            all.extend_from_slice(&ids(&cases["input_ids"][row])[..length]);
            kinds.extend_from_slice(&ids(&cases["token_type_ids"][row])[..length]);
            lengths.push(length);
        }
        let states = model.forward(Packed { ids: &all, type_ids: &kinds, lengths: &lengths }).unwrap();
        let mut states = states.as_slice();
        for (row, length) in lengths.iter().enumerate() {
            let (own, rest) = states.split_at(length * width);
            states = rest;
            for (token, state) in own.chunks_exact(width).enumerate() {
                most = most.max(close("state", state, &cases["last_hidden_state"][row][token]));
            }
            most = most.max(close("cls", &own[..width], &cases["cls"][row]));
            let pooled = model.pooler_output(&own[..width]).unwrap();
            most = most.max(close("pooler", &pooled, &cases["pooler_output"][row]));
            let mut mean = Vec::new();
            Pooling::Mean.pool(own, width, &mut mean);
            most = most.max(close("mean", &mean, &cases["mean_pooled"][row]));
            normalize(&mut mean);
            most = most.max(close("unit mean", &mean, &cases["mean_pooled_l2"][row]));
        }
    }
    println!("BERT: off by at most {most:.1e}");
}

#[test]
fn golden_dpr_vectors_scores_and_priors_are_those_of_the_reference() {
    let Some(folder) = golden() else { return };
    let cases = cases(&folder, "golden_dpr.json");
    let (questions, passages) = (models(&folder, "dpr_question"), models(&folder, "dpr_ctx"));
    let vector = |model: &BertModel, ids: &[u32]| {
        let states = model.forward(Packed { ids, type_ids: &[], lengths: &[ids.len()] }).unwrap();
        model.project(&states[..model.config().hidden_size])
    };
    let mut most = 0f64;
    for (question_model, passage_model) in questions.iter().zip(&passages) {
        for (row, question) in cases["question_input_ids"].as_array().unwrap().iter().enumerate() {
            let question = vector(question_model, &ids(question));
            most = most.max(close("question", &question, &cases["question_embeddings"][row]));
            let mut scores = Vec::new();
            for (index, passage) in cases["doc_input_ids"][row].as_array().unwrap().iter().enumerate() {
                let passage = vector(passage_model, &ids(passage));
                most = most.max(close("passage", &passage, &cases["doc_embeddings"][row][index]));
                scores.push(
                    question.iter().zip(&passage).map(|(q, p)| f64::from(*q) * f64::from(*p)).sum::<f64>(),
                );
            }
            let total = scores.iter().map(|score| score.exp()).sum::<f64>().ln();
            let priors: Vec<f32> = scores.iter().map(|score| (score - total) as f32).collect();
            // A score sums over the dimension, and so do the errors.
            for (got, expected) in scores.iter().zip(cases["doc_scores"][row].as_array().unwrap()) {
                assert!((got - expected.as_f64().unwrap()).abs() <= 10.0 * TOLERANCE);
            }
            for (got, expected) in priors.iter().zip(cases["doc_logprobs"][row].as_array().unwrap()) {
                assert!((f64::from(*got) - expected.as_f64().unwrap()).abs() <= 10.0 * TOLERANCE);
            }
        }
    }
    println!("DPR: off by at most {most:.1e}");
}
