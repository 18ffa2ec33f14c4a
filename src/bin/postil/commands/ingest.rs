use std::process::ExitCode;

use anyhow::{Result, bail};
use postil::chunk::ChunkOptions;
use postil::extract::{FileKind, Kind};
use postil::ingest::{IngestOptions, Ingested, Input};
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
    tell(&report, args.output)
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
    let Ingested { added, replaced, unchanged, removed, passages, skipped, left_out, interrupted } = report;
    if output.json {
        let skipped: Vec<_> = skipped
            .iter()
            .map(|skip| json!({"source": skip.source, "error": render::chain(&skip.error)}))
            .collect();
        let left_out: Vec<_> = left_out
            .iter()
            .map(|(field, documents)| json!({ "field": field, "documents": documents }))
            .collect();
        return render::json(&json!({
            "added": added, "replaced": replaced, "unchanged": unchanged, "removed": removed,
            "passages": passages, "skipped": skipped, "left_out": left_out, "interrupted": interrupted,
        }));
    }
    render::text(&format!(
        "{added} added, {replaced} replaced, {unchanged} unchanged, {removed} removed; {passages} passages embedded"
    ))?;
    for (field, documents) in left_out {
        eprintln!(
            "left out: field {} of {documents} records; it is the name of the file that they are read from",
            render::on_one_line(field)
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
