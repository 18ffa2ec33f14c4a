use std::process::ExitCode;

use anyhow::Result;
use postil::{Recall, SearchOptions, Watch};
use serde_json::json;

use crate::args::Check;
use crate::{open, render};

/// Number k of hits that recall is measured at, as is usual in the field.
const MEASURED_HITS: usize = 10;

pub(crate) fn run(args: &Check) -> Result<ExitCode> {
    let db = open::existing_to_read(&args.database)?;
    let damage = db.check(&Watch::default())?;
    let recall = match args.recall {
        true => db.measure_recall(&SearchOptions::new(MEASURED_HITS), &Watch::default())?,
        false => None,
    };
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
            "of the {MEASURED_HITS} nearest passages searches find {:.1} % for passages, {:.1} % for made-up questions",
            rows * 100.0,
            questions * 100.0
        ))?;
    }
    Ok(if damage.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
