use std::process::ExitCode;

use anyhow::Result;
use postil::Database;

use super::backup::copy;
use crate::args::Restore;

pub(crate) fn run(args: &Restore) -> Result<ExitCode> {
    copy(&args.database, args.output, |progress| {
        Database::restore_with(&args.backup, &args.database, progress)
    })
}
