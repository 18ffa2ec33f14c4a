use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use postil::{Copied, Progress, Watch};

use crate::flags::Output;
use crate::{exit, interrupt, meter, open, render};

/// Copy a database; the copy is a database like any other
#[derive(Args)]
pub(crate) struct Backup {
    /// The database
    database: PathBuf,
    /// The copy; nothing may be there yet
    new: PathBuf,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Backup) -> Result<ExitCode> {
    let db = open::existing_to_read(&args.database)?;
    copy(&args.new, args.output, |watch| db.backup(&args.new, watch))
}

/// Copies with a progress bar and prints the bytes copied; Ctrl-C stops it and leaves nothing at
/// `to`.
pub(crate) fn copy(
    to: &Path,
    output: Output,
    work: impl FnOnce(&Watch<'_>) -> Result<Copied, postil::Error>,
) -> Result<ExitCode> {
    let cancel = interrupt::listen("removing the unfinished copy")?;
    let bar = meter::copying();
    let progress = |progress: &Progress| {
        bar.set_length(progress.total_bytes.unwrap_or_default());
        bar.set_position(progress.read_bytes);
    };
    let copied = work(&Watch::new().progress(&progress).cancel(&cancel));
    bar.finish_and_clear();
    let copied = copied?;
    if output.json {
        render::json(&copied)?;
    } else if !copied.interrupted {
        render::text(&format!("{} bytes copied to {}", copied.bytes, to.display()))?;
    }
    Ok(if copied.interrupted { ExitCode::from(exit::INTERRUPTED) } else { ExitCode::SUCCESS })
}
