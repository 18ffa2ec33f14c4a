use std::process::ExitCode;

use anyhow::Result;
use postil::{Database, Hit, SearchOptions};
use serde_json::json;

use crate::args::Search;
use crate::{open, render};

pub(crate) fn run(args: &Search) -> Result<ExitCode> {
    let filter = open::filter(&args.filter)?;
    let db = open::to_read(&args.database, args.reading, Database::options())?;
    let options = SearchOptions { exact: args.exact, filter, ..SearchOptions::new(args.k) };
    let hits = db.search(&args.query, &options)?;
    if args.output.json {
        let hits: Vec<_> = hits.iter().map(to_json).collect();
        render::json(&json!({ "hits": hits }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for (rank, hit) in hits.iter().enumerate() {
        let range = &hit.source_range;
        render::text(&format!(
            "{}. {:.3}  {}  bytes {}-{}",
            rank + 1,
            hit.score,
            render::on_one_line(&hit.key),
            range.start,
            range.end
        ))?;
        render::text(&format!("   {}\n", render::snippet(&hit.text)))?;
    }
    if hits.is_empty() {
        eprintln!("nothing found");
    }
    Ok(ExitCode::SUCCESS)
}

fn to_json(hit: &Hit) -> serde_json::Value {
    json!({
        "document": hit.key,
        "title": hit.passage_title,
        "range": [hit.source_range.start, hit.source_range.end],
        "text": hit.text,
        "score": hit.score,
    })
}
