use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use crate::args::Publish;
use crate::{open, render};

pub(crate) fn run(args: &Publish) -> Result<ExitCode> {
    let db = open::existing(&args.database)?;
    db.publish()?;
    let generation = db.stat()?.generation;
    if args.output.json {
        render::json(&json!({ "generation": generation }))?;
    } else {
        render::text(&format!("published as of generation {generation}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
