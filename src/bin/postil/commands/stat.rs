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
    let made = match profile.encoder.as_str() {
        "" => "It holds bare vectors".to_owned(),
        encoder => format!("It was made with the encoder {encoder}: vectors"),
    };
    let resident = stat.resident_bytes.map_or_else(String::new, |bytes| {
        format!("; {:.0} bytes of the index are there now", per_row(bytes))
    });
    render::text(&format!(
        "{} with {}, {} bytes on disk.\n\
         {made} of {} components, compared by {}, in {} precision.\n\
         {} with a search index; {} outside them, scanned in every search.\n\
         A passage takes {:.0} bytes on disk, {:.0} of them index; a search needs {:.0} in memory{resident}.",
        counted(stat.documents, "document"),
        counted(stat.passages, "passage"),
        stat.disk_bytes,
        profile.dimension,
        profile.metric,
        profile.precision,
        counted(stat.segments as u64, "segment"),
        counted(stat.growing_rows as u64, "passage"),
        per_row(stat.disk_bytes),
        per_row(stat.index_bytes),
        per_row(stat.searched_bytes),
    ))?;
    if let Some(recall) = stat.recall {
        render::text(&format!(
            "Searches find {recall:.3} of the nearest passages, as measured when the segments were made."
        ))?;
    }
    if let Some(failure) = &stat.rewrite_failure {
        render::text(&format!("The documents could not be written anew, so that files grow: {failure}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
