//! Arguments, timing and output lines of the benchmarks: each prints JSON, one result per line.
#![allow(dead_code, reason = "each benchmark uses its part")]

pub(crate) mod process;

use std::path::Path;
use std::time::Instant;

use clap::Parser;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The arguments after `--`, without the flag that cargo adds.
pub(crate) fn args<A: Parser>() -> A {
    A::parse_from(std::env::args_os().filter(|argument| argument != "--bench"))
}

/// Prints one result.
#[expect(clippy::print_stdout, reason = "a benchmark prints")]
pub(crate) fn print(line: &Value) {
    println!("{line}");
}

/// The result of the work, and its time in seconds.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed().as_secs_f64())
}

/// The last result of the work, done `times` times but at least once, and its median time in
/// seconds.
pub(crate) fn repeated<T>(times: usize, mut work: impl FnMut() -> T) -> (T, f64) {
    let (mut result, seconds) = timed(&mut work);
    let mut all = vec![seconds];
    for _ in 1..times {
        let (again, seconds) = timed(&mut work);
        result = again;
        all.push(seconds);
    }
    (result, median(all))
}

/// The median; for an even number of values, the upper middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The value below which `per_mille` thousandths of the sorted values lie.
pub(crate) fn percentile(sorted: &[f64], per_mille: usize) -> f64 {
    sorted[(sorted.len() - 1) * per_mille / 1000]
}

/// The content of a JSON file.
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> T {
    serde_json::from_str(&text(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The content of a file with one JSON value per line.
pub(crate) fn json_lines<T: DeserializeOwned>(path: &Path) -> Vec<T> {
    let value = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    text(path).lines().map(value).collect()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
