//! Recall with default options on vectors that are not of unit length, not around zero, or not all
//! different.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

mod workload;

use postil_storage::{Batch, DocumentWrite, Metadata, Metric, Profile, SearchOptions, Store, StoreOptions};
use workload::hash;

/// More rows than are always scanned.
const ROWS: usize = 3_000;
const LEAST: f64 = 0.95;

/// Random numbers that are the same in each run.
struct Draw(u64);

impl Draw {
    fn unit(&mut self) -> f32 {
        self.0 += 1;
        (hash(self.0) >> 40) as f32 / (1u64 << 24) as f32
    }

    fn normal(&mut self) -> f32 {
        let (radius, angle) = (self.unit().max(1e-7), self.unit());
        (-2.0 * radius.ln()).sqrt() * (std::f32::consts::TAU * angle).cos()
    }

    fn vector(&mut self, dimension: usize) -> Vec<f32> {
        (0..dimension).map(|_| self.normal()).collect()
    }
}

/// Searches for `queries` while rows are growing, sealed, and compacted with more rows; ties count
/// as hits.
fn check(name: &str, metric: Metric, rows: &[Vec<f32>], queries: &[Vec<f32>]) {
    let folder = tempfile::tempdir().unwrap();
    let profile = Profile::new(rows[0].len(), metric);
    let options = StoreOptions { seal_rows: 32_768, ..StoreOptions::default() };
    let store = Store::create(folder.path().join("v.postil"), profile, options).unwrap();
    let write = |range: std::ops::Range<usize>| {
        let mut batch = Batch::new();
        range.for_each(|i| batch.upsert(DocumentWrite::row(i.to_string(), rows[i].clone(), Metadata::new())));
        store.commit(batch).unwrap();
    };
    let recall = |state: &str| {
        let mut found = 0;
        for query in queries {
            let exact = store.search_rows(query, &SearchOptions::new(10).exact()).unwrap();
            let least = exact.last().unwrap().1;
            let ranked = store.search_rows(query, &SearchOptions::new(10)).unwrap();
            assert_eq!(ranked.len(), 10);
            let distinct: std::collections::HashSet<u64> = ranked.iter().map(|(row, _)| *row).collect();
            assert_eq!(distinct.len(), 10);
            found += ranked.iter().filter(|(_, score)| *score >= least - least.abs() * 1e-6).count();
        }
        let recall = found as f64 / (10 * queries.len()) as f64;
        assert!(recall >= LEAST, "{name}, {state}: recall@10 is {recall}");
    };
    write(0..ROWS - 500);
    recall("growing");
    store.seal().unwrap();
    recall("sealed");
    write(ROWS - 500..ROWS);
    store.compact().unwrap();
    recall("compacted");
    assert_eq!(store.check().unwrap(), vec![]);
}

fn near(draw: &mut Draw, rows: &[Vec<f32>], noise: f32) -> Vec<Vec<f32>> {
    let picked = (0..30).map(|i| &rows[i * rows.len() / 30]);
    picked.map(|row| row.iter().map(|x| x + noise * draw.normal()).collect()).collect()
}

#[test]
fn a_row_that_is_a_thousand_times_as_long_costs_the_others_nothing() {
    for metric in [Metric::L2, Metric::Dot] {
        let draw = &mut Draw(1 << 20);
        let mut rows: Vec<Vec<f32>> = (0..ROWS).map(|_| draw.vector(32)).collect();
        let queries = near(draw, &rows, 0.3);
        rows[77].iter_mut().for_each(|x| *x *= 1e3);
        check("outlier", metric, &rows, &queries);
    }
}

#[test]
fn rows_far_from_the_origin_and_components_of_unlike_width_are_told_apart() {
    let draw = &mut Draw(2 << 20);
    let rows: Vec<Vec<f32>> =
        (0..ROWS).map(|_| draw.vector(24).into_iter().map(|x| x + 1_000.0).collect()).collect();
    check("offset", Metric::L2, &rows, &near(draw, &rows, 0.3));
    let wide = |draw: &mut Draw| {
        let mut row: Vec<f32> = (0..24).map(|_| draw.unit()).collect();
        row[0] *= 5_000.0;
        row
    };
    let rows: Vec<Vec<f32>> = (0..ROWS).map(|_| wide(draw)).collect();
    check("one wide component", Metric::L2, &rows, &near(draw, &rows, 0.01));
}

#[test]
fn few_components_are_enough() {
    let draw = &mut Draw(3 << 20);
    let line: Vec<Vec<f32>> = (0..ROWS).map(|i| vec![i as f32]).collect();
    check("numbers", Metric::L2, &line, &near(draw, &line, 0.4));
    let places: Vec<Vec<f32>> =
        (0..ROWS).map(|_| vec![47.0 + 8.0 * draw.unit(), 6.0 + 9.0 * draw.unit()]).collect();
    check("places", Metric::L2, &places, &near(draw, &places, 0.01));
    let angles: Vec<Vec<f32>> = (0..ROWS).map(|_| draw.vector(2)).collect();
    check("angles", Metric::Cosine, &angles, &near(draw, &angles, 0.1));
}

#[test]
fn inner_products_of_unlike_lengths_are_found() {
    for spread in [0.5, 2.0] {
        let draw = &mut Draw(4 << 20);
        let rows: Vec<Vec<f32>> = (0..ROWS)
            .map(|_| {
                let length = (spread * draw.normal()).exp();
                draw.vector(32).into_iter().map(|x| x * length).collect()
            })
            .collect();
        let queries: Vec<Vec<f32>> = (0..30).map(|_| draw.vector(32)).collect();
        check("lengths", Metric::Dot, &rows, &queries);
    }
}

#[test]
fn copies_and_near_copies_hide_nothing_else() {
    for noise in [0.0, 0.001] {
        let draw = &mut Draw(5 << 20);
        let page = draw.vector(48);
        let copy = |draw: &mut Draw| page.iter().map(|x| x + noise * draw.normal()).collect();
        let rows: Vec<Vec<f32>> =
            (0..ROWS).map(|i| if i % 20 == 7 { draw.vector(48) } else { copy(draw) }).collect();
        let others: Vec<Vec<f32>> = rows.iter().skip(7).step_by(20).take(40).cloned().collect();
        check("copies", Metric::Cosine, &rows, &others);
        check("copies", Metric::L2, &rows, &near(draw, &rows, 0.0));
    }
}

#[test]
fn a_search_for_many_queries_finds_what_each_finds_alone() {
    let folder = tempfile::tempdir().unwrap();
    let profile = Profile::new(8, Metric::Cosine);
    let store = Store::create(folder.path().join("v.postil"), profile, StoreOptions::default()).unwrap();
    let mut draw = Draw(7);
    let mut batch = Batch::new();
    for row in 0..200 {
        batch.upsert(DocumentWrite::row(row.to_string(), draw.vector(8), Metadata::new()));
    }
    store.commit(batch).unwrap();
    let options = SearchOptions::new(5);
    let queries: Vec<Vec<f32>> = (0..40).map(|_| draw.vector(8)).collect();
    let alone: Vec<_> = queries.iter().map(|query| store.search(query, &options).unwrap()).collect();
    assert_eq!(store.search_all(&queries.concat(), &options).unwrap(), alone);
    assert_eq!(store.search_all(&[], &options).unwrap(), Vec::<Vec<_>>::new());
    assert!(store.search_all(&[1.0; 9], &options).is_err());
    assert!(store.search_all(&[0.0; 8], &options).is_err());
}
