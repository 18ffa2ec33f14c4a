//! Share of whole reference spans found, by passage size: five long documents, 472 questions.
//!
//!     cargo bench --bench chunking -- [--tokens 100,200,240] [--overlap 1] [-k 5]
//!
//! Prints one JSON line per size: the share of reference spans wholly inside one retrieved passage,
//! the share of questions with all their spans inside retrieved passages, and the tokens retrieved,
//! since a larger passage holds more by being larger.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

mod corpus;
mod harness;

use clap::Parser;
use postil::chunk::ChunkOptions;
use postil::{Database, Document, SearchOptions};
use serde::Deserialize;
use serde_json::json;

#[derive(Parser)]
struct Args {
    #[arg(long, value_delimiter = ',', default_value = "100,150,200,240")]
    tokens: Vec<usize>,
    #[arg(long, value_delimiter = ',', default_value = "1")]
    overlap: Vec<usize>,
    #[arg(short, default_value_t = 5)]
    k: usize,
}

#[derive(Deserialize)]
struct Query {
    text: String,
    doc: String,
    references: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    content: String,
}

fn main() {
    let args: Args = harness::args();
    let folder = corpus::data_folder().join("retrieval/chunking");
    let queries: Vec<Query> = harness::json_lines(&folder.join("queries.jsonl"));
    let encoder = postil::open_model(postil::DEFAULT_MODEL).unwrap();
    for &max_tokens in &args.tokens {
        for &overlap_sentences in &args.overlap {
            let home = tempfile::tempdir().unwrap();
            let options = ChunkOptions { max_tokens, overlap_sentences };
            let db = Database::options()
                .encoder(encoder.clone())
                .chunking(options)
                .open(home.path().join("chunking.postil"))
                .unwrap();
            let documents: Vec<Document> = std::fs::read_dir(&folder)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
                .map(|path| {
                    let text = std::fs::read_to_string(&path).unwrap();
                    Document::markdown(path.file_name().unwrap().to_string_lossy(), text)
                })
                .collect();
            let report = db.ingest_all(documents, &postil::Watch::default()).unwrap();
            let (mut spans, mut inside, mut complete, mut tokens) = (0, 0, 0, 0);
            for query in &queries {
                let options = SearchOptions::new(args.k);
                let hits = db.search(&query.text, &options).unwrap();
                tokens += hits.iter().map(|hit| encoder.tokens(&hit.text).unwrap().len()).sum::<usize>();
                let found = query.references.iter().filter(|reference| {
                    hits.iter().any(|hit| hit.key == query.doc && hit.text.contains(&reference.content))
                });
                let found = found.count();
                spans += query.references.len();
                inside += found;
                complete += usize::from(found == query.references.len());
            }
            harness::print(&json!({
                "max_tokens": max_tokens, "overlap_sentences": overlap_sentences, "k": args.k,
                "passages": report.passages, "spans": spans,
                "spans_inside_one_passage": inside as f64 / spans as f64,
                "questions_complete": complete as f64 / queries.len() as f64,
                "tokens_retrieved": tokens as f64 / queries.len() as f64,
            }));
        }
    }
}
