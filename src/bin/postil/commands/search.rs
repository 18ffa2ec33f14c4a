use std::process::ExitCode;

use anyhow::Result;
use postil::{Database, Place, RetrieveOptions, Retrieved, SearchOptions};
use serde::Serialize;

use crate::args::Search;
use crate::{open, render};

#[derive(Serialize)]
struct Found<'a> {
    hits: &'a [Retrieved],
}

pub(crate) fn run(args: &Search) -> Result<ExitCode> {
    let filter = open::filter(&args.filter)?;
    let db = open::to_read(&args.database, args.reading, Database::options())?;
    let mut search = SearchOptions::new(args.k).recall(args.recall);
    search.exact = args.exact;
    search.filter = filter;
    let options =
        RetrieveOptions::from(search).candidates(args.words.candidates).words_weight(args.words.words_weight);
    let found = db.retrieve(&args.query, &options)?;
    if args.output.json {
        render::json(&Found { hits: &found })?;
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
