//! Documents in, a question, an answer with the passages it came from.
//!
//! It uses the stand-in encoder, which knows words but no meanings, and the generator that quotes,
//! so it needs no download. `Database::open(path)` alone takes a real encoder, all-MiniLM-L6-v2
//! (`postil model add` fetches it), and `reader`, a trained generator.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use postil::{AskOptions, Database, Document, HashEncoder, Mode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = tempfile::tempdir()?;
    let encoder = Arc::new(HashEncoder::default());
    let db =
        Database::options().encoder(encoder).generator_named("quote").open(home.path().join("hr.postil"))?;
    db.ingest(Document::markdown("leave.md", "# Leave\n\nEvery parent gets forty days of parental leave."))?;
    db.ingest(Document::new("travel.txt", "Trains are booked by the front desk."))?;

    let options = AskOptions::new().k(2).mode(Mode::Token);
    let answer = db.ask_with("How many days of parental leave does a parent get?", &options)?;
    println!("{}", answer.text);
    for citation in answer.citations() {
        println!("{} {:?} {:.2}", citation.source, citation.range, citation.posterior);
    }
    assert!(answer.text.contains("forty days"));
    assert_eq!(answer.citations()[0].document, "leave.md");
    Ok(())
}
