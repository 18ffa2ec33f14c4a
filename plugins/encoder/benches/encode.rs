//! Tokens per second of the encoder and of candle's `BertModel`, on the same texts in one run, with the
//! agreement of their vectors. Tokens per second of processor time stand beside those of the clock: on a
//! machine that does other work as well, only they can be compared.
//!
//! Needs all-MiniLM-L6-v2 in the model home. `RAYON_NUM_THREADS` sets candle's threads and ours. With
//! `POSTIL_REFERENCE` naming an .npy of reference vectors for all texts, compares with those too.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and stops at any fault")]

use std::time::Instant;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use postil_checkpoint::{ModelFolder, locate, model_home};
use postil_contract::Encoder;
use postil_encoder::{BertEncoder, normalize};

/// Texts in one of candle's padded batches.
const BATCH_TEXTS: usize = 32;
/// One text in so many is given to candle too, which takes its time.
const CANDLE_SHARE: usize = 4;

fn main() {
    let Ok(path) = model_home().and_then(|home| locate("all-MiniLM-L6-v2", &home)) else {
        println!("skipped: no all-MiniLM-L6-v2, set POSTIL_MODELS to the folder that holds it");
        return;
    };
    let threads = std::env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/texts.json");
    let texts: Vec<String> = serde_json::from_slice(&std::fs::read(fixture).unwrap()).unwrap();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();

    let start = Instant::now();
    let folder = ModelFolder::open(&path).unwrap();
    postil_checkpoint::file_digest(&folder.file("model.safetensors")).unwrap();
    println!("digest of the weights: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    let encoder = BertEncoder::open(&path).unwrap().with_threads(threads);
    println!("open: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);

    let tokenizer = folder.tokenizer().unwrap();
    let ids: Vec<Vec<u32>> =
        texts.iter().map(|t| tokenizer.encode(*t, true).unwrap().get_ids().to_vec()).collect();
    let tokens: usize = ids.iter().map(Vec::len).sum();
    println!(
        "{} texts, {tokens} tokens, mean {:.1}, {threads} threads",
        texts.len(),
        tokens as f64 / texts.len() as f64
    );

    encoder.encode_questions(&texts[..50]).unwrap();
    let ours = timed("postil (with tokenizing)", tokens, || encoder.encode_questions(&texts).unwrap());
    let rows: Vec<&[f32]> = ours.rows().collect();
    let start = Instant::now();
    for text in &texts[..20] {
        encoder.encode_questions(&[text]).unwrap();
    }
    println!("postil, one text at a time: {:.1} ms", start.elapsed().as_secs_f64() * 1e3 / 20.0);

    let config: Config = folder.json("config.json").unwrap();
    let builder = VarBuilder::from_backend(
        Box::new(folder.weights().unwrap().into_mapped().unwrap()),
        DType::F32,
        Device::Cpu,
    );
    let model = BertModel::load(builder, &config).unwrap();
    let some: Vec<Vec<u32>> = ids.iter().step_by(CANDLE_SHARE).cloned().collect();
    let tokens = some.iter().map(Vec::len).sum();
    let theirs = timed("candle (without tokenizing)", tokens, || candle(&model, &some));
    let same: Vec<&[f32]> = rows.iter().step_by(CANDLE_SHARE).copied().collect();
    agreement("candle", &same, &theirs);
    if let Some(path) = std::env::var_os("POSTIL_REFERENCE") {
        let reference: Vec<Vec<f32>> = Tensor::read_npy(path).unwrap().to_vec2().unwrap();
        agreement("reference", &rows, &reference);
    }
}

/// Runs `work` once, and prints its rate by the clock and by processor time.
fn timed<T>(name: &str, tokens: usize, work: impl FnOnce() -> T) -> T {
    let (clock, processor) = (Instant::now(), processor_seconds());
    let result = work();
    let (clock, processor) = (clock.elapsed().as_secs_f64(), processor_seconds() - processor);
    println!(
        "{name}: {:.0} tokens/s, {:.0} per processor second",
        tokens as f64 / clock,
        tokens as f64 / processor
    );
    result
}

/// Processor time of this process and all its threads; NaN where the system does not say it this way.
fn processor_seconds() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(f64::NAN);
    (ticks(11) + ticks(12)) / TICKS_PER_SECOND
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

fn agreement(name: &str, ours: &[&[f32]], theirs: &[Vec<f32>]) {
    let (mut least, mut most) = (1f64, 0f32);
    for (a, b) in ours.iter().zip(theirs) {
        least = least.min(a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum());
        most = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(most, f32::max);
    }
    println!("against {name}: least cosine {least:.7}, greatest difference {most:.1e}");
}
