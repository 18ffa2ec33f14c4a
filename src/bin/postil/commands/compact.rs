use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use postil::{Progress, Watch};
use serde_json::json;

use crate::flags::Output;
use crate::{interrupt, meter, open, render};

/// Write everything anew without what was removed: smallest files, fastest searches
#[derive(Args)]
pub(crate) struct Compact {
    /// The database
    database: PathBuf,
    #[command(flatten)]
    output: Output,
}

/// However it ends, nothing is lost; Ctrl-C ends it soon.
pub(crate) fn run(args: &Compact) -> Result<ExitCode> {
    let db = open::existing(&args.database)?;
    let before = db.stat()?.disk_bytes;
    let cancel = interrupt::listen("ending the compaction; nothing is lost")?;
    let bar = meter::rows();
    let show = |progress: &Progress| meter::show_rows(&bar, progress);
    let compacted = db.compact(&Watch::new().progress(&show).cancel(&cancel));
    bar.finish_and_clear();
    compacted?;
    let after = db.stat()?.disk_bytes;
    if args.output.json {
        render::json(&json!({ "bytes_before": before, "bytes": after }))?;
    } else {
        render::text(&format!("{before} bytes before, {after} now"))?;
    }
    Ok(ExitCode::SUCCESS)
}
