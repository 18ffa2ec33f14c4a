use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::json;

use crate::args::Rm;
use crate::{open, render};

pub(crate) fn run(args: &Rm) -> Result<ExitCode> {
    let filter = open::filter(&args.filter)?;
    let db = open::existing(&args.database)?;
    let mut keys = args.keys.clone();
    if let Some(filter) = &filter {
        if !keys.is_empty() {
            bail!("give keys or --filter, not both");
        }
        for document in db.documents() {
            let document = document?;
            if filter.matches(&document.metadata) {
                keys.push(document.key);
            }
        }
    }
    keys.sort();
    keys.dedup();
    let absent: Vec<&String> = {
        let mut absent = Vec::new();
        for key in &keys {
            if db.get(key)?.is_none() {
                absent.push(key);
            }
        }
        absent
    };
    let removed = db.remove(keys.iter().cloned())?;
    if args.output.json {
        render::json(&json!({ "removed": removed, "absent": absent }))?;
    } else {
        render::text(&format!("{removed} removed"))?;
        for key in &absent {
            eprintln!("no such document: {}", render::on_one_line(key));
        }
    }
    Ok(if absent.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
