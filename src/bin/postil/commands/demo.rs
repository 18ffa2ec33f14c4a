use std::process::ExitCode;

use anyhow::Result;
use postil::ingest::IngestOptions;
use postil::{DEFAULT_MODEL, Database, Document};

use super::model;
use crate::args::Demo;
use crate::meter::Meter;
use crate::render;

/// Postil's own documentation, so that the demonstration needs no files.
const DOCUMENTATION: [(&str, &str); 3] = [
    ("README.md", include_str!("../../../../README.md")),
    ("storage/FORMAT.md", include_str!("../../../../storage/FORMAT.md")),
    ("CHANGELOG.md", include_str!("../../../../CHANGELOG.md")),
];

const QUESTIONS: [&str; 3] =
    ["What is a postil?", "What happens on Ctrl-C?", "How many passages did the Rust RFCs give?"];

pub(crate) fn run(args: &Demo) -> Result<ExitCode> {
    model::add(DEFAULT_MODEL)?;
    let db = Database::open(&args.database)?;
    let meter = Meter::new();
    let documents = DOCUMENTATION.map(|(name, text)| Document::markdown(name, text));
    let report = db.ingest_all(documents, &IngestOptions::default(), &|progress| meter.show(progress))?;
    meter.finish();
    render::text(&format!(
        "Postil's documentation is in {}: {} documents, {} passages embedded just now.",
        args.database.display(),
        db.stat()?.documents,
        report.passages
    ))?;
    for question in QUESTIONS {
        render::text(&format!("\n> {question}\n\n{}", db.ask(question)?))?;
    }
    let database = args.database.display();
    render::text(&format!(
        "\nNext, with documents of your own:\n\n    \
         postil ask {database} \"Which languages does the default encoder know?\"\n    \
         postil ingest notes.postil FOLDER\n    \
         postil ask notes.postil \"...\"\n\n\
         (from this folder, `cargo run --release --` stands for `postil`; `cargo install --path .` installs it)"
    ))?;
    db.close()?;
    Ok(ExitCode::SUCCESS)
}
