//! Agreement with the PyTorch model on rows that `training/export.py` wrote: input pieces, gates,
//! origins, the five likeliest tokens, and greedy answers.

use std::path::{Path, PathBuf};

use postil_contract::{Passage, TokenId};
use serde::Deserialize;

use crate::ReaderGenerator;
use crate::reader::decoding::Reading;
use crate::reader::input;
use crate::reader::memory::ROOT;
use crate::reader::walk::{Walk, step};

/// Largest difference allowed, in log-probability and in probability.
const TOLERANCE: f64 = 1e-3;

#[derive(Deserialize)]
struct Row {
    question: String,
    title: String,
    passage: String,
    ids: Vec<TokenId>,
    passage_start: usize,
    no_answer: f64,
    greedy: Vec<TokenId>,
    steps: Vec<ForcedStep>,
}

#[derive(Deserialize)]
struct ForcedStep {
    token: TokenId,
    log_prob: f64,
    gates: [f64; 5],
    top: Vec<(TokenId, f64)>,
    origin: Vec<(usize, f64)>,
}

/// The shipped model and its rows, or others named by POSTIL_READER (the folder) and
/// POSTIL_READER_ROWS.
fn reader_and_rows() -> Option<(ReaderGenerator, Vec<Row>)> {
    let place = |variable, default: &str| {
        let default = Path::new(env!("CARGO_MANIFEST_DIR")).join(default);
        std::env::var_os(variable).map_or(default, PathBuf::from)
    };
    let folder = place("POSTIL_READER", "models/reader");
    let rows = place("POSTIL_READER_ROWS", "tests/fixtures/reader.jsonl");
    if !folder.join("config.json").is_file() || !rows.is_file() {
        eprintln!("skipped: no reader at {} with rows at {}", folder.display(), rows.display());
        return None;
    }
    let text = std::fs::read_to_string(rows).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Some((ReaderGenerator::open(&folder).unwrap(), rows))
}

fn read(reader: &ReaderGenerator, row: &Row) -> Reading {
    let config = &reader.network.config;
    // Training cuts a long question; here it is an error.
    let pieces = reader.tokenizer.bare_ids(&row.question).unwrap();
    let most = pieces.len().min(config.max_question_tokens);
    let passage = Passage { title: &row.title, text: &row.passage };
    let input = input::read(&reader.tokenizer, config, &pieces[..most], passage).unwrap();
    let memory = reader.remember(std::slice::from_ref(&input)).unwrap().remove(0);
    Reading { input, memory }
}

/// The largest differences seen.
#[derive(Debug, Default)]
struct Worst {
    log_prob: f64,
    gate: f64,
    origin: f64,
    top: f64,
    top_unlikely: f64,
}

/// Below this probability, log-probabilities have no three correct digits in either program: the
/// share that *continue* cannot move is 1 - movable, whose rounding error in f32 is 6e-8.
const UNLIKELY: f64 = 1e-4;

fn raise(worst: &mut f64, got: f32, expected: f64) {
    *worst = worst.max((f64::from(got) - expected).abs());
}

#[test]
fn every_step_of_the_stored_rows_is_that_of_pytorch() {
    let Some((reader, rows)) = reader_and_rows() else { return };
    let (mut worst, mut steps) = (Worst::default(), 0);
    for row in &rows {
        let Reading { input, memory } = read(&reader, row);
        assert_eq!((&input.ids, input.body), (&row.ids, row.passage_start), "{}", row.question);
        let walk = Walk { network: &reader.network, memories: vec![&memory] };
        let mut at = (0, ROOT);
        for forced in &row.steps {
            steps += 1;
            let line = walk.log_probs(&[at]);
            let gates = step(memory.prefixes().at(at.1)).gates;
            gates.iter().zip(forced.gates).for_each(|(got, gate)| raise(&mut worst.gate, got.exp(), gate));
            let mut sorted = line.clone();
            sorted.sort_unstable_by(|a, b| b.total_cmp(a));
            for (got, (token, expected)) in sorted.iter().zip(&forced.top) {
                for got in [*got, line[*token as usize]] {
                    match expected.exp() < UNLIKELY {
                        true => raise(&mut worst.top_unlikely, got.exp(), expected.exp()),
                        false => raise(&mut worst.top, got, *expected),
                    }
                }
            }
            raise(&mut worst.log_prob, line[forced.token as usize], forced.log_prob);
            at = walk.advance(&[(at, forced.token)])[0];
            let prefixes = memory.prefixes();
            raise(&mut worst.log_prob, prefixes.at(at.1).log_prob, forced.log_prob);
            let origin = &prefixes.at(at.1).origin;
            let mass = |at: usize| origin.iter().find(|(p, _)| *p == at).map_or(0.0, |(_, mass)| *mass);
            forced.origin.iter().for_each(|(at, expected)| raise(&mut worst.origin, mass(*at), *expected));
            let unlisted = |at: &usize| forced.origin.iter().all(|(listed, _)| listed != at);
            // Rows list only masses above 1e-4.
            origin.iter().filter(|(at, _)| unlisted(at)).for_each(|(_, m)| raise(&mut worst.origin, *m, 0.0));
        }
    }
    eprintln!("{} rows, {steps} steps, largest differences {worst:?}", rows.len());
    assert!(
        [worst.log_prob, worst.gate, worst.origin, worst.top].iter().all(|w| *w < TOLERANCE),
        "{worst:?}"
    );
    assert!(worst.top_unlikely < 1e-6, "{worst:?}");
}

#[test]
fn greedy_answers_of_the_stored_rows_are_those_of_pytorch() {
    let Some((reader, rows)) = reader_and_rows() else { return };
    let config = &reader.network.config;
    for row in &rows {
        let Reading { memory, .. } = read(&reader, row);
        let walk = Walk { network: &reader.network, memories: vec![&memory] };
        let (mut at, mut said) = ((0, ROOT), Vec::new());
        while said.len() < config.max_answer_tokens {
            let mut line = walk.log_probs(&[at]);
            if said.is_empty() {
                let got = std::mem::replace(&mut line[config.no_answer as usize], f32::NEG_INFINITY);
                assert!((f64::from(got) - row.no_answer).abs() < TOLERANCE, "{}: {got}", row.question);
            }
            let best = (0..line.len()).max_by(|a, b| line[*a].total_cmp(&line[*b]).then(b.cmp(a))).unwrap();
            let token = best as TokenId;
            if [config.end, config.no_answer].contains(&token) {
                break;
            }
            said.push(token);
            at = walk.advance(&[(at, token)])[0];
        }
        assert_eq!(said, row.greedy, "{}", row.question);
    }
    eprintln!("{} greedy answers", rows.len());
}
