//! Time, memory, likelihood and answers of a language model in one GGUF file.
//!
//!     ./benches/peers/language.sh MODEL.gguf           runs this and its peer
//!     cargo bench --bench language -- speed INPUT.json [--mode sequence] [--decode greedy]
//!     cargo bench --bench language -- answers D.postil QUESTIONS.jsonl [--generator MODEL.gguf] [--limit 60]
//!     cargo bench --bench language -- passages D.postil QUESTIONS.jsonl [--limit 60]
//!
//! `speed` reads what the script made: sets of k passages with two questions each, and prompts as
//! tokens. For each set a question is asked of passages that were never read (`cold`), then another
//! one of the same passages (`warm`), through the database, search included; then the model alone
//! reads prompts (`prefill`) and continues them by given tokens (`decode`), whose log-likelihood is
//! printed. `answers` scores a question set, or prints each answer where questions have `points` and
//! no answers; `passages` prints the k passages of each question, for the script to ask its peer
//! about. Prints JSON lines.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

mod harness;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::{Parser, Subcommand};
use postil::chunk::ChunkOptions;
use postil::evaluate::Question;
use postil::{
    AskOptions, DEFAULT_K, DEFAULT_MAX_TOKENS, Database, Decode, Document, HashEncoder, Mode, Watch,
};
use postil_contract::TokenId;
use postil_generator::{LanguageGenerator, LanguageModel};
use serde::Deserialize;
use serde_json::{Value, json};

/// Tokens of the encoder in a passage at most: more than any set's passage has, so that each
/// document is one passage.
const WHOLE_PASSAGE_TOKENS: usize = 250;

#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    part: Part,
    /// Number of threads that compute
    #[arg(long, default_value_t = 2, global = true)]
    threads: usize,
    /// One passage behind the whole answer, or one behind each token
    #[arg(long, default_value_t, global = true)]
    mode: Mode,
    /// Decoding [default: greedy for speed, the library's for answers]
    #[arg(long, global = true)]
    decode: Option<Decode>,
    /// Number of passages
    #[arg(short, default_value_t = DEFAULT_K, global = true)]
    k: usize,
    /// Longest answer, in tokens
    #[arg(long, default_value_t = DEFAULT_MAX_TOKENS, global = true)]
    max_tokens: usize,
    /// Ask the first so many questions only
    #[arg(long, global = true)]
    limit: Option<usize>,
}

#[derive(Subcommand)]
enum Part {
    /// Times and memory
    Speed { input: PathBuf },
    /// Scores of a question set
    Answers {
        database: PathBuf,
        questions: PathBuf,
        /// Name or path of the generator
        #[arg(long, default_value = postil::DEFAULT_GENERATOR)]
        generator: String,
    },
    /// The passages of each question
    Passages { database: PathBuf, questions: PathBuf },
}

#[derive(Deserialize)]
struct Input {
    model: PathBuf,
    sets: Vec<Set>,
    /// `[passages]` lists of token ids.
    prompts: Vec<Vec<TokenId>>,
    /// Continuation of the first prompt.
    target: Vec<TokenId>,
}

/// Passages, and two questions about them.
#[derive(Deserialize)]
struct Set {
    passages: Vec<String>,
    questions: [String; 2],
}

/// A question of a set, with answers or with points.
#[derive(Deserialize)]
struct Asked {
    question: String,
    #[serde(default)]
    answers: Vec<String>,
    points: Option<Vec<String>>,
    pid: Option<String>,
    kind: Option<String>,
}

fn main() {
    let args: Args = harness::args();
    rayon::ThreadPoolBuilder::new().num_threads(args.threads).build_global().unwrap();
    let options = AskOptions::new().k(args.k).mode(args.mode).max_tokens(args.max_tokens);
    match &args.part {
        Part::Speed { input } => {
            let options = options.decode(args.decode.clone().unwrap_or(Decode::Greedy)).unread_prior(0.0);
            speed(&harness::json(input), &options);
        }
        Part::Answers { database, questions, generator } => {
            let options = match &args.decode {
                Some(decode) => options.decode(decode.clone()),
                None => options,
            };
            let db = Database::options().must_exist(true).generator_named(generator).open(database).unwrap();
            answers(&db, asked(questions, args.limit), &options, generator);
        }
        Part::Passages { database, questions } => {
            let db = Database::options().must_exist(true).open(database).unwrap();
            passages(&db, &asked(questions, args.limit), &options);
        }
    }
}

fn asked(path: &Path, limit: Option<usize>) -> Vec<Asked> {
    let mut asked: Vec<Asked> = harness::json_lines(path);
    asked.truncate(limit.unwrap_or(usize::MAX));
    asked
}

fn speed(input: &Input, options: &AskOptions) {
    let (generator, open_s) = harness::timed(|| Arc::new(LanguageGenerator::open(&input.model).unwrap()));
    for (number, set) in input.sets.iter().enumerate() {
        let home = tempfile::tempdir().unwrap();
        let chunking = ChunkOptions { max_tokens: WHOLE_PASSAGE_TOKENS, ..ChunkOptions::default() };
        let encoder = Arc::new(HashEncoder::default());
        let options_of_db = Database::options().encoder(encoder).generator(generator.clone());
        let db = options_of_db.chunking(chunking).open(home.path().join("d.postil")).unwrap();
        let documents =
            set.passages.iter().enumerate().map(|(i, text)| Document::new(i.to_string(), text.clone()));
        db.ingest_all(documents, &Watch::default()).unwrap();
        for (what, question) in ["cold", "warm"].into_iter().zip(&set.questions) {
            harness::print(&ask(&db, what, number, question, options));
        }
    }
    let model = generator.model();
    for prompts in [&input.prompts[..1], &input.prompts[..]] {
        harness::print(&forced(model, prompts, &input.target));
    }
    let memory = json!({
        "what": "memory",
        "open_s": open_s,
        "peak_bytes": harness::process::peak_bytes(),
        "anonymous_bytes": harness::process::anonymous_bytes(),
    });
    harness::print(&memory);
}

/// Asks one question; times are from the call.
fn ask(db: &Database, what: &str, set: usize, question: &str, options: &AskOptions) -> Value {
    let start = Instant::now();
    let (mut first, mut last, mut tokens) = (None, 0.0, 0);
    let answer = db.ask_streaming(question, options, &mut |_| {
        last = start.elapsed().as_secs_f64();
        first.get_or_insert(last);
        tokens += 1;
        ControlFlow::Continue(())
    });
    let (answer, seconds) = (answer.unwrap(), start.elapsed().as_secs_f64());
    assert_eq!(answer.passages.len(), options.k, "each document is one passage, and all are read");
    let first = first.unwrap_or(seconds);
    json!({
        "what": what,
        "set": set,
        "first_token_s": first,
        "last_token_s": last,
        "seconds": seconds,
        "tokens": tokens,
        "answer": answer.text,
        "withheld": answer.no_answer,
    })
}

/// Reads prompts and continues each by the target.
fn forced(model: &LanguageModel, prompts: &[Vec<TokenId>], target: &[TokenId]) -> Value {
    let prompt_tokens: usize = prompts.iter().map(Vec::len).sum();
    let start = Instant::now();
    let mut decoding = model.start(prompts).unwrap();
    let mut log_probs = decoding.log_probs().unwrap();
    let prefill_s = start.elapsed().as_secs_f64();
    let mut log_likelihood = 0.0;
    for (number, token) in target.iter().enumerate() {
        // Under the first passage, whose prompt the target continues.
        log_likelihood += f64::from(log_probs.row(0)[*token as usize]);
        if number + 1 < target.len() {
            decoding.advance(&[0], &[*token]).unwrap();
            log_probs = decoding.log_probs().unwrap();
        }
    }
    let decode_s = start.elapsed().as_secs_f64() - prefill_s;
    json!({
        "what": "forced",
        "passages": prompts.len(),
        "prefill_tokens_per_s": prompt_tokens as f64 / prefill_s,
        "decode_tokens_per_s": ((target.len() - 1) * prompts.len()) as f64 / decode_s,
        "log_likelihood": log_likelihood,
    })
}

fn answers(db: &Database, asked: Vec<Asked>, options: &AskOptions, generator: &str) {
    if asked.iter().any(|asked| asked.points.is_some()) {
        for Asked { question, points, .. } in asked {
            let start = Instant::now();
            // A text may ask several things.
            let answers = db.ask_each(&question, options).unwrap();
            let seconds = start.elapsed().as_secs_f64();
            let said = answers.iter().map(|(_, answer)| answer.text.as_str());
            let answer = said.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ");
            harness::print(&json!({
                "question": question, "points": points, "answer": answer, "seconds": seconds,
            }));
        }
        return;
    }
    let questions: Vec<Question> = asked
        .into_iter()
        .map(|Asked { question, answers, pid, kind, .. }| Question { question, answers, pid, kind })
        .collect();
    let each = &mut |scored: &postil::evaluate::Scored<'_>| {
        harness::print(&json!({
            "question": scored.question.question,
            "answers": scored.question.answers,
            "said": scored.said,
            "withheld": scored.no_answer,
        }));
    };
    let scores = db.evaluate(&questions, options, &Watch::default(), each).unwrap();
    harness::print(&json!({
        "generator": generator,
        "mode": options.mode.to_string(),
        "questions": scores.questions,
        "em": scores.exact_match,
        "f1": scores.f1,
        "em_always": scores.exact_match_always,
        "f1_always": scores.f1_always,
        "abstained": scores.abstained,
        "auroc": scores.abstention_auroc,
        "citation_precision": scores.citation_precision,
        "p50_ms": scores.p50_ms,
        "p95_ms": scores.p95_ms,
        "kinds": scores.kinds.iter().map(|kind| json!({
            "kind": kind.kind, "questions": kind.questions, "em": kind.exact_match, "f1": kind.f1,
        })).collect::<Vec<_>>(),
    }));
}

fn passages(db: &Database, asked: &[Asked], options: &AskOptions) {
    for Asked { question, answers, points, kind, .. } in asked {
        let found = db.retrieve(question, &options.retrieval()).unwrap();
        let found = found.iter().map(|found| {
            let parts = [found.hit.title.as_str(), found.hit.heading.as_str()];
            let named: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            json!([named.join(" > "), found.hit.text])
        });
        let found: Vec<Value> = found.collect();
        harness::print(&json!({
            "question": question, "answers": answers, "points": points, "kind": kind, "passages": found,
        }));
    }
}
