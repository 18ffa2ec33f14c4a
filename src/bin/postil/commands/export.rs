use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use postil::exchange::{ExportOptions, Exported};
use postil::{Database, ReadOnlyDatabase, Watch};

use crate::args::Export;
use crate::meter::Meter;
use crate::{exit, interrupt, open, render};

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
