use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use postil::{DEFAULT_MODEL, Database, Document, Watch};

use super::model;
use crate::meter::Meter;
use crate::render;

/// Set up the default model, ingest the handbook of an invented firm and ask it four questions
#[derive(Args)]
pub(crate) struct Demo {
    /// The demonstration database to make
    #[arg(default_value = "demo.postil")]
    database: PathBuf,
}

/// The handbook of an invented firm, so that the demonstration needs no files.
const HANDBOOK: [(&str, &str); 6] = [
    ("handbook/equipment.md", include_str!("../demo/equipment.md")),
    ("handbook/first-week.md", include_str!("../demo/first-week.md")),
    ("handbook/history.md", include_str!("../demo/history.md")),
    ("handbook/leave.md", include_str!("../demo/leave.md")),
    ("handbook/travel.md", include_str!("../demo/travel.md")),
    ("handbook/workshop.md", include_str!("../demo/workshop.md")),
];

/// Questions, each with a remark on the place of its answer.
const QUESTIONS: [(&str, &str); 4] = [
    ("From a sentence", "How long is parental leave?"),
    ("From a list", "What do I do on Wednesday of my first week?"),
    ("From a table", "What may a hotel in Lisbon cost?"),
    ("Not in the handbook, so not answered", "What may a hotel in Paris cost?"),
];

pub(crate) fn run(args: &Demo) -> Result<ExitCode> {
    model::add(DEFAULT_MODEL)?;
    let db = Database::open(&args.database)?;
    let meter = Meter::new();
    let documents = HANDBOOK.map(|(name, text)| Document::markdown(name, text));
    let report = db.ingest_all(documents, &Watch::new().progress(&|progress| meter.show(progress)))?;
    meter.finish();
    let database = args.database.display();
    render::text(&format!(
        "The handbook of an invented firm is in {database}: {} documents, {} passages embedded just now.",
        db.stat()?.documents,
        report.passages
    ))?;
    for (kind, question) in QUESTIONS {
        render::text(&format!("\n{kind}:\n> {question}\n"))?;
        render::raw(&db.ask(question)?.render_with(&render::paint()))?;
    }
    render::text(&format!(
        "\nNext, ask the handbook yourself, look at a document, and see where each word of an answer \
         came from:\n\n    \
         postil ask {database} \"How long is the trial period?\"\n    \
         postil get {database} handbook/travel.md\n    \
         postil ask {database} \"When was the firm founded?\" --explain\n\n\
         Then with documents of your own:\n\n    \
         postil ingest notes.postil FOLDER\n    \
         postil ask notes.postil \"...\"\n\n\
         (from this folder, `cargo run --release --` stands for `postil`; \
         `cargo install --path .` installs it)"
    ))?;
    db.close()?;
    Ok(ExitCode::SUCCESS)
}
