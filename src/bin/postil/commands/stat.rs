use std::process::ExitCode;

use anyhow::Result;
use postil::Database;
use serde_json::json;

use crate::args::Stat;
use crate::{open, render};

pub(crate) fn run(args: &Stat) -> Result<ExitCode> {
    let db = open::to_read(&args.database, args.reading, Database::options())?;
    let stat = db.stat()?;
    let profile = db.profile();
    let per_row = |bytes: u64| bytes as f64 / stat.passages.max(1) as f64;
    if args.output.json {
        render::json(&json!({
            "documents": stat.documents,
            "passages": stat.passages,
            "bytes": stat.disk_bytes,
            "encoder": profile.encoder,
            "fingerprint": profile.fingerprint,
            "dimension": profile.dimension,
            "metric": render::metric(profile.metric),
            "precision": profile.precision.to_string(),
            "segments": stat.segments,
            "growing_rows": stat.growing_rows,
            "removed": stat.removed,
            "index_bytes": stat.index_bytes,
            "searched_bytes": stat.searched_bytes,
            "resident_bytes": stat.resident_bytes,
            "bytes_per_row": per_row(stat.disk_bytes),
            "searched_bytes_per_row": per_row(stat.searched_bytes),
            "resident_bytes_per_row": stat.resident_bytes.map(per_row),
            "recall": stat.recall,
            "rewrite_failure": stat.rewrite_failure,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let resident = stat
        .resident_bytes
        .map_or_else(String::new, |bytes| format!(", where {:.0} of the index are now", per_row(bytes)));
    let encoder = if profile.encoder.is_empty() { "none (bare vectors)" } else { &profile.encoder };
    render::text(&format!(
        "documents   {}\npassages    {}\nbytes       {}\nencoder     {encoder}\nvectors     {} x {}, {}, {} precision\nsegments    {} sealed, {} rows growing\nper row     {:.0} bytes on disk, {:.0} of them index; searches need {:.0} in memory{resident}",
        stat.documents,
        stat.passages,
        stat.disk_bytes,
        stat.passages,
        profile.dimension,
        render::metric(profile.metric),
        profile.precision,
        stat.segments,
        stat.growing_rows,
        per_row(stat.disk_bytes),
        per_row(stat.index_bytes),
        per_row(stat.searched_bytes),
    ))?;
    if let Some(recall) = stat.recall {
        render::text(&format!(
            "recall      {recall:.3} of the nearest passages, as measured when segments were made"
        ))?;
    }
    if let Some(failure) = &stat.rewrite_failure {
        render::text(&format!("growing     the documents could not be written anew: {failure}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
