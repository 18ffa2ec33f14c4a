//! Time of a question at k = 5 under the reader: `reader_time FOLDER ROWS.jsonl`, rows as `training/export.py` writes
//! its fixtures. Passages are of about 200 word pieces; every question is new to the reader.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement reports and fails by panic")]

use std::path::Path;
use std::time::Instant;

use postil_contract::{Generator, Passage};
use postil_generator::{AnswerOptions, ReaderGenerator, Retrieved, Search, answer};

/// Passages of a question.
const K: usize = 5;
/// Characters that make about 200 word pieces.
const PASSAGE_CHARS: usize = 900;
/// Questions measured.
const QUESTIONS: usize = 20;

#[derive(serde::Deserialize)]
struct Row {
    question: String,
    title: String,
    passage: String,
}

fn main() {
    let mut args = std::env::args().skip(1);
    let (folder, rows) = (args.next().unwrap(), args.next().unwrap());
    let begun = Instant::now();
    let reader = ReaderGenerator::open(Path::new(&folder)).unwrap();
    println!("open: {} ms", begun.elapsed().as_millis());
    let rows: Vec<Row> = std::fs::read_to_string(rows)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|row: &Row| !row.passage.is_empty())
        .collect();
    let texts: Vec<String> = rows
        .iter()
        .zip(rows.iter().cycle().skip(1))
        .zip(rows.iter().cycle().skip(2))
        .map(|((a, b), c)| format!("{} {} {}", a.passage, b.passage, c.passage))
        .map(|text| text[..text.floor_char_boundary(PASSAGE_CHARS)].to_owned())
        .collect();
    let greedy = AnswerOptions { search: Search::Greedy, ..AnswerOptions::new(20.0) };
    for (name, options, from) in [("greedy", greedy, 0), ("union of 4 beams", AnswerOptions::new(20.0), 100)]
    {
        let (mut reading, mut whole) = (Vec::new(), Vec::new());
        for index in from..from + QUESTIONS {
            let passage = |z: usize| Passage { title: &rows[index + z].title, text: &texts[index + z] };
            let question = &rows[index].question;
            let passages: Vec<Passage<'_>> = (0..K).map(passage).collect();
            let begun = Instant::now();
            let Ok(_) = reader.start(question, &passages) else { continue };
            reading.push(begun.elapsed().as_secs_f64() * 1e3);
            let retrieved = passages.into_iter().enumerate();
            let retrieved: Vec<_> =
                retrieved.map(|(z, passage)| Retrieved { passage, score: 0.8 - 0.05 * z as f32 }).collect();
            answer(&reader, question, &retrieved, &options).unwrap();
            whole.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let of = |times: &mut Vec<f64>, share: f64| {
            times.sort_by(f64::total_cmp);
            times[((times.len() - 1) as f64 * share).round() as usize]
        };
        println!(
            "{name}: reading p50 {:.0} ms, question p50 {:.0} ms, p95 {:.0} ms",
            of(&mut reading, 0.5),
            of(&mut whole, 0.5),
            of(&mut whole, 0.95)
        );
    }
}
