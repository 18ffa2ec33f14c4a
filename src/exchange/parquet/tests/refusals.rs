use super::super::column::{Number, Strings};
use super::super::row::{self, Row};
use super::*;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;

fn refused(path: &Path) -> String {
    read(path).unwrap_err().to_string()
}

/// A file without rows, of another schema.
fn other(path: &Path, schema: &str) {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = WriterProperties::builder().set_compression(Compression::UNCOMPRESSED).build();
    let file = std::fs::File::create(path).unwrap();
    SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap().close().unwrap();
}

#[test]
fn a_file_of_another_kind_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    for bytes in [&b""[..], b"PAR1", b"PAR1PAR1", b"{}\n{}\n{}\n", b"PAR1\xff\xff\xff\xffPAR1"] {
        std::fs::write(&path, bytes).unwrap();
        assert!(read(&path).is_err(), "{bytes:?}");
    }
    for (schema, what) in [
        ("message m { required int64 id; }", "\"id\" is not BYTE_ARRAY"),
        ("message m { required group id { required binary a; required binary b; } }", "more than one part"),
        ("message m { required binary id; }", "no column \"title\""),
    ] {
        other(&path, schema);
        assert!(refused(&path).contains(what), "{}", refused(&path));
    }
    let error = super::super::description(&path).err().unwrap().to_string();
    assert!(error.contains("\"postil\""), "{error}");
}

#[test]
fn nothing_is_at_the_target_before_the_end_and_what_is_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    let names = || -> Vec<_> {
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    let path = folder.path().join("a.parquet");
    let staged = folder.path().join("a.parquet.unfinished");
    // What a crash left is used.
    std::fs::write(&staged, b"PAR1, and no end").unwrap();
    let mut writer = Writer::create(&path, true).unwrap();
    writer.push(document("a", 1, Metadata::new())).unwrap();
    assert_eq!(names(), ["a.parquet.unfinished"]);
    assert!(Writer::create(&path, true).err().unwrap().to_string().contains("another export"));
    drop(writer);
    assert!(names().is_empty());

    std::fs::write(&staged, b"mine").unwrap();
    assert!(Writer::create(&path, true).err().unwrap().to_string().contains("in the way"));
    assert_eq!(std::fs::read(&staged).unwrap(), b"mine");
    std::fs::remove_file(&staged).unwrap();
    write(&path, documents(), true);
    assert_eq!(names(), ["a.parquet"]);
    assert!(matches!(Writer::create(&path, true), Err(Error::Read { .. })));
}

/// The error for the rows of a document of three passages after `change`.
fn changed(change: impl Fn(&mut Vec<Row>)) -> String {
    let mut rows = row::from_document(document("k", 3, Metadata::new()), true).unwrap();
    change(&mut rows);
    row::to_document(rows).unwrap_err().to_string()
}

#[test]
fn rows_that_contradict_each_other_are_named() {
    let text = |column: Strings, value: &'static str| {
        move |rows: &mut Vec<Row>| rows[1].texts[column as usize] = Some(value.into())
    };
    assert!(changed(text(Strings::Text, "xy ")).contains("passage 1: its text is not"));
    assert!(changed(text(Strings::Metadata, "{\"a\": 1}")).contains("passage 1: its metadata"));
    assert!(changed(|rows| drop(rows.remove(1))).contains("3 passages, and 2"));
    assert!(changed(|rows| drop(rows.remove(0))).contains("does not follow"));
    assert!(changed(|rows| rows[2].numbers[Number::TextEnd as usize] = Some(-1)).contains("text_end is -1"));
    assert!(changed(|rows| rows[2].numbers[Number::TextEnd as usize] = Some(1 << 40)).contains("no range"));
    assert!(changed(|rows| rows[2].numbers[Number::Start as usize] = None).contains("start is null"));
    let first = |column: Strings, value: &'static [u8]| {
        move |rows: &mut Vec<Row>| rows[0].texts[column as usize] = Some(value.to_vec())
    };
    assert!(changed(first(Strings::ContentHash, b"short")).contains("32 bytes"));
    assert!(changed(first(Strings::DocumentTitle, b"\xff")).contains("document_title is not UTF-8"));
    assert!(changed(first(Strings::Metadata, b"[]")).contains("no JSON object"));
    assert!(changed(first(Strings::Metadata, b"{\"a\": 1, \"a\": 2}")).contains("\"a\" comes twice"));
}

#[test]
fn a_document_that_is_wrong_is_named_by_its_row_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let mut wrong = documents();
    // Its bytes are in the file as they are.
    wrong[3].key = "UNUSUAL".into();
    write(&path, wrong, true);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(7).position(|window| window == b"UNUSUAL").unwrap();
    bytes[at] = 0xff;
    std::fs::write(&path, bytes).unwrap();
    let read = read(&path).unwrap();
    assert_eq!(read.iter().filter(|document| document.is_ok()).count(), 3);
    assert_eq!(read[3].as_ref().unwrap_err(), "row 7: id is not UTF-8");
    assert!(
        Reader::open(&path, 10).unwrap().next().err().unwrap().to_string().contains("row 0: its document")
    );
}
