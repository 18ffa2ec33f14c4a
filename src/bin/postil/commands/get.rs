use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use postil::{Database, Locator, Metadata, Places, StoredDocument, StoredPassage};
use serde::Serialize;
use serde_json::json;

use crate::flags::{Output, Reading};
use crate::{open, render};

/// Print a document, or its passages
#[derive(Args)]
pub(crate) struct Get {
    /// The database
    database: PathBuf,
    /// The document's key
    key: String,
    /// List its passages instead of its text
    #[arg(long)]
    passages: bool,
    /// The text of one page only, counted from 1; of a slide in a presentation
    #[arg(long, value_name = "N", conflicts_with = "passages", value_parser = clap::value_parser!(u32).range(1..))]
    page: Option<u32>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: Output,
}

/// The place of a passage in a paged format.
fn locator(passage: &StoredPassage) -> Option<Locator> {
    let range = 0..(passage.range.end - passage.range.start) as usize;
    Places::from_bytes(&passage.places).ok()?.locate(range)
}

#[derive(Serialize)]
struct Got<'a> {
    document: &'a str,
    title: &'a str,
    text: &'a str,
    metadata: &'a Metadata,
}

pub(crate) fn run(args: &Get) -> Result<ExitCode> {
    let db = open::to_read(&args.database, args.reading, Database::options())?;
    let missing = || format!("there is no document {:?} in {}", args.key, args.database.display());
    let document = db.get(&args.key)?.with_context(missing)?;
    if args.passages {
        let passages = db.passages(&args.key)?.with_context(missing)?;
        if args.output.json {
            let passages: Vec<_> = passages
                .iter()
                .map(|passage| {
                    let range = &passage.source_range;
                    json!({
                        "range": [range.start, range.end], "title": document.title,
                        "heading": passage.heading, "text": passage.text, "locator": locator(passage),
                    })
                })
                .collect();
            render::json(&json!({ "document": document.key, "passages": passages }))?;
        } else {
            for passage in &passages {
                let range = &passage.source_range;
                render::text(&format!(
                    "bytes {}-{}  {}\n{}\n",
                    range.start, range.end, passage.heading, passage.text
                ))?;
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    let text = match args.page {
        Some(page) => db
            .page(&args.key, page)?
            .with_context(|| format!("{:?} has no page {page} with text", args.key))?,
        None => db.text(&args.key)?.with_context(missing)?,
    };
    if args.output.json {
        let StoredDocument { key: document, title, metadata, .. } = &document;
        render::json(&Got { document, title, text: &text, metadata })?;
    } else {
        render::text(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}
