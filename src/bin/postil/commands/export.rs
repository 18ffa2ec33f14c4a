use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use postil::exchange::{ExportOptions, Exported};
use postil::{Database, ReadOnlyDatabase, Watch};

use crate::flags::Reading;
use crate::meter::Meter;
use crate::{exit, interrupt, open, render};

/// Write all documents, passages and vectors: as JSON lines, or to files that can be imported
#[derive(Args)]
pub(crate) struct Export {
    /// The database
    database: PathBuf,
    /// File to make, whose name ends in .parquet or .jsonl, or folder to make, with documents.jsonl,
    /// vectors.npy and database.json [default: JSON lines on standard output, which `import` reads]
    target: Option<PathBuf>,
    /// Format to make [default: by the target's name]
    #[arg(long, value_enum, requires = "target")]
    format: Option<ExportFormat>,
    /// Leave the vectors out
    #[arg(long)]
    no_vectors: bool,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Clone, Copy, ValueEnum)]
enum ExportFormat {
    /// A folder of JSON lines and an array
    Folder,
    /// One file of JSON lines
    Jsonl,
    /// One Parquet file
    Parquet,
}

impl From<ExportFormat> for postil::exchange::Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Folder => Self::Folder,
            ExportFormat::Jsonl => Self::Lines,
            ExportFormat::Parquet => Self::Parquet,
        }
    }
}

pub(crate) fn run(args: &Export) -> Result<ExitCode> {
    let db = open::to_read(&args.database, args.reading, Database::options())?;
    match &args.target {
        None => print(&db, args),
        Some(target) => write(&db, target, args),
    }
}

/// Exports to a folder or a file.
fn write(db: &ReadOnlyDatabase, target: &Path, args: &Export) -> Result<ExitCode> {
    let cancel = interrupt::listen("ending the export; what there is of it cannot be imported")?;
    let meter = Meter::new();
    let mut options = ExportOptions::new().vectors(!args.no_vectors);
    options.format = args.format.map(Into::into);
    let exported =
        db.export(target, &options, &Watch::new().progress(&|progress| meter.show(progress)).cancel(&cancel));
    meter.finish();
    let exported = exported?;
    if exported.interrupted {
        return Ok(ExitCode::from(exit::INTERRUPTED));
    }
    let Exported { documents, passages, .. } = exported;
    render::text(&format!("{documents} documents, {passages} passages exported to {}", target.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Exports lines to standard output.
fn print(db: &ReadOnlyDatabase, args: &Export) -> Result<ExitCode> {
    let options = ExportOptions::new().vectors(!args.no_vectors);
    db.export_lines(std::io::stdout().lock(), &options, &Watch::default())?;
    Ok(ExitCode::SUCCESS)
}
