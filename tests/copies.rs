//! Backup, restore, rebuild, export and import, as a user types them; and exports of another
//! program.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

mod command;

use std::path::Path;

use command::{MODEL, fail, json, run, succeed};

/// A folder with `a.postil`: three documents in a segment, a fourth in no segment yet.
fn database() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let lines = [
        r#"{"id": "red", "text": "Apples are red.", "year": 2020}"#,
        r#"{"id": "yellow", "text": "Bananas are yellow.", "year": 2021}"#,
        r#"{"id": "dark", "text": "Cherries are dark.", "year": 2022}"#,
    ];
    std::fs::write(home.path().join("three.jsonl"), lines.join("\n")).unwrap();
    std::fs::write(home.path().join("brown.txt"), "Dates are brown.").unwrap();
    succeed(home.path(), &["ingest", "a.postil", "three.jsonl", "--model", MODEL]);
    succeed(home.path(), &["compact", "a.postil"]);
    succeed(home.path(), &["ingest", "a.postil", "brown.txt"]);
    home
}

fn export(home: &Path, database: &str) -> String {
    succeed(home, &["export", database])
}

#[test]
fn a_backup_outlives_its_database_and_is_restored() {
    let home = database();
    let home = home.path();
    let all = export(home, "a.postil");
    let copied = json(home, &["backup", "a.postil", "copy.postil", "--json"]);
    assert_eq!(copied["interrupted"], false);
    assert!(copied["bytes"].as_u64().unwrap() > 0);
    succeed(home, &["rm", "a.postil", "red"]);
    assert!(export(home, "copy.postil") == all);
    assert!(fail(home, &["backup", "a.postil", "copy.postil"]).contains("already there"));
    assert!(fail(home, &["restore", "copy.postil", "a.postil"]).contains("already there"));
    std::fs::remove_dir_all(home.join("a.postil")).unwrap();
    assert!(succeed(home, &["restore", "copy.postil", "a.postil"]).contains("bytes copied to a.postil"));
    assert!(export(home, "a.postil") == all);
    assert_eq!(json(home, &["check", "a.postil", "--json"])["clean"], true);
    assert!(fail(home, &["restore", "nothing.postil", "b.postil"]).contains("nothing.postil"));
}

#[test]
fn a_damaged_database_is_rebuilt_and_what_was_lost_is_listed() {
    let home = database();
    let home = home.path();
    let all = export(home, "a.postil");
    let rebuilt = json(home, &["rebuild", "a.postil", "whole.postil", "--json"]);
    assert_eq!((rebuilt["documents"].as_u64(), rebuilt["embedded"].as_u64()), (Some(4), Some(0)));
    assert!(export(home, "whole.postil") == all);

    // The header of the only segment: all its vectors are lost, and made anew from the texts.
    let segment = std::fs::read_dir(home.join("a.postil/segments")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[70] ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    assert!(fail(home, &["check", "a.postil"]).contains("checksum"));
    let output = run(home, &["rebuild", "a.postil", "new.postil", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let rebuilt: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((rebuilt["documents"].as_u64(), rebuilt["embedded"].as_u64()), (Some(4), Some(3)));
    assert_eq!(rebuilt["lost"].as_array().unwrap().len(), 1);
    assert!(rebuilt["lost"][0]["name"].as_str().unwrap().ends_with(".seg"), "{rebuilt}");
    assert!(export(home, "new.postil") == all);
    assert_eq!(json(home, &["check", "new.postil", "--json"])["clean"], true);
    assert!(std::fs::read(&segment).unwrap() == bytes);
    // A second ingest of the same files finds them unchanged: their records were kept.
    let again = json(home, &["ingest", "new.postil", "three.jsonl", "--json"]);
    assert_eq!(again["unchanged"].as_u64(), Some(3));
}

#[test]
fn an_exported_database_is_imported_bit_by_bit_without_its_encoder() {
    let home = database();
    let home = home.path();
    let all = export(home, "a.postil");
    let said = succeed(home, &["export", "a.postil", "out"]);
    assert!(said.starts_with("4 documents, 4 passages exported"), "{said}");
    let imported = json(home, &["import", "b.postil", "out", "--json"]);
    assert_eq!((imported["added"].as_u64(), imported["passages"].as_u64()), (Some(4), Some(4)));
    assert!(export(home, "b.postil") == all);
    let stat = |database| json(home, &["stat", database, "--json"]);
    for field in ["encoder", "fingerprint", "dimension", "metric", "precision"] {
        assert_eq!(stat("a.postil")[field], stat("b.postil")[field], "{field}");
    }
    // Nothing is written twice, neither by another import nor by an ingest of the same files.
    let again = json(home, &["import", "b.postil", "out", "--json"]);
    assert_eq!((again["unchanged"].as_u64(), again["added"].as_u64()), (Some(4), Some(0)));
    let again = json(home, &["ingest", "b.postil", "three.jsonl", "--json"]);
    assert_eq!(again["unchanged"].as_u64(), Some(3));
    assert!(fail(home, &["export", "a.postil", "out"]).contains("out"));

    // Another program sees what NumPy would.
    let array = npyz::NpyFile::new(std::fs::File::open(home.join("out/vectors.npy")).unwrap()).unwrap();
    assert_eq!(array.shape()[0], 4);
    let first: Vec<f32> = array.into_vec().unwrap();
    let line: serde_json::Value = serde_json::from_str(all.lines().next().unwrap()).unwrap();
    let vector = line["passages"][0]["vector"].as_array().unwrap();
    assert!(vector.iter().zip(&first).all(|(a, b)| a.as_f64().unwrap() as f32 == *b));
}

#[test]
fn a_database_of_half_precision_stays_one_in_exports_and_is_never_taken_for_another() {
    let home = database();
    let home = home.path();
    let ingest =
        |precision| ["ingest", "h.postil", "three.jsonl", "--model", MODEL, "--precision", precision];
    succeed(home, &ingest("half"));
    let precision = |database: &str| json(home, &["stat", database, "--json"])["precision"].clone();
    assert_eq!((precision("a.postil"), precision("h.postil")), ("full".into(), "half".into()));
    assert!(succeed(home, &["stat", "h.postil"]).contains("half precision"));
    let said = fail(home, &ingest("full"));
    assert!(said.contains("half precision, not in full"), "{said}");
    for to in ["out", "out.parquet"] {
        let copy = format!("{to}.postil");
        succeed(home, &["export", "h.postil", to]);
        succeed(home, &["import", &copy, to]);
        assert_eq!(precision(&copy), "half");
        assert!(export(home, &copy) == export(home, "h.postil"));
        assert_eq!(json(home, &["check", &copy, "--json"])["clean"], true);
    }
}

#[test]
fn an_import_without_vectors_embeds_and_bad_lines_are_named() {
    let home = database();
    let home = home.path();
    let all = export(home, "a.postil");
    succeed(home, &["export", "a.postil", "texts", "--no-vectors"]);
    assert!(!home.join("texts/vectors.npy").exists());
    succeed(home, &["import", "b.postil", "texts"]);
    assert!(export(home, "b.postil") == all);

    let path = home.join("texts/documents.jsonl");
    let lines = std::fs::read_to_string(&path).unwrap();
    let doubled = format!("{{}}\nnot json\n{lines}{lines}");
    std::fs::write(&path, doubled).unwrap();
    let output = run(home, &["import", "c.postil", "texts", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["added"].as_u64(), Some(4));
    let skipped = report["skipped"].as_array().unwrap();
    assert_eq!(skipped.len(), 6);
    assert!(skipped[1]["error"].as_str().unwrap().contains("line 2"), "{report}");
    assert!(export(home, "c.postil") == all);

    // An export that did not end, or whose array was cut short, is refused as a whole.
    succeed(home, &["export", "a.postil", "out"]);
    let array = home.join("out/vectors.npy");
    let bytes = std::fs::read(&array).unwrap();
    std::fs::write(&array, &bytes[..bytes.len() - 1]).unwrap();
    assert!(fail(home, &["import", "d.postil", "out"]).contains("vectors.npy"));
    std::fs::remove_file(home.join("out/database.json")).unwrap();
    assert!(fail(home, &["import", "d.postil", "out"]).contains("database.json"));
}

#[test]
fn a_parquet_file_is_imported_bit_by_bit_without_its_encoder() {
    let home = database();
    let home = home.path();
    let all = export(home, "a.postil");
    let said = succeed(home, &["export", "a.postil", "a.Parquet"]);
    assert!(said.starts_with("4 documents, 4 passages exported"), "{said}");
    let imported = json(home, &["import", "b.postil", "a.Parquet", "--json"]);
    assert_eq!((imported["added"].as_u64(), imported["passages"].as_u64()), (Some(4), Some(4)));
    assert!(export(home, "b.postil") == all);
    let again = json(home, &["import", "b.postil", "a.Parquet", "--json"]);
    assert_eq!((again["unchanged"].as_u64(), again["added"].as_u64()), (Some(4), Some(0)));
    // The format goes by the name, unless it is said; what is there stays.
    assert!(fail(home, &["export", "a.postil", "a.Parquet"]).contains("a.Parquet"));
    succeed(home, &["export", "a.postil", "file", "--format", "parquet", "--no-vectors"]);
    assert!(std::fs::read(home.join("file")).unwrap().starts_with(b"PAR1"));
    succeed(home, &["export", "a.postil", "folder.parquet", "--format", "folder"]);
    assert!(home.join("folder.parquet/documents.jsonl").exists());
    // Without vectors passages are embedded; the folder is found to be one, whatever its name.
    for (database, source) in [("c.postil", "file"), ("d.postil", "folder.parquet")] {
        succeed(home, &["import", database, source]);
        assert!(export(home, database) == all, "{source}");
    }
    let said = fail(home, &["import", "e.postil", "three.jsonl"]);
    assert!(said.contains("line 1 is no line of an export") && said.contains("postil ingest"), "{said}");
    assert!(fail(home, &["import", "e.postil", "nothing"]).contains("nothing"));
}

/// Records with numbers and nested fields that not every reader of JSON keeps.
const RECORDS: [&str; 3] = [
    r#"{"id": 12345678901234567890123, "text": "Apples are red.", "n": 18446744073709551615, "none": null}"#,
    r#"{"id": 12345678901234567890124, "text": "Apples are blue.", "n": 18446744073709551614, "deep": {"a": [1, {"b": []}]}}"#,
    r#"{"id": 1.10, "text": "Apples are small.", "n": 9007199254740993, "mixed": [1, "a", null, 0.1000000000000000055511], "x": {}, "f": -0.0}"#,
];

#[test]
fn metadata_of_any_kind_comes_back_as_it_was_from_every_export() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    std::fs::write(home.join("r.jsonl"), RECORDS.join("\n")).unwrap();
    let ingested = json(home, &["ingest", "a.postil", "r.jsonl", "--model", MODEL, "--json"]);
    assert_eq!(ingested["added"], 3);
    let got = succeed(home, &["get", "a.postil", "12345678901234567890123", "--json"]);
    let metadata = r#""metadata":{"_file":"r.jsonl","_path":"r.jsonl","n":18446744073709551615,"none":null}"#;
    assert!(got.contains(metadata), "{got}");
    let found = succeed(home, &["search", "a.postil", "red apples", "-k", "1", "--json"]);
    assert!(found.contains(metadata), "{found}");
    let got = succeed(home, &["get", "a.postil", "1.10", "--json"]);
    assert!(
        got.contains(r#""f":-0.0,"mixed":[1,"a",null,0.1000000000000000055511],"n":9007199254740993,"x":{}"#),
        "{got}"
    );

    let all = export(home, "a.postil");
    std::fs::write(home.join("lines.jsonl"), &all).unwrap();
    succeed(home, &["export", "a.postil", "folder"]);
    succeed(home, &["export", "a.postil", "file.parquet"]);
    for source in ["lines.jsonl", "folder", "file.parquet"] {
        let copy = format!("{source}.postil");
        let imported = json(home, &["import", &copy, source, "--json"]);
        assert_eq!((imported["added"].as_u64(), imported["skipped"].as_array().unwrap().len()), (Some(3), 0));
        assert!(export(home, &copy) == all, "{source}");
        assert_eq!(json(home, &["ingest", &copy, "r.jsonl", "--json"])["unchanged"], 3);
        for (filter, document) in [
            ("n == 18446744073709551615", "12345678901234567890123"),
            ("none == null", "12345678901234567890123"),
            ("deep.a.b == []", "12345678901234567890124"),
            ("mixed contains 0.1000000000000000055511 and not missing(x)", "1.10"),
        ] {
            let found = json(home, &["search", &copy, "apples", "--json", "--filter", filter]);
            let hits = found["hits"].as_array().unwrap();
            assert_eq!((hits.len(), hits[0]["document"].as_str()), (1, Some(document)), "{source}: {filter}");
        }
    }
}

#[test]
fn lines_go_through_a_pipe_whole_or_in_part() {
    let home = database();
    let home = home.path();
    let feed = |database: &str, lines: &str| {
        let mut child = command::postil(home, &["import", database, "-", "--json"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), lines.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (
            output.status.code(),
            serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap_or_default(),
        )
    };
    let all = export(home, "a.postil");
    assert_eq!(feed("b.postil", &all).1["added"], 4);
    assert!(export(home, "b.postil") == all);
    // Without vectors, or without the line that says of which encoder they are, passages are
    // embedded.
    let texts = succeed(home, &["export", "a.postil", "--no-vectors"]);
    assert!(!texts.contains("\"vector\""));
    assert_eq!(feed("c.postil", &texts).1["added"], 4);
    assert!(export(home, "c.postil") == all);
    let part: Vec<&str> = all.lines().skip(1).collect();
    succeed(home, &["rm", "c.postil", "dark", "red"]);
    let (code, report) = feed("c.postil", &part.join("\n"));
    assert_eq!((code, report["added"].as_u64(), report["unchanged"].as_u64()), (Some(0), Some(2), Some(1)));
    assert!(export(home, "c.postil") == all);
    // A line that was cut is named; what is no export is refused before anything is made.
    let (code, report) = feed("d.postil", &all[..all.len() - 40]);
    assert_eq!((code, report["added"].as_u64()), (Some(3), Some(3)));
    assert!(report["skipped"][0]["error"].as_str().unwrap().contains("line 4"), "{report}");
    assert_eq!(feed("e.postil", RECORDS[0]).0, Some(1));
    assert!(!home.join("e.postil").exists());
}

#[test]
fn a_cancelled_export_to_parquet_leaves_nothing() {
    let home = database();
    let db = postil::Database::options().must_exist(true).open(home.path().join("a.postil")).unwrap();
    let options = postil::exchange::ExportOptions::default();
    let path = home.path().join("a.parquet");
    let cancel = postil::Cancel::default();
    let at_once = |_: &postil::Progress| cancel.cancel();
    let watch = postil::Watch::new().progress(&at_once).cancel(&cancel);
    let exported = db.export(&path, &options, &watch).unwrap();
    assert!(exported.interrupted && exported.documents == 1, "{exported:?}");
    let names = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("parquet")));
}

#[test]
fn a_parquet_file_of_another_program_is_imported() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parquet");
    let home = tempfile::tempdir().unwrap();
    let file = fixtures.join("foreign.parquet");
    let db = postil::Database::options().exported(&file).unwrap().open(home.path().join("a.postil")).unwrap();
    let report = db.import(&file, &postil::Watch::default()).unwrap();
    assert!(report.skipped.is_empty(), "{:?}", report.skipped);
    assert_eq!((report.added, report.passages), (102, 102));
    let fruit = db.store().written("fruit").unwrap().unwrap();
    assert_eq!(fruit.text, "Bananas are yellow. Über-ripe ones are brown.");
    assert_eq!((fruit.title.as_str(), fruit.source_map.as_slice()), ("On fruit", &[0, 255][..]));
    assert_eq!(fruit.content_hash, std::array::from_fn(|at| at as u8));
    let metadata = postil::Metadata::from([
        ("year".into(), postil::Value::Integer(2021)),
        ("ripe".into(), vec!["yes", "no"].into()),
        ("x".into(), postil::Value::Float(0.5)),
    ]);
    assert_eq!(fruit.metadata, metadata);
    let [first, second] = &fruit.passages[..] else { panic!("{:?}", fruit.passages) };
    assert_eq!(
        (first.range.clone(), second.range.clone(), second.source_range.clone()),
        (0..20, 20..46, 7..9)
    );
    let bits = |vector: &[f32]| -> Vec<u32> { vector.iter().map(|x| x.to_bits()).collect() };
    assert_eq!(bits(&first.vector), bits(&[1.0, -0.0, 2f32.powi(-140)]));
    assert_eq!(bits(&second.vector), bits(&[0.1, 0.2, 0.3]));
    assert_eq!(db.text("no passages").unwrap().unwrap(), "Never embedded.");
    assert_eq!(db.store().written("row 099").unwrap().unwrap().passages[0].vector, [99.0, 0.0, 1.0]);

    let refused = fixtures.join("refused.parquet");
    let error = db.import(&refused, &postil::Watch::default()).unwrap_err().to_string();
    assert!(error.contains("GZIP") && error.contains("Snappy"), "{error}");
}

/// A command that reads what was published.
fn published<'a>(command: &[&'a str]) -> Vec<&'a str> {
    [command, &["--published"]].concat()
}

#[test]
fn a_file_of_lines_is_whole_or_not_there_and_is_imported_bit_by_bit() {
    let home = database();
    let home = home.path();
    succeed(home, &["export", "a.postil", "a.jsonl"]);
    assert!(home.join("a.jsonl").is_file());
    assert!(std::fs::read_to_string(home.join("a.jsonl")).unwrap() == export(home, "a.postil"));
    succeed(home, &["import", "b.postil", "a.jsonl"]);
    assert!(export(home, "b.postil") == export(home, "a.postil"));
    let again = fail(home, &["export", "a.postil", "a.jsonl"]);
    assert!(again.contains("a.jsonl") && again.contains("exists"), "{again}");

    let cancel = postil::Cancel::default();
    cancel.cancel();
    let db = postil::Database::open_read_only(home.join("a.postil")).unwrap();
    let watch = postil::Watch::new().cancel(&cancel);
    let ended = db.export(home.join("c.jsonl"), &postil::exchange::ExportOptions::new(), &watch).unwrap();
    assert!(ended.interrupted && !home.join("c.jsonl").exists());
    assert!(!home.join("c.jsonl.unfinished").exists());
    // What a crash left is used, and nothing else is overwritten.
    std::fs::write(home.join("c.jsonl.unfinished"), "mine").unwrap();
    let refused =
        db.export(home.join("c.jsonl"), &postil::exchange::ExportOptions::new(), &postil::Watch::default());
    assert!(matches!(refused, Err(postil::Error::Occupied { .. })), "{refused:?}");
    std::fs::write(home.join("c.jsonl.unfinished"), "{\"content_hash\":\"00").unwrap();
    db.export(home.join("c.jsonl"), &postil::exchange::ExportOptions::new(), &postil::Watch::default())
        .unwrap();
}

#[test]
fn what_was_published_is_read_beside_a_writer_and_is_as_old_as_that() {
    let home = database();
    let home = home.path();
    let stat = published(&["stat", "a.postil", "--json"]);
    assert!(fail(home, &stat).contains("nothing was published"));
    assert!(json(home, &["publish", "a.postil", "--json"])["generation"].as_u64().unwrap() > 0);
    let all = export(home, "a.postil");
    succeed(home, &["rm", "a.postil", "red"]);
    // The writer holds the lock: here this process.
    let writer = postil::Database::options().must_exist(true).open(home.join("a.postil")).unwrap();
    assert!(fail(home, &["stat", "a.postil"]).contains(&std::process::id().to_string()));
    assert_eq!(json(home, &stat)["documents"].as_u64(), Some(4));
    assert!(succeed(home, &published(&["export", "a.postil"])) == all);
    let found = json(home, &published(&["search", "a.postil", "Apples are red", "--json"]));
    assert_eq!(found["hits"][0]["document"], "red");
    assert_eq!(succeed(home, &published(&["get", "a.postil", "red"])).trim(), "Apples are red.");

    let reader = postil::Database::open_published(home.join("a.postil")).unwrap();
    writer.publish().unwrap();
    assert_eq!((reader.count(None).unwrap(), json(home, &stat)["documents"].as_u64()), (4, Some(3)));
    assert!(reader.refresh().unwrap() && !reader.refresh().unwrap() && !writer.refresh().unwrap());
    assert_eq!(reader.count(None).unwrap(), 3);
}
