//! Speed of the default encoder on given texts, with its agreement with candle and its distance
//! from the machine's limit.
//!
//!     cargo bench --bench encode -- [--texts FILE.jsonl] [--threads 2] [--repeats 5] [--candle] [--out VECTORS.npy]
//!
//! FILE has one {"text": ...} per line; the default is the encoder's test texts. Needs
//! all-MiniLM-L6-v2 in the model home. Prints one JSON line: medians of the repeats;
//! `share_of_peak` is the arithmetic of the model per second over that of a large matrix product
//! measured before and after; `cores_used` is processor time over clock time; `question_ms` is the
//! median time of one of the first 200 texts alone. `--candle` times candle's `BertModel` on the
//! same texts as well, and compares the vectors.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

mod harness;

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::process::Command;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use clap::Parser;
use harness::process::processor_seconds;
use harness::{median, repeated, timed};
use npyz::WriterBuilder;
use postil_checkpoint::{ModelFolder, Tokenizer, locate, model_home};
use postil_contract::{Embeddings, Encoder};
use postil_encoder::{BertEncoder, normalize};
use serde::Deserialize;
use serde_json::json;

/// Number of texts in one of candle's padded batches.
const BATCH_TEXTS: usize = 32;
/// Number of texts encoded one by one.
const ALONE: usize = 200;
/// Rows and columns of the matrix product that measures the machine's limit.
const PEAK_SIDE: usize = 1536;
const PEAK_REPEATS: usize = 8;
/// The variable that sets the number of threads of candle's products.
const THREADS: &str = "RAYON_NUM_THREADS";

#[derive(Parser)]
struct Args {
    /// Texts, one JSON object per line
    #[arg(long)]
    texts: Option<PathBuf>,
    /// Number of threads that compute
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Number of times that all texts are encoded
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Also time candle's model
    #[arg(long)]
    candle: bool,
    /// File for the vectors, [texts, dimension]
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Line {
    text: String,
}

fn main() {
    let args: Args = harness::args();
    if std::env::var(THREADS).ok().as_deref() != Some(&args.threads.to_string()) {
        // The variable is read once, before this program could set it.
        let mut again = Command::new(std::env::current_exe().unwrap());
        let status = again.args(std::env::args_os().skip(1)).env(THREADS, args.threads.to_string()).status();
        std::process::exit(status.unwrap().code().unwrap_or(1));
    }
    let home = model_home().unwrap();
    let folder = ModelFolder::open(&locate("all-MiniLM-L6-v2", &home).unwrap()).unwrap();
    let config: Config = folder.json("config.json").unwrap();
    let encoder = BertEncoder::open(folder.path()).unwrap().with_threads(args.threads);
    let tokenizer = folder.tokenizer().unwrap();
    let texts = texts(&args);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let ids: Vec<Vec<u32>> = texts.iter().map(|text| pieces(&tokenizer, text)).collect();
    let tokens: usize = ids.iter().map(Vec::len).sum();

    encoder.encode_questions(&texts[..texts.len().min(BATCH_TEXTS)]).unwrap();
    let mut peak = peak();
    let (ours, seconds, cores) = measured(args.repeats, || encoder.encode_questions(&texts).unwrap());
    peak = f64::max(peak, self::peak());
    let arithmetic: f64 = ids.iter().map(|ids| operations(&config, ids.len())).sum();
    let mut line = json!({
        "texts": texts.len(), "tokens": tokens, "threads": args.threads,
        "texts_per_s": texts.len() as f64 / seconds, "tokens_per_s": tokens as f64 / seconds,
        "question_ms": alone(&encoder, &texts),
        "share_of_peak": arithmetic / seconds / peak, "peak_gflops": peak / 1e9, "cores_used": cores,
    });
    if args.candle {
        let builder = VarBuilder::from_backend(
            Box::new(folder.weights().unwrap().into_mapped().unwrap()),
            DType::F32,
            Device::Cpu,
        );
        let model = BertModel::load(builder, &config).unwrap();
        let (theirs, seconds, _) = measured(args.repeats, || candle(&model, &ids));
        let (cosine, difference) = agreement(&ours, &theirs);
        line["candle"] = json!({
            "tokens_per_s": tokens as f64 / seconds, "least_cosine": cosine,
            "greatest_difference": difference,
        });
    }
    harness::print(&line);
    if let Some(path) = args.out {
        write(&path, &ours);
    }
}

fn texts(args: &Args) -> Vec<String> {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/plugins/encoder/tests/fixtures/texts.json");
    match &args.texts {
        None => harness::json(fixture.as_ref()),
        Some(path) => harness::json_lines(path).into_iter().map(|Line { text }| text).collect(),
    }
}

fn pieces(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    tokenizer.ids(text).unwrap()
}

/// Median milliseconds to encode one text by itself.
fn alone(encoder: &BertEncoder, texts: &[&str]) -> f64 {
    let seconds = |text: &&str| timed(|| encoder.encode_questions(&[text]).unwrap()).1;
    median(texts.iter().take(ALONE).map(seconds).collect()) * 1e3
}

/// Floating-point operations in the model's products for a text of `tokens` tokens.
fn operations(config: &Config, tokens: usize) -> f64 {
    let (width, inner, tokens) = (config.hidden_size as f64, config.intermediate_size as f64, tokens as f64);
    let products = 4.0 * width * width + 2.0 * width * inner;
    let attention = 2.0 * width * tokens;
    2.0 * config.num_hidden_layers as f64 * tokens * (products + attention)
}

/// Operations per second of a product of two square matrices: the best of several runs.
fn peak() -> f64 {
    let side = || Tensor::rand(-1f32, 1f32, (PEAK_SIDE, PEAK_SIDE), &Device::Cpu).unwrap();
    let (left, right) = (side(), side());
    let once = |_| {
        let (_, seconds) = timed(|| std::hint::black_box(left.matmul(&right).unwrap()));
        2.0 * (PEAK_SIDE as f64).powi(3) / seconds
    };
    (0..PEAK_REPEATS).map(once).fold(0.0, f64::max)
}

/// The result of `work`, the median of its times in seconds, and processor time over clock time,
/// all repeats together.
fn measured<T>(repeats: usize, work: impl Fn() -> T) -> (T, f64, f64) {
    let processor = processor_seconds();
    let ((result, seconds), elapsed) = timed(|| repeated(repeats, work));
    (result, seconds, (processor_seconds() - processor) / elapsed)
}

fn candle(model: &BertModel, ids: &[Vec<u32>]) -> Vec<Vec<f32>> {
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_by_key(|&index| ids[index].len());
    let mut vectors = vec![Vec::new(); ids.len()];
    for batch in order.chunks(BATCH_TEXTS) {
        let longest = batch.iter().map(|&index| ids[index].len()).max().unwrap();
        let padded = |fill: &dyn Fn(&[u32]) -> Vec<u32>| {
            let rows: Vec<Vec<u32>> = batch
                .iter()
                .map(|&index| {
                    let mut row = fill(&ids[index]);
                    row.resize(longest, 0);
                    row
                })
                .collect();
            Tensor::new(rows, &Device::Cpu).unwrap()
        };
        let input = padded(&<[u32]>::to_vec);
        let mask = padded(&|row| vec![1; row.len()]);
        let states = model.forward(&input, &input.zeros_like().unwrap(), Some(&mask)).unwrap();
        let mask = mask.to_dtype(DType::F32).unwrap().unsqueeze(2).unwrap();
        let sums: Vec<Vec<f32>> = states.broadcast_mul(&mask).unwrap().sum(1).unwrap().to_vec2().unwrap();
        for (&index, mut sum) in batch.iter().zip(sums) {
            normalize(&mut sum);
            vectors[index] = sum;
        }
    }
    vectors
}

/// The smallest cosine, and the largest difference of two components.
fn agreement(ours: &Embeddings, theirs: &[Vec<f32>]) -> (f64, f32) {
    let (mut least, mut most) = (1f64, 0f32);
    for (a, b) in ours.rows().zip(theirs) {
        least = least.min(a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum());
        most = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(most, f32::max);
    }
    (least, most)
}

fn write(path: &std::path::Path, vectors: &Embeddings) {
    let shape = [vectors.len() as u64, vectors.dimension() as u64];
    let out = BufWriter::new(File::create(path).unwrap());
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(out).begin_nd().unwrap();
    writer.extend(vectors.rows().flatten().copied()).unwrap();
    writer.finish().unwrap();
}
