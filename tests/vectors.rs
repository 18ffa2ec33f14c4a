//! Bare vectors without any model, as with `default-features = false`.

use postil::{Database, Error, Filter, Metadata, Metric, Row, SearchOptions, StorageError};

fn row(key: &str, vector: [f32; 3], year: i64) -> Row {
    Row {
        key: key.to_owned(),
        vector: vector.to_vec(),
        metadata: Metadata::from([("year".to_owned(), year.into())]),
    }
}

#[test]
fn rows_are_found_filtered_replaced_and_removed() {
    let home = tempfile::tempdir().unwrap();
    let db = Database::options().vectors(3, Metric::Cosine).open(home.path().join("v.postil")).unwrap();
    db.upsert([
        row("x", [1.0, 0.0, 0.0], 2019),
        row("y", [0.0, 2.0, 0.0], 2021),
        row("z", [0.0, 0.0, 3.0], 2023),
    ])
    .unwrap();
    let nearest = |options: &SearchOptions| -> Vec<String> {
        let hits = db.search_vector(&[0.9, 0.5, 0.1], options).unwrap();
        hits.into_iter().map(|hit| hit.key).collect()
    };
    assert_eq!(nearest(&SearchOptions::new(2)), ["x", "y"]);
    let recent: Filter = "year > 2020".parse().unwrap();
    assert_eq!(nearest(&SearchOptions::new(9).filter(recent)), ["y", "z"]);
    db.upsert([row("x", [0.0, 0.0, 1.0], 2019)]).unwrap();
    assert_eq!(nearest(&SearchOptions::new(1)), ["y"]);
    assert_eq!(db.remove(["y"]).unwrap(), 1);
    assert_eq!(db.count(None).unwrap(), 2);
}

#[test]
fn bad_vectors_are_refused_and_change_nothing() {
    let home = tempfile::tempdir().unwrap();
    let db = Database::options().vectors(3, Metric::Cosine).open(home.path().join("v.postil")).unwrap();
    let refused = |rows: Vec<Row>| match db.upsert(rows) {
        Err(Error::Storage(error)) => error,
        other => panic!("{other:?}"),
    };
    let good = row("good", [1.0, 0.0, 0.0], 1);
    let short = Row { key: "short".to_owned(), vector: vec![1.0], ..good.clone() };
    assert!(matches!(refused(vec![good.clone(), short]), StorageError::Dimension { got: 1, expected: 3 }));
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        refused(vec![row("bad", [bad, 0.0, 0.0], 1)]);
    }
    refused(vec![row("zero", [0.0; 3], 1)]);
    refused(vec![good.clone(), good.clone()]);
    refused(vec![row("", [1.0, 0.0, 0.0], 1)]);
    assert_eq!(db.count(None).unwrap(), 0);
    db.upsert([good]).unwrap();
    assert!(db.search_vector(&[1.0, 0.0, 0.0], &SearchOptions::new(0)).is_err());
    assert!(db.search_vector(&[f32::NAN, 0.0, 0.0], &SearchOptions::new(10)).is_err());
    assert!(db.search_vector(&[0.0; 3], &SearchOptions::new(10)).is_err());
    assert!(db.search_vector(&[1.0; 4], &SearchOptions::new(10)).is_err());
    let all = db.search_vector(&[1.0, 0.0, 0.0], &SearchOptions::new(99)).unwrap();
    assert_eq!(all.len(), 1);
}

#[test]
fn a_second_opener_learns_who_holds_the_database() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("v.postil");
    let _first = Database::options().vectors(3, Metric::L2).open(&path).unwrap();
    let error = Database::options().vectors(3, Metric::L2).open(&path).unwrap_err();
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
}
