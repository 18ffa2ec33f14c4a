use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::flags::Output;
use crate::{open, render};

/// Show what is there now to readers with --published
#[derive(Args)]
pub(crate) struct Publish {
    /// The database
    database: PathBuf,
    #[command(flatten)]
    output: Output,
}

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
