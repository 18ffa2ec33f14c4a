use std::process::ExitCode;

use anyhow::Result;
use postil::{Database, Metadata, Place, RetrieveOptions, Retrieved, SearchOptions, Value};
use serde_json::json;

use crate::args::Search;
use crate::{open, plain_json, render};

pub(crate) fn run(args: &Search) -> Result<ExitCode> {
    let filter = open::filter(&args.filter)?;
    let db = open::to_read(&args.database, args.reading, Database::options())?;
    let options = RetrieveOptions {
        search: SearchOptions { exact: args.exact, filter, ..SearchOptions::new(args.k).recall(args.recall) },
        candidates: args.words.candidates,
        words_weight: args.words.words_weight,
    };
    let found = db.retrieve(&args.query, &options)?;
    if args.output.json {
        let hits = found.iter().map(to_json).collect();
        render::exact_json(&Metadata::from([("hits".to_owned(), Value::List(hits))]).into())?;
        return Ok(ExitCode::SUCCESS);
    }
    for (rank, Retrieved { hit, words, relevance, copies }) in found.iter().enumerate() {
        let range = &hit.source_range;
        render::text(&format!(
            "{}. {relevance:.3}  {}  bytes {}-{}  (similarity {:.3}, words {words:.2})",
            rank + 1,
            render::on_one_line(&hit.key),
            range.start,
            range.end,
            hit.score,
        ))?;
        if !copies.is_empty() {
            render::text(&format!("   also in: {}", render::on_one_line(&Place::names(copies))))?;
        }
        render::text(&format!("   {}\n", render::snippet(&hit.text)))?;
    }
    if found.is_empty() {
        eprintln!("nothing found");
    }
    Ok(ExitCode::SUCCESS)
}

fn to_json(found: &Retrieved) -> Value {
    let hit = &found.hit;
    let made = json!({
        "document": hit.key,
        "title": hit.title,
        "heading": hit.heading,
        "range": render::range(&hit.source_range),
        "text": hit.text,
        "score": hit.score,
        "words": found.words,
        "relevance": found.relevance,
        "copies": render::copies(&found.copies),
    });
    plain_json::with_metadata(&made, &hit.metadata)
}
