use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use postil::Database;

use crate::flags::{Output, Reading};
use crate::{open, render};

/// Show counts, sizes and what the database was made with
#[derive(Args)]
pub(crate) struct Stat {
    /// The database
    database: PathBuf,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Stat) -> Result<ExitCode> {
    let db = open::to_read(&args.database, args.reading, Database::options())?;
    let stat = db.stat()?;
    if args.output.json {
        render::json(&stat)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (profile, per_row) = (&stat.profile, |bytes| stat.per_row(bytes));
    let resident = stat
        .resident_bytes
        .map_or_else(String::new, |bytes| format!(", where {:.0} of the index are now", per_row(bytes)));
    let encoder = if profile.encoder.is_empty() { "none (bare vectors)" } else { &profile.encoder };
    render::text(&format!(
        "documents   {}\npassages    {}\nbytes       {}\nencoder     {encoder}\n\
         vectors     {} x {}, {}, {} precision\nsegments    {} sealed, {} rows growing\n\
         per row     {:.0} bytes on disk, {:.0} of them index; searches need {:.0} in memory{resident}",
        stat.documents,
        stat.passages,
        stat.disk_bytes,
        stat.passages,
        profile.dimension,
        profile.metric,
        profile.precision,
        stat.segments,
        stat.growing_rows,
        per_row(stat.disk_bytes),
        per_row(stat.index_bytes),
        per_row(stat.searched_bytes),
    ))?;
    if let Some(recall) = stat.recall {
        render::text(&format!(
            "recall      {recall:.3} of the nearest passages, as measured when segments were made"
        ))?;
    }
    if let Some(failure) = &stat.rewrite_failure {
        render::text(&format!("growing     the documents could not be written anew: {failure}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
