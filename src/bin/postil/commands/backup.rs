use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use postil::{Copied, CopyProgress};
use serde_json::json;

use crate::args::{Backup, Output};
use crate::{EXIT_INTERRUPTED, interrupt, meter, open, render};

pub(crate) fn run(args: &Backup) -> Result<ExitCode> {
    let db = open::existing_to_read(&args.database)?;
    copy(&args.new, args.output, |progress| db.backup_with(&args.new, progress))
}

/// Copies with a meter until Ctrl-C, after which nothing is left at `to`; says how much was copied.
pub(crate) fn copy(
    to: &Path,
    output: Output,
    work: impl FnOnce(CopyProgress<'_>) -> Result<ControlFlow<()>, postil::Error>,
) -> Result<ExitCode> {
    let cancel = interrupt::listen("removing the unfinished copy")?;
    let bar = meter::copying();
    let mut bytes = 0;
    let flow = work(&mut |copied: Copied| {
        bytes = copied.bytes;
        bar.set_length(copied.total_bytes);
        bar.set_position(copied.bytes);
        if cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    let interrupted = flow?.is_break();
    if output.json {
        render::json(&json!({ "bytes": bytes, "interrupted": interrupted }))?;
    } else if !interrupted {
        render::text(&format!("{bytes} bytes copied to {}", to.display()))?;
    }
    Ok(if interrupted { ExitCode::from(EXIT_INTERRUPTED) } else { ExitCode::SUCCESS })
}
