use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use postil::{Database, Rebuilt, Watch};

use crate::flags::Output;
use crate::{exit, render};

/// Make a fresh database of what can be read of a damaged one, and list what could not
#[derive(Args)]
pub(crate) struct Rebuild {
    /// The damaged database; only read
    database: PathBuf,
    /// The fresh one; nothing may be there yet
    new: PathBuf,
    /// Model the database was made with, should its manifest be lost
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// However it ends, the damaged database is unchanged, and the new one complete or absent.
pub(crate) fn run(args: &Rebuild) -> Result<ExitCode> {
    let mut options = Database::options();
    if let Some(model) = &args.model {
        options = options.model(model);
    }
    let rebuilt = options.rebuild(&args.database, &args.new, &Watch::default())?;
    let Rebuilt { documents, passages, embedded, doubtful, lost } = &rebuilt;
    if args.output.json {
        render::json(&rebuilt)?;
    } else {
        render::text(&format!("{documents} documents, {passages} passages; {embedded} embedded again"))?;
        for (what, list) in [("doubtful", doubtful), ("lost", lost)] {
            for lost in list {
                render::text(&format!("{what}: {lost}"))?;
            }
        }
    }
    let is_whole = doubtful.is_empty() && lost.is_empty();
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(exit::SKIPPED) })
}
