use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use postil::{Progress, Recall, SearchOptions, Watch};
use serde_json::json;

use crate::flags::Output;
use crate::{interrupt, meter, open, render};

/// Verify every checksum and reference
#[derive(Args)]
pub(crate) struct Check {
    /// The database
    database: PathBuf,
    /// Measure too how much searches find of what a look at every passage finds: takes a scan for
    /// each of up to 320 vectors
    #[arg(long)]
    recall: bool,
    #[command(flatten)]
    output: Output,
}

/// Number k of hits that recall is measured at, as is usual in the field.
const MEASURED_HITS: usize = 10;

pub(crate) fn run(args: &Check) -> Result<ExitCode> {
    let db = open::existing_to_read(&args.database)?;
    let cancel = interrupt::listen("ending the check")?;
    let bar = meter::rows();
    let show = |progress: &Progress| meter::show_rows(&bar, progress);
    let checked = db.check(&Watch::new().progress(&show).cancel(&cancel));
    bar.finish_and_clear();
    let damage = checked?;
    let mut recall = None;
    if args.recall {
        let bar = meter::counter(0);
        let show = |progress: &Progress| {
            bar.set_length(progress.total_questions.unwrap_or_default());
            bar.set_position(progress.questions_asked);
        };
        let watch = Watch::new().progress(&show).cancel(&cancel);
        let measured = db.measure_recall(&SearchOptions::new(MEASURED_HITS), &watch);
        bar.finish_and_clear();
        recall = measured?;
    }
    if args.output.json {
        let mut made = json!({ "clean": damage.is_empty(), "damage": damage });
        if args.recall {
            made["recall"] = json!(recall);
        }
        render::json(&made)?;
    } else if damage.is_empty() {
        render::text("clean")?;
    } else {
        for line in &damage {
            render::text(&line.to_string())?;
        }
    }
    if let Some(Recall { rows, questions, .. }) = recall.filter(|_| !args.output.json) {
        render::text(&format!(
            "of the {MEASURED_HITS} nearest passages searches find {:.1} % for passages, {:.1} % \
             for made-up questions",
            rows * 100.0,
            questions * 100.0
        ))?;
    }
    Ok(if damage.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
