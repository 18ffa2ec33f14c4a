use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use postil::exchange::Lines;
use postil::{Database, Progress, Watch};

use super::ingest::{tell, warn_of_growth};
use crate::flags::Output;
use crate::interrupt;
use crate::meter::Meter;

/// Add the documents of an export, with their vectors where the encoder is the same
#[derive(Args)]
pub(crate) struct Import {
    /// The database; created as the exported one was if absent
    database: PathBuf,
    /// The exported folder or Parquet file, or a file with the JSON lines of an export; `-` is
    /// standard input
    source: PathBuf,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Import) -> Result<ExitCode> {
    let lines = match args.source.as_os_str() == "-" {
        true => Some(Lines::new("standard input", BufReader::new(std::io::stdin()))?),
        false => None,
    };
    let options = Database::options();
    let options = match &lines {
        Some(lines) => options.exported_lines(lines),
        None => options.exported(&args.source)?,
    };
    let db = options.open(&args.database)?;
    let cancel = interrupt::listen("finishing the batch; Ctrl-C again to stop at once")?;
    let meter = Meter::new();
    let show = |progress: &Progress| meter.show(progress);
    let watch = Watch::new().progress(&show).cancel(&cancel);
    let report = match lines {
        Some(lines) => db.import_lines(lines, &watch),
        None => db.import(&args.source, &watch),
    };
    meter.finish();
    let report = report?;
    warn_of_growth(&db)?;
    db.close()?;
    tell(&report, args.output)
}
