use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use crate::args::Check;
use crate::{open, render};

pub(crate) fn run(args: &Check) -> Result<ExitCode> {
    let db = open::existing_to_read(&args.database)?;
    let damage: Vec<String> = db.store().check()?.iter().map(ToString::to_string).collect();
    if args.output.json {
        render::json(&json!({ "clean": damage.is_empty(), "damage": damage }))?;
    } else if damage.is_empty() {
        render::text("clean")?;
    } else {
        for line in &damage {
            render::text(line)?;
        }
    }
    Ok(if damage.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
