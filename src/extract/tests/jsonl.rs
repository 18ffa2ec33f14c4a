use postil_storage::{Value, json};

use crate::extract::{JsonlError, Record, jsonl};

fn records(text: &str) -> Vec<Result<Record, JsonlError>> {
    jsonl(text.as_bytes()).collect()
}

#[test]
fn a_record_has_an_id_a_text_and_metadata() {
    let found = records(
        "\u{feff}{\"id\":\"a\",\"text\":\"T\",\"title\":\"Head\",\"year\":2020,\"tags\":[\"x\",\"y\"],\"deep\":{\"a\":1},\"mixed\":[1],\"none\":null}\r\n\n\
         {\"pid\":7,\"text\":\"\",\"title\":null,\"ok\":true}\n",
    );
    let first = found[0].as_ref().unwrap();
    assert_eq!((first.line, first.id.as_str(), first.text.as_str()), (1, "a", "T"));
    assert_eq!(first.title.as_deref(), Some("Head"));
    assert_eq!(
        json::object_text(&first.metadata),
        r#"{"deep":{"a":1},"mixed":[1],"none":null,"tags":["x","y"],"year":2020}"#
    );
    let second = found[1].as_ref().unwrap();
    assert_eq!((second.line, second.id.as_str(), second.title.as_deref()), (3, "7", None));
    assert_eq!(found.len(), 2);
}

#[test]
fn every_name_of_the_id_is_known_and_id_comes_first() {
    for name in ["id", "pid", "_id", "key", "docid"] {
        let found = records(&format!("{{\"{name}\":\"x\",\"text\":\"t\"}}"));
        assert_eq!(found[0].as_ref().unwrap().id, "x");
    }
    let found = records("{\"pid\":\"p\",\"id\":\"i\",\"text\":\"t\"}");
    let record = found[0].as_ref().unwrap();
    assert_eq!(record.id, "i");
    assert_eq!(record.metadata["pid"], "p".into());
    let found = records("{\"id\":null,\"docid\":\"d\",\"text\":\"t\"}");
    let record = found[0].as_ref().unwrap();
    assert_eq!((record.id.as_str(), &record.metadata["id"]), ("d", &Value::Null));
}

#[test]
fn an_id_that_is_a_number_is_the_text_it_is_written_as() {
    for number in ["7", "12345678901234567890123", "18446744073709551615", "1.10", "1e3", "-0", "1e400"] {
        let found = records(&format!("{{\"id\": {number} ,\"text\":\"t\"}}"));
        assert_eq!(found[0].as_ref().unwrap().id, number);
    }
    for (field, value) in [("id", "true"), ("pid", "{\"a\": 1}"), ("_id", "[1]"), ("key", "\"\"")] {
        let found = records(&format!("{{\"{field}\":{value},\"text\":\"t\"}}"));
        assert!(matches!(found[0], Err(JsonlError::Field { line: 1, field: named, .. }) if named == field));
    }
}

#[test]
fn what_cannot_be_kept_is_refused_with_its_line_and_field() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    for value in ["1e9999999999999999", "\"\\ud800\"", "{\"a\":1,\"a\":2}", deep.as_str()] {
        let found =
            records(&format!("{{\"id\":1,\"text\":\"t\",\"odd\":{value}}}\n{{\"id\":2,\"text\":\"t\"}}"));
        let error = found[0].as_ref().unwrap_err().to_string();
        assert!(error.starts_with("line 1: ") && error.contains("in field \"odd\""), "{error}");
        assert_eq!(found[1].as_ref().unwrap().id, "2");
    }
    let found = records("{\"id\":1,\"text\":\"t\",\"a\":1,\"a\":1}");
    assert!(found[0].as_ref().unwrap_err().to_string().contains("\"a\" comes twice"));
}

#[test]
fn a_bad_line_is_an_error_with_its_number_and_the_next_line_follows() {
    let lines = "nonsense\n[1]\n{\"text\":\"t\"}\n{\"id\":1}\n{\"id\":true,\"text\":\"t\"}\n\
         {\"id\":1,\"text\":2}\n{\"id\":1,\"text\":\"t\"}";
    let found = records(lines);
    assert!(matches!(found[0], Err(JsonlError::Json { line: 1, .. })));
    assert!(matches!(found[1], Err(JsonlError::Json { line: 2, .. })));
    assert!(matches!(found[2], Err(JsonlError::Missing { line: 3, field: "id" })));
    assert!(matches!(found[3], Err(JsonlError::Missing { line: 4, field: "text" })));
    assert!(matches!(found[4], Err(JsonlError::Field { line: 5, field: "id", .. })));
    assert!(matches!(found[5], Err(JsonlError::Field { line: 6, field: "text", .. })));
    assert_eq!(found[6].as_ref().unwrap().line, 7);
}

#[test]
fn a_line_over_the_limit_is_skipped_with_an_error() {
    let text = format!("{{\"id\":1,\"text\":\"{}\"}}\n{{\"id\":2,\"text\":\"t\"}}", "x".repeat(100));
    let found: Vec<_> =
        jsonl(std::io::BufReader::with_capacity(7, text.as_bytes())).max_line_bytes(40).collect();
    assert!(matches!(found[0], Err(JsonlError::TooLong { line: 1, got_bytes: 118, max_bytes: 40 })));
    assert_eq!(found[1].as_ref().unwrap().id, "2");
}

#[test]
fn a_line_that_is_not_utf_8_is_an_error() {
    let found: Vec<_> = jsonl(&b"{\"id\":1,\"text\":\"\xff\"}\n"[..]).collect();
    assert!(matches!(found[0], Err(JsonlError::Json { line: 1, .. })));
}
