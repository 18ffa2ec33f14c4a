use std::process::ExitCode;

use anyhow::{Result, bail};
use postil::chunk::ChunkOptions;
use postil::extract::{FileKind, Kind};
use postil::ingest::{IngestOptions, Ingested, Input, Merged};
use postil::{Database, Options};
use serde_json::json;

use crate::args::{self, Ingest, Output, StdinFormat};
use crate::meter::Meter;
use crate::{EXIT_INTERRUPTED, EXIT_SKIPPED, interrupt, render};

pub(crate) fn run(args: &Ingest) -> Result<ExitCode> {
    let input = input(args)?;
    let db = options(args).open(&args.database)?;
    let report = ingest(&db, &input, args.prune)?;
    db.close()?;
    let code = tell(&report, args.output)?;
    let took_nothing = report.added + report.replaced + report.unchanged + report.removed == 0;
    if matches!(input, Input::Paths(_)) && took_nothing && report.skipped.is_empty() && !report.interrupted {
        eprintln!("no file was taken; .txt .md .html .jsonl are read, and any file that is named itself");
        return Ok(ExitCode::from(EXIT_SKIPPED));
    }
    Ok(code)
}

/// Says what an ingest did, and what that means to whoever started it.
pub(crate) fn tell(report: &Ingested, output: Output) -> Result<ExitCode> {
    print(report, output)?;
    Ok(match () {
        () if report.interrupted => ExitCode::from(EXIT_INTERRUPTED),
        () if !report.skipped.is_empty() => ExitCode::from(EXIT_SKIPPED),
        () => ExitCode::SUCCESS,
    })
}

/// Ingests with a meter; Ctrl-C ends it after the batch at hand, a second one at once.
pub(crate) fn ingest(db: &Database, input: &Input, prune: bool) -> Result<Ingested> {
    let cancel = interrupt::listen("finishing the batch; Ctrl-C again to stop at once")?;
    let meter = Meter::new();
    let report = db.ingest_from(input, &IngestOptions { prune, cancel }, &|progress| meter.show(progress));
    meter.finish();
    Ok(report?)
}

fn input(args: &Ingest) -> Result<Input> {
    if !args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Ok(Input::Paths(args.paths.clone()));
    }
    if args.paths.len() > 1 {
        bail!("standard input (-) is ingested alone, not together with files");
    }
    if args.prune {
        bail!("--prune compares with files; standard input has none");
    }
    let kind = match args.format {
        StdinFormat::Txt => FileKind::Document(Kind::Plain),
        StdinFormat::Md => FileKind::Document(Kind::Markdown),
        StdinFormat::Html => FileKind::Document(Kind::Html),
        StdinFormat::Jsonl => FileKind::Records,
    };
    Ok(Input::Stdin { key: args.key.clone(), kind })
}

fn options(args: &Ingest) -> Options {
    let mut options = Database::options();
    if let Some(model) = &args.model {
        options = options.model(model);
    }
    if let Some(max_tokens) = args.chunk_tokens {
        options = options.chunking(ChunkOptions { max_tokens, ..ChunkOptions::default() });
    }
    if let Some(precision) = args.precision {
        options = options.precision(match precision {
            args::Precision::Full => postil::Precision::Full,
            args::Precision::Half => postil::Precision::Half,
        });
    }
    options
}

fn print(report: &Ingested, output: Output) -> Result<()> {
    let Ingested { added, replaced, unchanged, removed, passages, skipped, interrupted, .. } = report;
    let Ingested { merged, left_out, fields_left_out, .. } = report;
    if output.json {
        let skipped: Vec<_> = skipped
            .iter()
            .map(|skip| json!({"source": skip.source, "error": render::chain(&skip.error)}))
            .collect();
        let fields_left_out: Vec<_> = fields_left_out
            .iter()
            .map(|(field, records)| json!({ "field": field, "records": records }))
            .collect();
        return render::json(&json!({
            "added": added, "replaced": replaced, "unchanged": unchanged, "removed": removed,
            "passages": passages, "skipped": skipped, "interrupted": interrupted,
            "merged": merged.iter().map(|Merged { kept, removed, .. }| json!({
                "kept": kept, "removed": removed,
            })).collect::<Vec<_>>(),
            "left_out": {
                "ignored": left_out.ignored, "hidden": left_out.hidden, "links": left_out.links,
                "databases": left_out.databases, "unknown": left_out.unknown,
            },
            "fields_left_out": fields_left_out,
        }));
    }
    render::text(&format!(
        "{added} added, {replaced} replaced, {unchanged} unchanged, {removed} removed; {passages} passages embedded"
    ))?;
    if left_out.total() > 0 {
        render::text(&left_out.to_string())?;
    }
    for (field, records) in fields_left_out {
        eprintln!(
            "left out: field {} of {records} records; the name is Postil's",
            render::on_one_line(field)
        );
    }
    for Merged { kept, removed, .. } in merged {
        eprintln!(
            "one file under two names: kept {}, removed {}",
            render::on_one_line(kept),
            render::on_one_line(removed)
        );
    }
    for skip in skipped {
        eprintln!("skipped: {}", render::on_one_line(&render::chain(&skip.error)));
    }
    if !skipped.is_empty() {
        eprintln!("{} skipped", skipped.len());
    }
    if *interrupted {
        eprintln!("interrupted; run the same command again to go on");
    }
    Ok(())
}
