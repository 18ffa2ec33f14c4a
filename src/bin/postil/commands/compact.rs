use std::process::ExitCode;

use anyhow::Result;
use postil::Watch;
use serde_json::json;

use crate::args::Compact;
use crate::{open, render};

/// However it ends, the database is unchanged or compacted.
pub(crate) fn run(args: &Compact) -> Result<ExitCode> {
    let db = open::existing(&args.database)?;
    let before = db.stat()?.disk_bytes;
    db.compact(&Watch::default())?;
    let after = db.stat()?.disk_bytes;
    if args.output.json {
        render::json(&json!({ "bytes_before": before, "bytes": after }))?;
    } else {
        render::text(&format!("{before} bytes before, {after} now"))?;
    }
    Ok(ExitCode::SUCCESS)
}
