use std::process::ExitCode;

use anyhow::Result;
use postil::Database;

use super::backup::copy;
use crate::args::Restore;

pub(crate) fn run(args: &Restore) -> Result<ExitCode> {
    copy(&args.database, args.output, |watch| Database::restore(&args.backup, &args.database, watch))
}
