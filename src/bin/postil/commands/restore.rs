use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use postil::Database;

use super::backup::copy;
use crate::flags::Output;

/// Copy a backup to where a database is to be, and check the copy
#[derive(Args)]
pub(crate) struct Restore {
    /// The backup, or any database that nobody has open; only read
    backup: PathBuf,
    /// The database to make; nothing may be there yet
    database: PathBuf,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Restore) -> Result<ExitCode> {
    copy(&args.database, args.output, |watch| Database::restore(&args.backup, &args.database, watch))
}
