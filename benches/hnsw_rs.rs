//! `hnsw_rs` on the vectors that `benches/search.rs` searches: in memory, rows only.
//!
//!     cargo bench --bench hnsw_rs -- --vectors DIR [--ef 32,64]
//!
//! Built with two threads, searched with one. Prints one JSON line per setting.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

mod harness;
mod vectors;

use std::path::PathBuf;

use clap::Parser;
use harness::timed;
use hnsw_rs::prelude::{DistDot, Hnsw};
use serde_json::json;
use vectors::Vectors;

const K: usize = 10;
const M: usize = 16;
const EF_CONSTRUCTION: usize = 200;
const MAX_LEVELS: usize = 16;

#[derive(Parser)]
struct Args {
    /// Folder of the vectors
    #[arg(long)]
    vectors: PathBuf,
    /// Numbers of candidates kept in a search
    #[arg(long, value_delimiter = ',', default_value = "32,64,96,128")]
    ef: Vec<usize>,
}

fn main() {
    let args: Args = harness::args();
    let Vectors { base, queries, nearest, .. } = Vectors::read(Some(&args.vectors), K);
    // The distance of `hnsw_rs` for unit vectors asserts that no inner product exceeds 1.
    let shrunk = |row: &[f32]| row.iter().map(|x| x * 0.999).collect::<Vec<f32>>();
    let base: Vec<Vec<f32>> = base.iter().map(|row| shrunk(row)).collect();
    let (hnsw, build_s) = timed(|| {
        let hnsw: Hnsw<'_, f32, DistDot> = Hnsw::new(M, base.len(), MAX_LEVELS, EF_CONSTRUCTION, DistDot {});
        let numbered: Vec<(&[f32], usize)> =
            base.iter().enumerate().map(|(i, row)| (row.as_slice(), i)).collect();
        hnsw.parallel_insert_slice(&numbered);
        hnsw
    });
    for ef in args.ef {
        let found = |(query, nearest): (&Vec<f32>, &Vec<usize>)| {
            let hits = hnsw.search(&shrunk(query), K, ef);
            hits.iter().filter(|hit| nearest[..K].contains(&hit.d_id)).count()
        };
        let (found, seconds) = timed(|| queries.iter().zip(&nearest).map(found).sum::<usize>());
        let qps = queries.len() as f64 / seconds;
        let recall = found as f64 / (queries.len() * K) as f64;
        harness::print(&json!({ "ef": ef, "recall": recall, "qps": qps, "build_s": build_s }));
    }
}
