use std::io::{BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::json;

use crate::args::Export;
use crate::{open, plain_json, render};

/// One line per document, in the order of keys: the same content gives the same bytes, whatever the
/// order and the batches it was ingested in.
pub(crate) fn run(args: &Export) -> Result<ExitCode> {
    let db = open::existing(&args.database)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for document in db.documents() {
        let document = document?;
        let gone = || format!("document {:?} was removed during the export", document.key);
        let text = db.text(&document.key)?.with_context(gone)?;
        let mut passages = Vec::new();
        for passage in db.store().passages(&document.key)?.with_context(gone)? {
            let range = &passage.source_range;
            let mut line =
                json!({"range": [range.start, range.end], "title": passage.title, "text": passage.text});
            if !args.no_vectors {
                line["vector"] = json!(db.store().vector(passage.row)?.with_context(gone)?);
            }
            passages.push(line);
        }
        let line = json!({
            "id": document.key, "title": document.title, "text": text,
            "metadata": render::metadata(&document.metadata), "passages": passages,
        });
        plain_json::line(&mut out, &line)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
