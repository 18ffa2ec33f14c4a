//! An answer streamed token by token, and an ingest with progress and cancellation.
//!
//! The encoder and the generator are stand-ins that need no download: see `ask.rs` for real ones. A
//! generator that quotes knows its answer only at the end and passes it then; a language model
//! passes each token as it is chosen.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::ops::ControlFlow;
use std::sync::Arc;

use postil::{AskOptions, Cancel, Database, Decode, Document, HashEncoder, Progress, Watch};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = tempfile::tempdir()?;
    let encoder = Arc::new(HashEncoder::default());
    let db =
        Database::options().encoder(encoder).generator_named("quote").open(home.path().join("hr.postil"))?;

    // Another thread, or a signal, may cancel: what is committed stays, and the next ingest goes on
    // from there.
    let cancel = Cancel::default();
    let progress = |progress: &Progress| println!("{} documents read", progress.documents_read);
    let documents = [
        Document::new("leave.txt", "Every parent gets forty days of parental leave."),
        Document::new("travel.txt", "Trains are booked by the front desk."),
    ];
    let watch = Watch::new().progress(&progress).cancel(&cancel);
    let ingested = db.ingest_all(documents, &watch)?;
    assert!(ingested.added == 2 && !ingested.interrupted);

    let mut told = String::new();
    let options = AskOptions::new().decode(Decode::Greedy);
    let answer =
        db.ask_streaming("How many days of parental leave does a parent get?", &options, &mut |token| {
            print!("{}", token.text);
            told += &token.text;
            // `Break` would end the answer here.
            ControlFlow::Continue(())
        })?;
    println!();
    assert!(answer.text.contains("forty days"));
    assert_eq!(told.trim(), answer.text);
    Ok(())
}
