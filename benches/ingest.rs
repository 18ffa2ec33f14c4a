//! Cost of ingesting: passages per second through reading, splitting, encoding and durable commits,
//! and the peak memory.
//!
//!     cargo bench --bench ingest -- [--documents FILE.jsonl] [--count 5000] [--threads 1,2] [--repeats 3]
//!
//! FILE has `pid`, `title`, `text` lines and may be compressed; by default the Wikipedia passages
//! of the shared data. Needs all-MiniLM-L6-v2 in the model home. Each thread count is a process
//! bound to that many cores, which all stages share; rounds alternate between the thread counts.
//! Prints one JSON line per thread count: medians, `cores_used` (processor time over clock time),
//! `peak_bytes` of resident memory, and `speedup` over the first thread count.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

mod corpus;
mod harness;

use std::path::PathBuf;
use std::process::Command;

use clap::Parser;
use harness::process::{peak_bytes, processor_seconds};
use postil::Database;
use serde_json::{Value, json};

#[derive(Parser)]
struct Args {
    /// Passages, one JSON object per line
    #[arg(long)]
    documents: Option<PathBuf>,
    /// Number of passages to ingest
    #[arg(long, default_value_t = 5000)]
    count: usize,
    /// Numbers of cores, one run of each
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
    /// Number of runs for each thread count
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// Do one run in this process, on the cores it is bound to
    #[arg(long, hide = true)]
    once: bool,
}

fn main() {
    let args: Args = harness::args();
    if args.once {
        return harness::print(&once(&args));
    }
    let mut runs: Vec<Vec<Value>> = vec![Vec::new(); args.threads.len()];
    for _ in 0..args.repeats {
        for (threads, runs) in args.threads.iter().zip(&mut runs) {
            let cores = format!("0-{}", threads - 1);
            let mut again = Command::new("taskset");
            again.args(["-c", &cores]).arg(std::env::current_exe().unwrap()).arg("--once");
            let output = again.args(std::env::args_os().skip(1)).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            runs.push(serde_json::from_slice(&output.stdout).unwrap());
        }
    }
    let mut first = None;
    for (threads, runs) in args.threads.iter().zip(&runs) {
        let median =
            |name: &str| harness::median(runs.iter().map(|run| run[name].as_f64().unwrap()).collect());
        let speed = median("passages_per_s");
        harness::print(&json!({
            "threads": threads, "documents": args.count, "passages": runs[0]["passages"],
            "passages_per_s": speed, "speedup": speed / *first.get_or_insert(speed),
            "cores_used": median("cores_used"), "peak_bytes": median("peak_bytes"),
        }));
    }
}

fn once(args: &Args) -> Value {
    let default = || corpus::data_folder().join("retrieval/wiki_distractors.jsonl.xz");
    let mut documents = corpus::documents(&args.documents.clone().unwrap_or_else(default)).unwrap();
    documents.truncate(args.count);
    let folder = tempfile::tempdir().unwrap();
    let db = Database::options().open(folder.path().join("d.postil")).unwrap();
    // This call loads the encoder, which is loaded at first use.
    let _ = db.search("warm", &postil::SearchOptions::new(1));
    let processor = processor_seconds();
    let (report, seconds) = harness::timed(|| db.ingest_all(documents, &postil::Watch::default()).unwrap());
    json!({
        "passages": report.passages, "passages_per_s": report.passages as f64 / seconds,
        "cores_used": (processor_seconds() - processor) / seconds, "peak_bytes": peak_bytes(),
    })
}
