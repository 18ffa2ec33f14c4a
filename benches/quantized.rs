//! Decoding speed of a quantized model in one GGUF file, and the answer's log-likelihood.
//!
//!     python benches/peers/quantized.py make FOLDER
//!     python benches/peers/quantized.py run FOLDER
//!     cargo bench --bench quantized -- FOLDER [--threads 2]
//!
//! FOLDER holds model.gguf and inputs.json, one prompt per passage. Greedy: each passage alone, as
//! the script does it, and all of them at once, marginalized per token. Times are from the first
//! token to the last; the median of several runs, `tokens_per_s` counting the tokens of all
//! passages. Prints JSON lines with the fields of the script.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

mod harness;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use postil_contract::TokenId;
use postil_generator::{Constraints, Hypothesis, LanguageGenerator, LanguageModel, Mode, greedy, prior};
use serde::Deserialize;
use serde_json::json;

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
    /// `[passages]` lists of token ids.
    prompts: Vec<Vec<TokenId>>,
    new_tokens: usize,
    repeats: usize,
}

fn main() {
    let args: Args = harness::args();
    rayon::ThreadPoolBuilder::new().num_threads(args.threads).build_global().unwrap();
    let inputs: Inputs = harness::json(&args.folder.join("inputs.json"));
    let generator = LanguageGenerator::open(&args.folder.join("model.gguf")).unwrap();
    let alone = inputs.prompts.chunks(1);
    for (number, prompts) in alone.chain([inputs.prompts.as_slice()]).enumerate() {
        let mut times = Vec::new();
        let mut found = None;
        for _ in 0..inputs.repeats {
            let (hypothesis, seconds) = decode(generator.model(), prompts, inputs.new_tokens);
            times.push(seconds);
            found = Some(hypothesis);
        }
        let found = found.unwrap();
        let rate = (prompts.len() * (found.tokens.len() - 1)) as f64 / harness::median(times);
        let line = json!({
            "engine": "postil",
            "passages": prompts.len(),
            "question": number,
            "tokens_per_s": (rate * 10.0).round() / 10.0,
            "log_likelihood": found.marginal.log_prob,
            "answer": found.tokens,
        });
        harness::print(&line);
    }
}

/// A greedy answer, and the seconds from its first token to its last.
fn decode(model: &LanguageModel, prompts: &[Vec<TokenId>], new_tokens: usize) -> (Hypothesis, f64) {
    let log_prior = prior(&vec![0.0; prompts.len()], 1.0);
    let constraints = Constraints::new(new_tokens);
    let mut decoding = model.start(prompts).unwrap();
    let mut first = None;
    let mut last = Instant::now();
    let watch = &mut |_: postil_generator::Said<'_>| {
        last = Instant::now();
        first.get_or_insert(last);
        ControlFlow::Continue(())
    };
    let found = greedy(decoding.as_mut(), Mode::Token, &log_prior, &constraints, watch).unwrap();
    (found, last.duration_since(first.unwrap()).as_secs_f64())
}
