use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use crate::flags::{Filter, Output};
use crate::{open, render};

/// Remove documents
#[derive(Args)]
pub(crate) struct Rm {
    /// The database
    database: PathBuf,
    /// Keys of the documents
    #[arg(required_unless_present = "filter")]
    keys: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Rm) -> Result<ExitCode> {
    let filter = open::filter(&args.filter)?;
    if filter.is_some() && !args.keys.is_empty() {
        bail!("give keys or --filter, not both");
    }
    let db = open::existing(&args.database)?;
    if let Some(filter) = &open::filter_on(&db, filter)? {
        let removed = db.remove_where(filter)?;
        if removed == 0 {
            open::tell_missing_fields(&db, Some(filter))?;
        }
        return tell(args, removed, &[]);
    }
    let mut keys = args.keys.clone();
    keys.sort();
    keys.dedup();
    let mut absent = Vec::new();
    for key in &keys {
        if db.get(key)?.is_none() {
            absent.push(key);
        }
    }
    tell(args, db.remove(keys.iter().cloned())?, &absent)
}

fn tell(args: &Rm, removed: usize, absent: &[&String]) -> Result<ExitCode> {
    if args.output.json {
        render::json(&json!({ "removed": removed, "absent": absent }))?;
    } else {
        render::text(&format!("{removed} removed"))?;
        for key in absent {
            eprintln!("no such document: {}", render::on_one_line(key));
        }
    }
    Ok(if absent.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
