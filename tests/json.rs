//! The fields that `--json` prints: all of those that the documentation names, and no other.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

mod command;

use command::{MODEL, json, run, succeed};
use serde_json::Value;

/// A folder with a database `d.postil`, in which two files say the same.
fn database() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let docs = home.path().join("docs");
    std::fs::create_dir(&docs).unwrap();
    for name in ["leave.md", "copy.md"] {
        let text = "# Leave\n\nEvery parent gets forty days of parental leave.\n\nIt is paid.\n";
        std::fs::write(docs.join(name), text).unwrap();
    }
    std::fs::write(docs.join("travel.txt"), "Trains are booked by the front desk.").unwrap();
    succeed(home.path(), &["ingest", "d.postil", "docs", "--model", MODEL]);
    home
}

/// Names of an object's fields, in the order of the alphabet.
#[track_caller]
fn assert_fields(object: &Value, names: &str) {
    let mut expected: Vec<&str> = names.split_whitespace().collect();
    expected.sort_unstable();
    let found: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(found, expected, "{object}");
}

const CITATION: &str = "document title heading range line quote copied posterior prior score relevance \
                        leave_one_out passage copies locator";
const EVIDENCE: &str =
    "basis null_log_probability log_ratio log_ratio_per_token grounded_probability unsure disagree";
const SPAN: &str = "text range tokens posterior log_ratio sources";

#[test]
fn an_answer_has_the_documented_fields() {
    let home = database();
    let question = "how many days of parental leave gets every parent";
    for generator in ["reader", "quote"] {
        let ask = ["ask", "d.postil", question, "--json", "--generator", generator, "-k", "3"];
        let answer = json(home.path(), &ask);
        let fields = "answer mode no_answer withheld probability confidence no_answer_probability \
                      abstention_score citations alternatives finished tokens words spans passages evidence \
                      generator";
        assert_fields(&answer, fields);
        let alternatives = answer["alternatives"].as_array().unwrap();
        assert_fields(&alternatives[0], "text probability confidence citations");
        let others = alternatives.iter().map(|other| &other["citations"]);
        let citations = others.chain([&answer["citations"]]).flat_map(|list| list.as_array().unwrap());
        let citations: Vec<&Value> = citations.collect();
        citations.iter().for_each(|citation| assert_fields(citation, CITATION));
        assert_eq!(citations[0]["range"].as_array().unwrap().len(), 2);
        assert_fields(&answer["tokens"][0], "text log_prob posterior");
        for part in ["words", "spans"] {
            for span in answer[part].as_array().unwrap() {
                assert_fields(span, SPAN);
                let [start, end] = [0, 1].map(|bound| span["range"][bound].as_u64().unwrap() as usize);
                assert_eq!(span["text"].as_str(), Some(&answer["answer"].as_str().unwrap()[start..end]));
            }
        }
        let passage = &answer["passages"][0];
        let fields = "document title heading range score words relevance prior posterior shortened copies \
                      locator";
        assert_fields(passage, fields);
        assert_fields(&passage["copies"][0], "document title range");
        assert_fields(&answer["evidence"], EVIDENCE);
        assert!(answer["withheld"].is_null(), "{answer}");
        // Without a passage, what quotes can say nothing: an infinity.
        assert!(answer["evidence"]["log_ratio"].is_null() || generator != "quote", "{answer}");
    }
    let unsure = json(home.path(), &["ask", "d.postil", question, "--json", "--min-probability", "1"]);
    assert_fields(&unsure["withheld"], "by probability min_probability");
    assert_eq!((&unsure["withheld"]["by"], &unsure["no_answer"]), (&"min_probability".into(), &true.into()));
    let two = "How many days of leave gets every parent? Who books trains?";
    let answers = json(home.path(), &["ask", "d.postil", two, "--json"]);
    assert_fields(&answers, "answers");
    assert_eq!(answers["answers"][0]["question"], "How many days of leave gets every parent?");
    assert_fields(&answers["answers"][1]["evidence"], EVIDENCE);
}

#[test]
fn hits_and_sizes_have_the_documented_fields() {
    let home = database();
    let record = r#"{"id": "a", "text": "Trains.", "huge": 12345678901234567890123, "none": null}"#;
    std::fs::write(home.path().join("r.jsonl"), record).unwrap();
    let report = json(home.path(), &["ingest", "d.postil", "r.jsonl", "--json"]);
    let fields = "added replaced unchanged removed passages skipped interrupted stale merged fields_left_out left_out \
         unread";
    assert_fields(&report, fields);
    let fields = "ignored hidden links special databases folders unknown";
    assert_fields(&report["left_out"], fields);

    let printed = succeed(home.path(), &["search", "d.postil", "trains", "--json"]);
    assert!(printed.contains(r#""huge":12345678901234567890123,"none":null"#), "{printed}");
    let found: Value = serde_json::from_str(&printed).unwrap();
    assert_fields(&found, "hits");
    let fields = "document title heading range text score words relevance copies metadata locator";
    assert_fields(&found["hits"][0], fields);
    let printed = succeed(home.path(), &["get", "d.postil", "a", "--json"]);
    assert!(printed.contains(r#""huge":12345678901234567890123,"none":null"#), "{printed}");

    let stat = json(home.path(), &["stat", "d.postil", "--json"]);
    let fields = "documents passages bytes encoder fingerprint dimension metric precision segments \
                  growing_rows removed index_bytes searched_bytes resident_bytes bytes_per_row \
                  searched_bytes_per_row resident_bytes_per_row recall rewrite_failure";
    assert_fields(&stat, fields);
    assert_eq!((stat["metric"].as_str(), stat["precision"].as_str()), (Some("cosine"), Some("full")));
    assert_eq!(stat["bytes_per_row"].as_f64().unwrap() * 4.0, stat["bytes"].as_f64().unwrap());
}

#[test]
fn what_an_ingest_left_out_is_told_as_documented() {
    let home = database();
    std::fs::write(home.path().join("docs/.gitignore"), "travel.txt\n").unwrap();
    std::fs::write(home.path().join("docs/photo.raw"), "").unwrap();
    std::fs::write(home.path().join("docs/bad.txt"), [0xff, 0xfe]).unwrap();
    let line = r#"{"id": "a", "text": "Trains.", "_file": "elsewhere"}"#;
    std::fs::write(home.path().join("docs/r.jsonl"), line).unwrap();
    let output = run(home.path(), &["ingest", "d.postil", "docs", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["left_out"]["ignored"], serde_json::json!({ "docs/.gitignore": 1 }));
    assert_eq!(report["left_out"]["unknown"], serde_json::json!({ "raw": 1 }));
    assert_eq!(report["fields_left_out"], serde_json::json!([{ "field": "_file", "records": 1 }]));
    assert_eq!(report["stale"], 1);
    let skipped = &report["skipped"][0];
    assert_fields(skipped, "source error kept");
    assert_eq!((skipped["source"].as_str(), skipped["kept"].as_bool()), (Some("docs/bad.txt"), Some(false)));
    assert!(skipped["error"].as_str().unwrap().starts_with("docs/bad.txt: "), "{skipped}");
}

#[test]
fn scores_have_the_documented_fields() {
    let home = database();
    let questions = [
        r#"{"question": "Who books trains?", "answers": ["the pilot"], "pid": "docs/travel.txt", "kind": "desk"}"#,
        r#"{"question": "How many days of leave gets every parent?", "answers": ["forty days"]}"#,
    ];
    std::fs::write(home.path().join("q.jsonl"), questions.join("\n")).unwrap();
    let eval =
        ["eval", "d.postil", "q.jsonl", "--json", "--wrong", "--generator", "quote", "--mode", "token"];
    let scores = json(home.path(), &eval);
    let of_a_setting = "generator mode k em f1 em_always f1_always abstained auroc abstention_f1 \
                        citation_precision gold_posterior calibration_error reliability \
                        p50_ms p95_ms kinds wrong";
    assert_fields(&scores, &format!("{of_a_setting} questions recall results"));
    assert_fields(&scores["results"][0], of_a_setting);
    assert_eq!((&scores["mode"], &scores["questions"]), (&"token".into(), &2.into()));
    assert_fields(&scores["recall"], "1 5 10");
    assert_fields(&scores["reliability"][0], "answers probability right");
    assert_fields(&scores["kinds"][0], "kind questions em f1 abstained");
    let fields = "question kind answers pid said probability no_answer f1 document quote";
    assert_fields(&scores["wrong"][0], fields);
    let without = json(home.path(), &eval.into_iter().filter(|arg| *arg != "--wrong").collect::<Vec<_>>());
    assert!(without.get("wrong").is_none());
}
