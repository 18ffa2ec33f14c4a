//! Searches and removals among documents whose metadata passes a filter.
//!
//! The encoder is the stand-in, which needs no download: see `ask.rs` for a real one.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use postil::{Database, Document, Filter, HashEncoder, SearchOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = tempfile::tempdir()?;
    let encoder = Arc::new(HashEncoder::default());
    let db = Database::options().encoder(encoder).open(home.path().join("reports.postil"))?;
    for year in 2019..2024 {
        let report =
            Document::new(format!("report-{year}"), format!("In {year} the museum had many visitors."));
        db.ingest(report.with_metadata("year", year).with_metadata("draft", year == 2023))?;
    }

    // A filter can be parsed, or built.
    let recent: Filter = "year >= 2021 and draft == false".parse()?;
    assert_eq!(recent, Filter::ge("year", 2021).and(Filter::eq("draft", false)));
    let hits = db.search("visitors of the museum", &SearchOptions::new(10).filter(recent.clone()))?;
    for hit in &hits {
        println!("{} {:?}", hit.key, hit.metadata["year"]);
    }
    assert_eq!(hits.len(), 2);
    assert_eq!(db.count(Some(&recent))?, 2);
    assert_eq!(db.remove_where(&"draft == true".parse()?)?, 1);
    Ok(())
}
