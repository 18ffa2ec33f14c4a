use std::process::ExitCode;

use anyhow::Result;
use postil::Database;

use super::ingest::tell;
use crate::args::Import;
use crate::interrupt;
use crate::meter::Meter;

pub(crate) fn run(args: &Import) -> Result<ExitCode> {
    let db = Database::options().exported(&args.source)?.open(&args.database)?;
    let cancel = interrupt::listen("finishing the batch; Ctrl-C again to stop at once")?;
    let meter = Meter::new();
    let report = db.import(&args.source, &cancel, &|progress| meter.show(progress));
    meter.finish();
    let report = report?;
    db.close()?;
    tell(&report, args.output)
}
