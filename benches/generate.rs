//! Time of a generation and the answer's log-likelihood, so that a faster way to a worse answer is
//! visible.
//!
//!     python benches/peers/generate.py make FOLDER
//!     python benches/peers/generate.py run FOLDER
//!     cargo bench --bench generate -- FOLDER [--threads 2]
//!
//! FOLDER holds a language model and inputs.json: for each question one prompt and score per
//! passage. Prints one JSON line per question and way of decoding, with the fields that the script
//! prints for transformers and the resident size of the process: at its start, with the model
//! loaded, and now.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

mod harness;

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Parser;
use harness::process::resident_bytes;
use harness::repeated;
use postil_checkpoint::ModelFolder;
use postil_contract::TokenId;
use postil_generator::{
    BeamOptions, Constraints, Hypothesis, LanguageModel, Mode, beam, greedy, marginal, prior, thorough, union,
};
use serde::Deserialize;
use serde_json::json;

/// Number of generations of each kind; their median is printed.
const REPEATS: usize = 5;

#[derive(Parser)]
struct Args {
    /// Folder of the model and its inputs
    folder: PathBuf,
    /// Number of threads that compute
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

#[derive(Deserialize)]
struct Inputs {
    /// `[questions, passages]` lists of token ids.
    prompts: Vec<Vec<Vec<TokenId>>>,
    /// Scores of the passages, `[questions, passages]`.
    scores: Vec<Vec<f32>>,
    new_tokens: usize,
    beams: usize,
}

/// Ways of decoding; those that the script also runs have the script's names.
const WAYS: [&str; 4] = ["token greedy", "sequence beam", "sequence joint beam", "sequence union"];

fn main() {
    let args: Args = harness::args();
    rayon::ThreadPoolBuilder::new().num_threads(args.threads).build_global().unwrap();
    let before = resident_bytes();
    let folder = ModelFolder::open(&args.folder).unwrap();
    let config = std::fs::read_to_string(args.folder.join("config.json")).unwrap();
    let inputs: Inputs = harness::json(&args.folder.join("inputs.json"));
    let model = LanguageModel::load("random", &config, None, &folder.weights().unwrap()).unwrap();
    let loaded = resident_bytes();
    for way in WAYS {
        for (number, (prompts, scores)) in inputs.prompts.iter().zip(&inputs.scores).enumerate() {
            let log_prior = prior(scores, 1.0);
            let (found, seconds) = repeated(REPEATS, || generate(&model, way, prompts, &log_prior, &inputs));
            let answer = found.tokens;
            let mode = if way.starts_with("token") { Mode::Token } else { Mode::Sequence };
            let line = json!({
                "engine": "postil",
                "way": way,
                "question": number,
                "ms": (seconds * 1e4).round() / 10.0,
                "log_likelihood": log_likelihood(&model, mode, prompts, &log_prior, &answer),
                "answer": answer,
                "resident_bytes": { "start": before, "loaded": loaded, "now": resident_bytes() },
            });
            harness::print(&line);
        }
    }
}

fn generate(
    model: &LanguageModel,
    way: &str,
    prompts: &[Vec<TokenId>],
    log_prior: &[f64],
    inputs: &Inputs,
) -> Hypothesis {
    let constraints = Constraints::new(inputs.new_tokens);
    let beams = BeamOptions::new(inputs.beams);
    let mut decoding = model.start(prompts).unwrap();
    let decoding = decoding.as_mut();
    let watch = &mut |_: postil_generator::Said<'_>| ControlFlow::Continue(());
    match way {
        "token greedy" => greedy(decoding, Mode::Token, log_prior, &constraints, 0.0, watch).unwrap(),
        "sequence beam" => {
            let found = thorough(decoding, Mode::Sequence, log_prior, &constraints, &beams).unwrap();
            found.into_iter().next().unwrap().hypothesis
        }
        "sequence joint beam" => {
            let found = beam(decoding, Mode::Sequence, log_prior, &constraints, &beams).unwrap();
            found.into_iter().next().unwrap().hypothesis
        }
        _ => {
            let found = union(decoding, Mode::Sequence, log_prior, &constraints, &beams).unwrap();
            found.into_iter().next().unwrap()
        }
    }
}

/// log p(answer | question), computed again with teacher forcing.
fn log_likelihood(
    model: &LanguageModel,
    mode: Mode,
    prompts: &[Vec<TokenId>],
    log_prior: &[f64],
    answer: &[TokenId],
) -> f64 {
    let scores = model.start(prompts).unwrap().score(&[answer.to_vec()]).unwrap();
    marginal(mode, log_prior, scores[0].tokens()).log_prob
}
