//! Time to an answer, with its log-likelihood beside it: a faster wrong answer would show.
//!
//! A BART of the base model's size with random weights, k passages of 120 tokens, 20 new tokens, greedy
//! RAG-Token and RAG-Sequence with 4 beams; `RAYON_NUM_THREADS` decides the threads. Arguments: k, then
//! repetitions (5, 3).

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints and fails by panic")]

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Instant;

use candle_core::{Device, Tensor};
use postil_generator::{BeamOptions, Constraints, LanguageModel, Mode, beam, greedy, prior};

const WIDTH: usize = 768;
const INNER: usize = 3072;
const LAYERS: usize = 6;
const VOCABULARY: usize = 50_265;
const PROMPT_TOKENS: usize = 120;
const NEW_TOKENS: usize = 20;

/// Values in -scale..scale, equal in every run.
fn tensor(seed: u64, shape: &[usize], scale: f32) -> Tensor {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut value = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 40) as f32 / (1u64 << 23) as f32 - 1.0) * scale
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| value()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn weights() -> HashMap<String, Tensor> {
    let mut shapes: Vec<(String, Vec<usize>)> = vec![("shared.weight".to_owned(), vec![VOCABULARY, WIDTH])];
    for side in ["encoder", "decoder"] {
        let mut put = |name: String, shape: &[usize]| shapes.push((format!("{side}.{name}"), shape.to_vec()));
        put("embed_positions.weight".to_owned(), &[1026, WIDTH]);
        let norm = |name: String, put: &mut dyn FnMut(String, &[usize])| {
            put(format!("{name}.weight"), &[WIDTH]);
            put(format!("{name}.bias"), &[WIDTH]);
        };
        norm("layernorm_embedding".to_owned(), &mut put);
        for i in 0..LAYERS {
            let crosses = side == "decoder";
            for map in ["self_attn", "encoder_attn"].into_iter().take(1 + usize::from(crosses)) {
                norm(format!("layers.{i}.{map}_layer_norm"), &mut put);
                for part in ["q", "k", "v", "out"] {
                    put(format!("layers.{i}.{map}.{part}_proj.weight"), &[WIDTH, WIDTH]);
                    put(format!("layers.{i}.{map}.{part}_proj.bias"), &[WIDTH]);
                }
            }
            norm(format!("layers.{i}.final_layer_norm"), &mut put);
            put(format!("layers.{i}.fc1.weight"), &[INNER, WIDTH]);
            put(format!("layers.{i}.fc1.bias"), &[INNER]);
            put(format!("layers.{i}.fc2.weight"), &[WIDTH, INNER]);
            put(format!("layers.{i}.fc2.bias"), &[WIDTH]);
        }
    }
    let named = |(seed, (name, shape)): (usize, (String, Vec<usize>))| {
        let scale = if name.contains("norm") && name.ends_with("weight") { 1.0 } else { 0.05 };
        (format!("model.{name}"), tensor(seed as u64 + 1, &shape, scale))
    };
    shapes.into_iter().enumerate().map(named).collect()
}

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let (k, repetitions) = (numbers.next().unwrap_or(5usize), numbers.next().unwrap_or(3usize));
    let config = format!(
        r#"{{"model_type": "bart", "vocab_size": {VOCABULARY}, "d_model": {WIDTH}, "encoder_layers": {LAYERS},
        "decoder_layers": {LAYERS}, "encoder_attention_heads": 12, "decoder_attention_heads": 12,
        "encoder_ffn_dim": {INNER}, "decoder_ffn_dim": {INNER}, "max_position_embeddings": 1024}}"#
    );
    let model = LanguageModel::load("random bart-base", &config, None, &weights()).unwrap();
    let token = |z: usize, i: usize| ((z * 7919 + i * 104_729) % (VOCABULARY - 10) + 5) as u32;
    let prompts: Vec<Vec<u32>> = (0..k).map(|z| (0..PROMPT_TOKENS).map(|i| token(z, i)).collect()).collect();
    let log_prior = prior(&(0..k).map(|z| -(z as f32)).collect::<Vec<_>>(), 0.3);
    let constraints = Constraints::new(NEW_TOKENS);
    println!("BART-base shape, k = {k}, {PROMPT_TOKENS} tokens of prompt, {NEW_TOKENS} new, seed fixed");
    for _ in 0..repetitions {
        let begun = Instant::now();
        let mut decoding = model.start(&prompts).unwrap();
        let read = begun.elapsed().as_secs_f64();
        let watch = &mut |_: postil_generator::Said<'_>| ControlFlow::Continue(());
        let found = greedy(decoding.as_mut(), Mode::Token, &log_prior, &constraints, watch).unwrap();
        let (all, likelihood) = (begun.elapsed().as_secs_f64(), found.marginal.log_prob);
        println!(
            "greedy RAG-Token: {all:.3} s, of which reading {read:.3} s; log-likelihood {likelihood:.4}"
        );

        let begun = Instant::now();
        let mut decoding = model.start(&prompts).unwrap();
        let options = BeamOptions::new(4);
        let found = beam(decoding.as_mut(), Mode::Sequence, &log_prior, &constraints, &options).unwrap();
        let (all, likelihood) = (begun.elapsed().as_secs_f64(), found[0].hypothesis.marginal.log_prob);
        println!("beam-4 RAG-Sequence: {all:.3} s; log-likelihood {likelihood:.4}");
    }
}
