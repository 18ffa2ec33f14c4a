use super::*;
use crate::value::{MAX_METADATA_DEPTH, Metadata, Value};
use proptest::prelude::*;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Integer),
        (1u64 << 63..).prop_map(Value::Unsigned),
        any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Value::Float),
        "-?[1-9][0-9]{20,40}(\\.[0-9]{1,9})?".prop_map(|text| Value::number(&text).unwrap()),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 60, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            proptest::collection::btree_map(any::<String>(), inner, 0..5).prop_map(Value::Object),
        ]
    })
}

/// Returns the value as another JSON reader has it: its numbers beyond 64 bits are rounded.
fn rounded(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Integer(number) => (*number).into(),
        Value::Unsigned(number) => (*number).into(),
        Value::Float(_) | Value::Decimal(_) => value.as_f64().into(),
        Value::String(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(rounded).collect(),
        Value::Object(fields) => serde_json::Value::Object(
            fields.iter().map(|(name, value)| (name.clone(), rounded(value))).collect(),
        ),
    }
}

proptest! {
    #[test]
    fn a_value_that_is_written_is_read_as_it_was_and_by_others_too(value in value()) {
        let text = value.to_string();
        prop_assert_eq!(&read(&text).unwrap(), &value);
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), rounded(&value));
        let drives_a_terminal = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}');
        prop_assert!(!text.chars().any(drives_a_terminal));
    }

    #[test]
    fn no_text_makes_reading_panic_and_what_is_read_others_read_too(text in "[\\[\\]{}\",:0-9eE.+\\\\ untrlfas-]{0,40}") {
        let _ = members(&text);
        if let Ok(value) = read(&text) {
            prop_assert_eq!(&read(&value.to_string()).unwrap(), &value);
            if let Ok(theirs) = serde_json::from_str::<serde_json::Value>(&text) {
                prop_assert_eq!(theirs, rounded(&value));
            }
        }
    }
}

#[test]
fn what_others_refuse_is_refused_and_its_place_named() {
    for (text, at) in [
        ("", 0),
        ("nul", 0),
        ("[1,]", 3),
        ("[1 2]", 3),
        ("{\"a\" 1}", 5),
        ("{\"a\":1,}", 7),
        ("{a:1}", 1),
        ("1 2", 2),
        ("01", 0),
        ("\"a", 2),
        ("\"\\x\"", 1),
        ("\"\n\"", 1),
        ("\"\\u12\"", 1),
        ("\"\\ud800\"", 1),
        ("\"\\ud800\\u0041\"", 1),
        ("\"\\udc00\\ud800\"", 1),
        ("\u{feff}1", 0),
    ] {
        assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
        assert_eq!(read(text).unwrap_err().at, at, "{text}");
    }
}

#[test]
fn escapes_are_the_characters_they_stand_for() {
    let text = r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000""#;
    assert_eq!(read(text).unwrap(), Value::from("\"\\/\u{8}\u{c}\n\r\té\u{1f600}\0"));
}

#[test]
fn a_field_that_comes_twice_is_refused_by_name() {
    for text in ["{\"a\": 1, \"b\": 2, \"a\": 1}", "{\"x\": {\"a\": 1, \"\\u0061\": 2}}"] {
        let error = read_object(text).unwrap_err();
        assert!(error.what.contains("\"a\" comes twice"), "{error}");
    }
    let error = read_object("{\"x\": {\"a\": 1, \"a\": 2}}").unwrap_err();
    assert_eq!(error.to_string(), "byte 15, in field \"x\": field \"a\" comes twice in one object");
}

#[test]
fn nesting_is_read_as_deep_as_metadata_may_be_and_no_deeper() {
    let nested =
        |levels: usize| format!("{{\"deep\":{}1{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    let read_back = read_object(&nested(MAX_METADATA_DEPTH)).unwrap();
    assert_eq!(object_text(&read_back), nested(MAX_METADATA_DEPTH));
    for text in [nested(1_000), nested(1_000_000), "[".repeat(1_000_000), "{\"a\":".repeat(1_000_000)] {
        assert!(read(&text).unwrap_err().what.contains("nest deeper"));
    }
    assert_eq!(read_object(&nested(1_000)).unwrap_err().field.as_deref(), Some("deep"));
}

#[test]
fn members_have_their_values_as_they_are_written() {
    let members = members(" { \"id\" : 1.50 , \"x\":[1, 2] }\n").unwrap();
    let texts: Vec<_> = members.iter().map(|member| (member.name.as_str(), member.text)).collect();
    assert_eq!(texts, [("id", "1.50"), ("x", "[1, 2]")]);
    assert_eq!(object_text(&Metadata::new()), "{}");
}
