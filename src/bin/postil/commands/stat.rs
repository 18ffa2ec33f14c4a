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
    if args.output.json {
        render::json(&json!({
            "documents": stat.documents,
            "passages": stat.passages,
            "bytes": stat.disk_bytes,
            "encoder": profile.encoder,
            "fingerprint": profile.fingerprint,
            "dimension": profile.dimension,
            "metric": render::metric(profile.metric),
            "segments": stat.segments,
            "growing_rows": stat.growing_rows,
            "removed": stat.removed,
            "index_bytes": stat.index_bytes,
            "searched_bytes": stat.searched_bytes,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = stat.passages.max(1) as f64;
    let encoder = if profile.encoder.is_empty() { "none (bare vectors)" } else { &profile.encoder };
    render::text(&format!(
        "documents   {}\npassages    {}\nbytes       {}\nencoder     {encoder}\nvectors     {} x {}, {}\nsegments    {} sealed, {} rows growing\nper row     {:.0} bytes on disk, {:.0} of them index; a search reads from {:.0}",
        stat.documents,
        stat.passages,
        stat.disk_bytes,
        stat.passages,
        profile.dimension,
        render::metric(profile.metric),
        stat.segments,
        stat.growing_rows,
        stat.disk_bytes as f64 / rows,
        stat.index_bytes as f64 / rows,
        stat.searched_bytes as f64 / rows,
    ))?;
    Ok(ExitCode::SUCCESS)
}
