use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use postil::{Database, Progress, Watch};

use crate::flags::{Output, Reading};
use crate::{exit, interrupt, meter, open, render};

const MEBIBYTE: u64 = 1 << 20;

/// Let a language model read all passages now, and keep what it computed for later questions
#[derive(Args)]
pub(crate) struct Warm {
    /// The database; the files are kept beside it, in a folder of its name with `.read` appended
    database: PathBuf,
    /// The language model that reads, which `ask` is to be given too; auto is the one that auto asks
    #[arg(long, value_name = "NAME|PATH", default_value = postil::AUTO)]
    generator: String,
    /// MiB to keep at most; a passage of 200 tokens takes 5 with Qwen2.5-0.5B, 9 with SmolLM2-135M
    #[arg(long, value_name = "MIB", default_value_t = postil::DEFAULT_WARM_BYTES >> 20)]
    limit: u64,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: Output,
}

/// However it ends, what was read is kept.
pub(crate) fn run(args: &Warm) -> Result<ExitCode> {
    let options = Database::options().generator_named(&args.generator);
    let db = open::to_read(&args.database, args.reading, options)?;
    let cancel = interrupt::listen("stopping; what was read is kept")?;
    let bar = meter::passages();
    let show = |progress: &Progress| {
        bar.set_length(progress.total_passages.unwrap_or_default());
        bar.set_position(progress.passages_read);
    };
    let limit = args.limit.saturating_mul(MEBIBYTE);
    let warmed = db.warm(limit, &Watch::new().progress(&show).cancel(&cancel));
    bar.finish_and_clear();
    let warmed = warmed?;
    if args.output.json {
        render::json(&warmed)?;
    } else {
        let mebibytes = warmed.bytes.div_ceil(MEBIBYTE);
        render::text(&format!(
            "{} of {} passages kept, {} read just now, {} files deleted, {mebibytes} MiB",
            warmed.kept, warmed.passages, warmed.read, warmed.removed
        ))?;
        if warmed.kept < warmed.passages && !warmed.interrupted {
            eprintln!("the limit of {} MiB has no room for more: --limit sets it", args.limit);
        }
    }
    Ok(if warmed.interrupted { ExitCode::from(exit::INTERRUPTED) } else { ExitCode::SUCCESS })
}
