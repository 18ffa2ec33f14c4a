//! Losses, gradients and optimizer steps beside PyTorch's, which `fixtures/gradients.py` computed.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first failure")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use postil_checkpoint::ModelFolder;
use postil_encoder::{BertConfig, BertModel, Packed, Pooling};
use postil_training::{
    AdamSettings, AdamW, Batch, Bert, Gradients, MaskedWords, NextSentence, Parameters, Reader, ReaderTokens,
    Reading, loss, ops,
};
use serde::Deserialize;

const SEQUENCES: [&[u32]; 4] = [
    &[1, 90, 236, 120, 127, 120, 236, 178, 2],
    &[1, 255, 135, 276, 10, 5, 80, 104, 31, 41, 83, 127, 262, 2],
    &[1, 268, 217, 2],
    &[1, 217, 104, 179, 163, 118, 67, 72, 14, 106, 117, 307, 258, 232, 2],
];
const PASSAGES: [&[u32]; 5] = [
    &[1, 236, 90, 2],
    &[1, 10, 5, 276, 135, 104, 31, 2],
    &[1, 200, 2],
    &[1, 163, 179, 72, 67, 2],
    &[1, 44, 45, 46, 2],
];
const MASKED: [(usize, u32, u32); 5] = [(0, 2, 7), (0, 5, 120), (1, 4, 10), (3, 3, 9), (3, 12, 258)];
const NEXT: [u32; 4] = [0, 1, 1, 0];
const SCALE: f64 = 3.0;
const QUESTION: [u32; 3] = [110, 120, 130];
const BODIES: [&[u32]; 4] =
    [&[50, 60, 70, 60, 70, 80, 90], &[60, 70, 33], &[77], &[91, 92, 70, 93, 60, 70, 80, 94, 95, 96]];
const TOKENS: ReaderTokens = ReaderTokens { start: 101, end: 102, no_answer: 2 };
const ANSWER: [u32; 4] = [60, 70, 80, 102];
const DOCUMENTS: [[f64; 3]; 4] = [[0.05, -0.04, 0.08], [0.01, 0.02, -0.09], [-0.03, 0.07, 0.02], [0.02; 3]];
const WIDTH: usize = 32;

#[derive(Deserialize)]
struct Reference {
    token_log_probs: Vec<Vec<f32>>,
    mlm: Rows,
    nsp: Rows,
    contrastive: Rows,
    rag_sequence: Rows,
    rag_token: Rows,
    steps: Steps,
}

#[derive(Deserialize)]
struct Rows {
    loss: f64,
    gradients: BTreeMap<String, Probes>,
}

#[derive(Deserialize)]
struct Steps {
    losses: Vec<f64>,
    weights: BTreeMap<String, Probes>,
}

/// Length of a tensor, its products with four waves, and thirteen of its values.
#[derive(Debug, Deserialize)]
struct Probes {
    norm: f64,
    along: [f64; 4],
    at: [f64; 13],
}

impl Probes {
    fn of(values: &[f32]) -> Self {
        let along = [1, 2, 3, 4].map(|k| {
            let wave = |(i, x): (usize, &f32)| f64::from(*x) * (0.7 * f64::from(k) * (i + 1) as f64).cos();
            values.iter().enumerate().map(wave).sum()
        });
        let norm = values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let at = std::array::from_fn(|i| f64::from(values[i * (values.len() - 1) / 12]));
        Self { norm, along, at }
    }

    /// Fails unless all numbers are within `tolerance` times `unit` of the expected ones.
    fn assert_near(&self, expected: &Self, unit: f64, what: &str) {
        let numbers = |p: &Self| [p.norm].into_iter().chain(p.along).chain(p.at).collect::<Vec<_>>();
        for (got, expected) in numbers(self).into_iter().zip(numbers(expected)) {
            assert!((got - expected).abs() <= unit, "{what}: {got} for {expected}, allowed {unit}");
        }
    }
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("fixtures/gradients.json")).unwrap()
}

/// The folder of the tiny BERT; `None` where there are no reference models.
fn golden() -> Option<PathBuf> {
    let named = std::env::var_os("POSTIL_GOLDEN").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    let found = named.unwrap_or_else(beside).join("bert");
    if found.is_dir() {
        return Some(found);
    }
    eprintln!("skipped: no reference models at {}", found.display());
    None
}

fn formula(shape: &[usize], salt: usize) -> Tensor {
    let value = |i: usize| (0.3 * (1.7 * i as f64 + salt as f64).sin()) as f32;
    let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// The BERT of the reference models with the heads of its pretraining.
fn model(folder: &Path) -> (Bert, Parameters) {
    let folder = ModelFolder::open(folder).unwrap();
    let bert = Bert::new(BertConfig::open(&folder).unwrap(), "");
    let mut parameters = Parameters::load(&folder.weights().unwrap(), |_| true).unwrap();
    let t = "cls.predictions.transform.";
    let heads: [(String, &[usize]); 7] = [
        ("cls.predictions.bias".into(), &[320]),
        (format!("{t}LayerNorm.bias"), &[WIDTH]),
        (format!("{t}LayerNorm.weight"), &[WIDTH]),
        (format!("{t}dense.bias"), &[WIDTH]),
        (format!("{t}dense.weight"), &[WIDTH, WIDTH]),
        ("cls.seq_relationship.bias".into(), &[2]),
        ("cls.seq_relationship.weight".into(), &[2, WIDTH]),
    ];
    for (index, (name, shape)) in heads.iter().enumerate() {
        parameters.insert(name, &formula(shape, index + 1)).unwrap();
    }
    (bert, parameters)
}

/// The reader of the formula: its tensors in the order of `model.py`, under the names of a folder.
fn reader() -> (Reader, Parameters) {
    let (d, inner) = (WIDTH, 64);
    let mut layout: Vec<(Vec<String>, Vec<usize>)> = Vec::new();
    let mut add = |name: &str, shape: &[usize]| layout.push((vec![name.to_owned()], shape.to_vec()));
    add("embeddings.word_embeddings.weight", &[320, d]);
    add("embeddings.position_embeddings.weight", &[64, d]);
    add("embeddings.token_type_embeddings.weight", &[2, d]);
    add("embeddings.LayerNorm.weight", &[d]);
    add("embeddings.LayerNorm.bias", &[d]);
    for layer in 0..2 {
        let parts: [(&[&str], &[usize], bool); 6] = [
            (&["attention.self.query", "attention.self.key", "attention.self.value"], &[3 * d, d], false),
            (&["attention.output.dense"], &[d, d], false),
            (&["attention.output.LayerNorm"], &[d], true),
            (&["intermediate.dense"], &[inner, d], false),
            (&["output.dense"], &[d, inner], false),
            (&["output.LayerNorm"], &[d], true),
        ];
        for (names, shape, _) in parts {
            for (kind, shape) in [("weight", shape), ("bias", &shape[..1])] {
                let names = names.iter().map(|name| format!("encoder.layer.{layer}.{name}.{kind}"));
                layout.push((names.collect(), shape.to_vec()));
            }
        }
    }
    for (name, shape) in decoder_layout() {
        layout.push((vec![format!("decoder.{name}")], shape));
    }
    let mut parameters = Parameters::default();
    for (index, (names, shape)) in layout.iter().enumerate() {
        let mut tensor = formula(shape, 100 + index);
        if names[0].ends_with("LayerNorm.weight") {
            tensor = (tensor + 1.0).unwrap();
        }
        for (name, part) in names.iter().zip(tensor.chunk(names.len(), 0).unwrap()) {
            parameters.insert(&format!("reader.{name}"), &part).unwrap();
        }
    }
    parameters.freeze(|name| name.starts_with("reader.embeddings."));
    let config = serde_json::from_value(serde_json::json!({
        "model_type": "bert", "vocab_size": 320, "hidden_size": d, "num_hidden_layers": 2,
        "num_attention_heads": 4, "intermediate_size": inner, "max_position_embeddings": 64,
    }));
    (Reader::new(config.unwrap(), TOKENS, "reader."), parameters)
}

fn decoder_layout() -> Vec<(&'static str, Vec<usize>)> {
    let d = WIDTH;
    vec![
        ("start", vec![d]),
        ("generate_bias", vec![320]),
        ("initial.weight", vec![d, d]),
        ("initial.bias", vec![d]),
        ("cell.weight_ih", vec![3 * d, 2 * d]),
        ("cell.weight_hh", vec![3 * d, d]),
        ("cell.bias_ih", vec![3 * d]),
        ("cell.bias_hh", vec![3 * d]),
        ("point.weight", vec![d, d]),
        ("point.bias", vec![d]),
        ("gate_hidden.weight", vec![16, 5 * d]),
        ("gate_hidden.bias", vec![16]),
        ("gate.weight", vec![5, 16]),
        ("gate.bias", vec![5]),
        ("generate.weight", vec![d, 2 * d]),
        ("generate.bias", vec![d]),
    ]
}

/// The names in a folder of a tensor of `model.py`.
fn names_in_folder(name: &str) -> Vec<String> {
    let Some(rest) = name.strip_prefix("reader.encoder.layers.") else { return vec![name.to_owned()] };
    let parts: Vec<&str> = rest.split('.').collect();
    let modules: &[&str] = match parts[1] {
        "qkv" => &["attention.self.query", "attention.self.key", "attention.self.value"],
        "out" => &["attention.output.dense"],
        "out_norm" => &["attention.output.LayerNorm"],
        "up" => &["intermediate.dense"],
        "down" => &["output.dense"],
        "down_norm" => &["output.LayerNorm"],
        other => panic!("{other}"),
    };
    modules.iter().map(|module| format!("reader.encoder.layer.{}.{module}.{}", parts[0], parts[2])).collect()
}

fn mlm(bert: &Bert, parameters: &Parameters) -> Tensor {
    let batch = Batch::new(&SEQUENCES, None).unwrap();
    let starts = batch.starts();
    let places: Vec<u32> = MASKED.iter().map(|(sequence, at, _)| starts[*sequence] + at).collect();
    let words: Vec<u32> = MASKED.iter().map(|(.., word)| *word).collect();
    let states = bert.forward(parameters, &batch).unwrap();
    MaskedWords::loss(bert, parameters, &states, &places, &words).unwrap()
}

fn nsp(bert: &Bert, parameters: &Parameters) -> Tensor {
    let batch = Batch::new(&SEQUENCES, None).unwrap();
    let firsts = bert.embed(parameters, &batch, Pooling::Cls, false).unwrap();
    NextSentence::loss(parameters, "", &firsts, &NEXT).unwrap()
}

fn embed(bert: &Bert, parameters: &Parameters, sequences: &[&[u32]]) -> Tensor {
    let batch = Batch::new(sequences, None).unwrap();
    bert.embed(parameters, &batch, Pooling::Mean, true).unwrap()
}

fn contrastive(bert: &Bert, parameters: &Parameters) -> Tensor {
    let (queries, passages) = (embed(bert, parameters, &SEQUENCES), embed(bert, parameters, &PASSAGES));
    loss::contrastive(&queries, &passages, SCALE).unwrap()
}

fn token_log_likelihoods(reader: &Reader, parameters: &Parameters) -> Tensor {
    let readings = BODIES.map(|body| Reading {
        ids: [&[TOKENS.start], &QUESTION[..], &[TOKENS.end], body, &[TOKENS.end]].concat(),
        body: QUESTION.len() + 2,
    });
    reader.token_log_likelihoods(parameters, &readings, &ANSWER).unwrap()
}

fn prior_logits(bert: &Bert, parameters: &Parameters) -> Tensor {
    let value =
        |row: [f64; 3]| (0..WIDTH).map(|i| (row[i % 3] * (1.0 + i as f64 / 10.0)) as f32).collect::<Vec<_>>();
    let documents = Tensor::new(DOCUMENTS.map(value).to_vec(), &Device::Cpu).unwrap();
    let question = embed(bert, parameters, &SEQUENCES[..1]);
    let scores = documents.matmul(&question.t().unwrap()).unwrap().squeeze(1).unwrap();
    (scores * SCALE).unwrap()
}

/// Compares loss and gradients; an expected gradient of several tensors is theirs, stacked.
fn assert_gradients(got: &Tensor, parameters: &Parameters, expected: &Rows, what: &str) {
    let loss = f64::from(got.to_scalar::<f32>().unwrap());
    assert!((loss - expected.loss).abs() < 1e-4 * expected.loss, "{what}: {loss} for {}", expected.loss);
    let grads = got.backward().unwrap();
    let whole = expected.gradients.values().map(|probes| probes.norm.powi(2)).sum::<f64>().sqrt();
    for (name, probes) in &expected.gradients {
        let values: Vec<f32> = names_in_folder(name)
            .iter()
            .flat_map(|name| {
                let grad = grads.get(&parameters.tensor(name).unwrap());
                let grad = grad.unwrap_or_else(|| panic!("{what}: {name} has no gradient"));
                grad.flatten_all().unwrap().to_vec1::<f32>().unwrap()
            })
            .collect();
        // A softmax does not depend on the keys' bias: its gradient is 0 but for rounding.
        let unit = if name.ends_with("key.bias") { 1e-6 * whole } else { 1e-4 * probes.norm };
        Probes::of(&values).assert_near(probes, unit, &format!("{what}, {name}"));
    }
}

#[test]
fn the_states_are_those_of_the_encoder_and_of_candle() {
    let Some(path) = golden() else { return };
    let (bert, parameters) = model(&path);
    let folder = ModelFolder::open(&path).unwrap();
    let states = bert.forward(&parameters, &Batch::new(&SEQUENCES, None).unwrap()).unwrap();
    let states = states.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let (ids, lengths) = (SEQUENCES.concat(), SEQUENCES.map(<[u32]>::len));
    let packed = Packed { ids: &ids, type_ids: &[], lengths: &lengths };
    let ours = BertModel::open(&folder).unwrap().forward(packed).unwrap();
    assert_eq!(states.len(), ours.len());

    let text = std::fs::read_to_string(path.join("config.json")).unwrap();
    let config: candle_transformers::models::bert::Config = serde_json::from_str(&text).unwrap();
    let tensors = candle_core::safetensors::load(path.join("model.safetensors"), &Device::Cpu).unwrap();
    let vars = candle_nn::VarBuilder::from_tensors(tensors, candle_core::DType::F32, &Device::Cpu);
    let candle = candle_transformers::models::bert::BertModel::load(vars, &config).unwrap();
    let theirs = SEQUENCES.iter().flat_map(|ids| {
        let ids = Tensor::new(*ids, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let states = candle.forward(&ids, &ids.zeros_like().unwrap(), None).unwrap();
        states.flatten_all().unwrap().to_vec1::<f32>().unwrap()
    });
    for ((state, ours), theirs) in states.iter().zip(&ours).zip(theirs) {
        assert!((state - ours).abs() < 1e-4 && (state - theirs).abs() < 1e-4, "{state}, {ours}, {theirs}");
    }
}

#[test]
fn the_losses_of_pretraining_have_the_gradients_of_pytorch() {
    let Some(path) = golden() else { return };
    let ((bert, parameters), expected) = (model(&path), reference());
    assert_gradients(&mlm(&bert, &parameters), &parameters, &expected.mlm, "masked words");
    assert_gradients(&nsp(&bert, &parameters), &parameters, &expected.nsp, "next sentence");
}

#[test]
fn the_contrastive_loss_has_the_gradients_of_pytorch() {
    let Some(path) = golden() else { return };
    let ((bert, parameters), expected) = (model(&path), reference());
    assert_gradients(&contrastive(&bert, &parameters), &parameters, &expected.contrastive, "contrastive");
}

#[test]
fn the_reader_gives_the_log_likelihoods_of_pytorch() {
    let (reader, parameters) = reader();
    let got = token_log_likelihoods(&reader, &parameters).to_vec2::<f32>().unwrap();
    for (got, expected) in got.iter().flatten().zip(reference().token_log_probs.iter().flatten()) {
        assert!((got - expected).abs() < 1e-4, "{got} for {expected}");
    }
}

#[test]
fn the_joint_losses_have_the_gradients_of_pytorch_in_encoder_and_reader() {
    let Some(path) = golden() else { return };
    let ((bert, mut parameters), expected) = (model(&path), reference());
    let (reader, of_reader) = reader();
    parameters.extend("", of_reader);
    let prior = || prior_logits(&bert, &parameters);
    let tokens = || token_log_likelihoods(&reader, &parameters);
    let whole = tokens().sum(1).unwrap();
    let sequence = loss::rag_sequence(&prior(), &whole).unwrap();
    assert_gradients(&sequence, &parameters, &expected.rag_sequence, "RAG-Sequence");
    let token = loss::rag_token(&prior(), &tokens()).unwrap();
    assert_gradients(&token, &parameters, &expected.rag_token, "RAG-Token");
}

#[test]
fn ten_steps_end_in_the_weights_of_pytorch() {
    let Some(path) = golden() else { return };
    let ((bert, parameters), expected) = (model(&path), reference());
    let settings = AdamSettings { epsilon: 1e-6, ..AdamSettings::default() };
    let mut optimizer = AdamW::new(&parameters, settings);
    for expected in &expected.steps.losses {
        let sum = (mlm(&bert, &parameters) + nsp(&bert, &parameters)).unwrap();
        let loss = (sum + contrastive(&bert, &parameters)).unwrap();
        let got = f64::from(loss.to_scalar::<f32>().unwrap());
        assert!((got - expected).abs() < 1e-4, "loss {got} for {expected}");
        let mut grads = Gradients::default();
        grads.add(&parameters, &loss.backward().unwrap(), 1.0).unwrap();
        optimizer.step(&parameters, &grads, 1e-3).unwrap();
    }
    for (name, probes) in &expected.steps.weights {
        let values = parameters.tensor(name).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        // Rounding decides where the keys' bias goes, whose gradient is 0; nothing depends on it.
        if !name.ends_with("key.bias") {
            Probes::of(&values).assert_near(probes, 1e-4 * probes.norm.max(1.0), name);
        }
    }
}

#[test]
fn a_rate_rises_and_falls() {
    let factors = [0.0, 0.05, 0.1, 0.55, 1.0, 1.5].map(|at| postil_training::rate_factor(at, 0.1));
    for (got, expected) in factors.iter().zip([0.0, 0.5, 1.0, 0.5, 0.0, 0.0]) {
        assert!((got - expected).abs() < 1e-12, "{factors:?}");
    }
    assert!(ops::cross_entropy(&formula(&[2, 3], 1), &[0, 2]).is_ok());
}
