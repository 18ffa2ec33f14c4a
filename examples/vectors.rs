//! A database of bare vectors: no text, no model, also with `default-features = false`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use postil::{Database, Metadata, Metric, Row, SearchOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = tempfile::tempdir()?;
    let db = Database::options().vectors(3, Metric::L2).open(home.path().join("colors.postil"))?;
    let colors = [("red", [1.0, 0.0, 0.0]), ("sky", [0.5, 0.7, 1.0]), ("grass", [0.2, 0.8, 0.1])];
    db.upsert(colors.map(|(key, vector)| Row {
        key: key.to_owned(),
        vector: vector.to_vec(),
        metadata: Metadata::new(),
    }))?;

    let hits = db.search_vector(&[0.4, 0.6, 0.9], &SearchOptions::new(2))?;
    for hit in &hits {
        println!("{} {:.3}", hit.key, hit.score);
    }
    assert_eq!(hits[0].key, "sky");
    assert_eq!(db.remove(["red"])?, 1);
    Ok(())
}
