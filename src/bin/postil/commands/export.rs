use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use postil::Database;
use postil::exchange::{ExportOptions, Exported, metadata_to_json};
use serde_json::json;

use crate::args::Export;
use crate::meter::Meter;
use crate::{EXIT_INTERRUPTED, interrupt, open, plain_json, render};

pub(crate) fn run(args: &Export) -> Result<ExitCode> {
    let db = open::to_read(&args.database, args.reading, Database::options())?;
    match &args.target {
        None => print(&db, args),
        Some(target) => write(&db, target, args),
    }
}

/// The files that can be imported.
fn write(db: &Database, target: &Path, args: &Export) -> Result<ExitCode> {
    let cancel = interrupt::listen("ending the export; what there is of it cannot be imported")?;
    let meter = Meter::new();
    let format = args.format.map(Into::into);
    let options = ExportOptions { vectors: !args.no_vectors, format, cancel };
    let exported = db.export(target, &options, &|progress| meter.show(progress));
    meter.finish();
    let exported = exported?;
    if exported.interrupted {
        return Ok(ExitCode::from(EXIT_INTERRUPTED));
    }
    let Exported { documents, passages, .. } = exported;
    render::text(&format!("{documents} documents, {passages} passages exported to {}", target.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// One line per document, in the order of keys: the same content gives the same bytes, whatever the
/// order and the batches it was ingested in.
fn print(db: &Database, args: &Export) -> Result<ExitCode> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for document in db.documents() {
        let document = document?;
        let gone = || format!("document {:?} was removed during the export", document.key);
        let text = db.text(&document.key)?.with_context(gone)?;
        let mut passages = Vec::new();
        for passage in db.store().passages(&document.key)?.with_context(gone)? {
            let range = &passage.source_range;
            let mut line =
                json!({"range": [range.start, range.end], "heading": passage.heading, "text": passage.text});
            if !args.no_vectors {
                line["vector"] = json!(db.store().vector(passage.row)?.with_context(gone)?);
            }
            passages.push(line);
        }
        let line = json!({
            "id": document.key, "title": document.title, "text": text,
            "metadata": metadata_to_json(&document.metadata), "passages": passages,
        });
        plain_json::line(&mut out, &line)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
