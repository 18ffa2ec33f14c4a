//! Recall and time on a file of vectors: `recall BASE.npy QUERY.npy TRUTH.npy [ROWS]` (f16, f16, i32; row-major).
//!
//! Prints recall@10 against the stored truth (all rows) or against a scan (fewer rows), before and after reopening.

#![expect(clippy::print_stdout, reason = "a measurement prints")]

use postil_storage::{Batch, DocumentWrite, Metadata, Metric, Profile, SearchOptions, Store, StoreOptions};
use std::collections::HashSet;
use std::time::Instant;

const K: usize = 10;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [base, query, truth, rest @ ..] = args.as_slice() else {
        panic!("BASE.npy QUERY.npy TRUTH.npy [ROWS]")
    };
    let (base, dimension) = halves(base);
    let (queries, _) = halves(query);
    let all = base.len() / dimension;
    let rows = rest.first().map_or(all, |rows| rows.parse().expect("ROWS is a number"));
    let queries: Vec<&[f32]> = queries.chunks_exact(dimension).collect();

    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("recall.postil");
    let profile = Profile::new(dimension, Metric::Cosine);
    let store = Store::create(&path, profile, StoreOptions::default()).expect("create");
    let start = Instant::now();
    for (number, block) in base[..rows * dimension].chunks(dimension * 1000).enumerate() {
        let mut batch = Batch::new();
        for (i, vector) in block.chunks_exact(dimension).enumerate() {
            batch.upsert(DocumentWrite::row(
                format!("{:06}", number * 1000 + i),
                vector.to_vec(),
                Metadata::new(),
            ));
        }
        store.commit(batch).expect("commit");
    }
    println!("committed {rows} x {dimension} in {:.1} s", start.elapsed().as_secs_f64());
    store.close().expect("close");
    println!("full segments sealed after {:.1} s", start.elapsed().as_secs_f64());

    let start = Instant::now();
    let store = Store::open(&path, StoreOptions::default()).expect("open");
    let stat = store.stat().expect("stat");
    println!("reopened in {:.0} ms: {stat:?}", start.elapsed().as_secs_f64() * 1e3);

    let truth = if rows == all { stored_truth(truth) } else { scanned(&store, &queries) };
    measure("as reopened, last rows scanned", &store, &queries, &truth);
    let start = Instant::now();
    store.seal().expect("seal");
    println!("the rest sealed in {:.1} s", start.elapsed().as_secs_f64());
    measure("all in segments", &store, &queries, &truth);
    drop(store);
    let start = Instant::now();
    let store = Store::open(&path, StoreOptions::default()).expect("open");
    println!("reopened in {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    measure("all in segments, reopened", &store, &queries, &truth);
    let start = Instant::now();
    for query in queries.iter().take(100) {
        store.search(query, &SearchOptions::new(K).exact()).expect("search");
    }
    println!("exact: {:.0} queries/s", 100.0 / start.elapsed().as_secs_f64());
}

fn measure(what: &str, store: &Store, queries: &[&[f32]], truth: &[Vec<u64>]) {
    for ef in [32, 48, 64, 96, 128] {
        let start = Instant::now();
        let mut found = 0;
        for (query, truth) in queries.iter().zip(truth) {
            let hits = store.search(query, &SearchOptions::new(K).ef(ef)).expect("search");
            let truth: HashSet<u64> = truth.iter().copied().collect();
            found += hits.iter().filter(|hit| truth.contains(&hit.row)).count();
        }
        let (n, seconds) = (queries.len() as f64, start.elapsed().as_secs_f64());
        println!(
            "{what}: ef {ef:3}  recall@{K} {:.4}  {:.0} queries/s",
            found as f64 / n / K as f64,
            n / seconds
        );
    }
}

fn scanned(store: &Store, queries: &[&[f32]]) -> Vec<Vec<u64>> {
    let exact = SearchOptions::new(K).exact();
    let scan =
        |query: &&[f32]| store.search(query, &exact).expect("search").iter().map(|hit| hit.row).collect();
    queries.iter().map(scan).collect()
}

fn stored_truth(path: &str) -> Vec<Vec<u64>> {
    let (bytes, columns) = npy(path);
    let numbers: Vec<u64> = bytes.as_chunks::<4>().0.iter().map(|&b| i32::from_le_bytes(b) as u64).collect();
    numbers.chunks_exact(columns).map(|row| row[..K].to_vec()).collect()
}

fn halves(path: &str) -> (Vec<f32>, usize) {
    let (bytes, columns) = npy(path);
    (bytes.as_chunks::<2>().0.iter().map(|&b| half(u16::from_le_bytes(b))).collect(), columns)
}

fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    match exponent {
        0 => sign * fraction * 2f32.powi(-24),
        _ => sign * (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

/// The bytes after the header, and the second number of its shape.
fn npy(path: &str) -> (Vec<u8>, usize) {
    let mut bytes = std::fs::read(path).expect("readable");
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let text = String::from_utf8_lossy(&bytes[10..header]).into_owned();
    let shape = text.split("'shape': (").nth(1).and_then(|rest| rest.split(')').next()).expect("a shape");
    let columns = shape.split(',').nth(1).and_then(|n| n.trim().parse().ok()).expect("two dimensions");
    (bytes.split_off(header), columns)
}
