use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use postil::{Database, Metadata, StoredDocument};
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
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: Output,
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
                        "heading": passage.heading, "text": passage.text,
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
    let text = db.text(&args.key)?.with_context(missing)?;
    if args.output.json {
        let StoredDocument { key: document, title, metadata, .. } = &document;
        render::json(&Got { document, title, text: &text, metadata })?;
    } else {
        render::text(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}
