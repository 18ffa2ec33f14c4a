use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use postil::{Database, Place, RetrieveOptions, Retrieved, SearchOptions};
use serde::Serialize;

use crate::flags::{Filter, Output, Reading, Words};
use crate::{open, render};

/// Find the passages nearest to a text, in meaning and in words
#[derive(Args)]
pub(crate) struct Search {
    /// The database
    database: PathBuf,
    /// The text to look for
    query: String,
    /// Number of passages
    #[arg(short, default_value_t = 10)]
    k: usize,
    /// Scan every vector instead of searching the graph
    #[arg(long, help_heading = "Advanced")]
    exact: bool,
    /// The share of the nearest passages that the search is to find, on average: more takes longer
    #[arg(long, default_value_t = postil::DEFAULT_RECALL, value_parser = share, conflicts_with = "exact", help_heading = "Advanced")]
    recall: f32,
    #[command(flatten)]
    words: Words,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: Output,
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f32, String> {
    let share: f32 = text.parse().map_err(|_| "it is no number".to_owned())?;
    (0.0..=1.0).contains(&share).then_some(share).ok_or_else(|| "it is not from 0 to 1".to_owned())
}

#[derive(Serialize)]
struct Found<'a> {
    hits: &'a [Retrieved],
}

pub(crate) fn run(args: &Search) -> Result<ExitCode> {
    let filter = open::filter(&args.filter)?;
    let db = open::to_read(&args.database, args.reading, Database::options())?;
    open::warn_of_emptiness(&db, &args.database)?;
    let mut search = SearchOptions::new(args.k).recall(args.recall);
    search.exact = args.exact;
    search.filter = open::filter_on(&db, filter)?;
    let options =
        RetrieveOptions::from(search).candidates(args.words.candidates).words_weight(args.words.words_weight);
    let found = db.retrieve(&args.query, &options)?;
    if found.is_empty() {
        open::tell_missing_fields(&db, options.search.filter.as_ref())?;
    }
    if args.output.json {
        render::json(&Found { hits: &found })?;
        return Ok(ExitCode::SUCCESS);
    }
    for (rank, Retrieved { hit, words, relevance, copies, locator, .. }) in found.iter().enumerate() {
        let range = &hit.source_range;
        let place = match locator {
            Some(locator) => render::on_one_line(&locator.to_string()),
            None => format!("bytes {}-{}", range.start, range.end),
        };
        render::text(&format!(
            "{}. {}  {place}  relevance {relevance:.3} (score {:.3}, words {words:.2})",
            rank + 1,
            render::on_one_line(&hit.key),
            hit.score,
        ))?;
        if !copies.is_empty() {
            render::text(&format!("   also in: {}", render::on_one_line(&Place::names(copies))))?;
        }
        render::raw(&format!("   {}\n", render::matched(&render::snippet(&hit.text), &args.query)))?;
    }
    warn_of_the_query(args, &found);
    Ok(ExitCode::SUCCESS)
}

/// Warns of what a reader of the hits could take for granted: that one has a word of the query, and
/// that a quoted phrase is looked for as one.
fn warn_of_the_query(args: &Search, found: &[Retrieved]) {
    if found.is_empty() {
        eprintln!("nothing found");
    } else if args.words.words_weight > 0.0 && found.iter().all(|found| found.words == 0.0) {
        eprintln!("no passage found has a word of the query; these are the nearest in meaning, near or not");
    }
    if args.query.matches('"').count() > 1 {
        eprintln!("a phrase in quotes is not looked for as one: its words count each by itself");
    }
}
