//! The command line, as a user types it.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

mod command;

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use command::{MODEL, fail, json, postil, run, succeed};

/// A folder with a small database `handbook.postil` in it.
fn handbook() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let docs = home.path().join("handbook");
    std::fs::create_dir(&docs).unwrap();
    std::fs::write(docs.join("leave.md"), "# Leave\n\nEvery parent gets forty days of parental leave.\n")
        .unwrap();
    std::fs::write(docs.join("travel.txt"), "Trains are booked by the front desk.").unwrap();
    succeed(home.path(), &["ingest", "handbook.postil", "handbook", "--model", MODEL]);
    home
}

fn assert_range_holds(home: &Path, document: &str, range: &serde_json::Value, text: &str) {
    let bytes = std::fs::read(home.join(document)).unwrap();
    let (start, end) = (range[0].as_u64().unwrap() as usize, range[1].as_u64().unwrap() as usize);
    assert_eq!(std::str::from_utf8(&bytes[start..end]).unwrap(), text);
}

#[test]
fn search_and_ask_print_the_documented_json() {
    let home = handbook();
    let found = json(home.path(), &["search", "handbook.postil", "parental leave days", "--json"]);
    let hit = &found["hits"][0];
    assert_eq!(hit["document"], "handbook/leave.md");
    assert!(hit["score"].as_f64().unwrap() > 0.0);
    assert_eq!(hit["words"].as_f64(), Some(1.0));
    assert!(hit["relevance"].as_f64() > hit["score"].as_f64());
    let by_meaning = ["search", "handbook.postil", "parental leave days", "--json", "--words-weight", "0"];
    let hit = &json(home.path(), &by_meaning)["hits"][0];
    assert_eq!(hit["relevance"], hit["score"]);
    let hit = &found["hits"][0];
    assert_range_holds(home.path(), "handbook/leave.md", &hit["range"], hit["text"].as_str().unwrap());

    for mode in ["sequence", "token"] {
        let question = "how many days of parental leave gets every parent";
        let answer =
            json(home.path(), &["ask", "handbook.postil", question, "--json", "--mode", mode, "-k", "2"]);
        assert_eq!((answer["mode"].as_str(), answer["no_answer"].as_bool()), (Some(mode), Some(false)));
        assert!(answer["answer"].as_str().unwrap().contains("forty"));
        let citation = &answer["citations"][0];
        assert!(citation["posterior"].as_f64().unwrap() > 0.5);
        assert_range_holds(
            home.path(),
            "handbook/leave.md",
            &citation["range"],
            citation["quote"].as_str().unwrap(),
        );
        assert_range_holds(
            home.path(),
            "handbook/leave.md",
            &citation["copied"],
            answer["answer"].as_str().unwrap(),
        );
    }

    let stat = json(home.path(), &["stat", "handbook.postil", "--json"]);
    assert_eq!((stat["documents"].as_u64(), stat["passages"].as_u64()), (Some(2), Some(2)));
    assert_eq!(stat["encoder"], MODEL);
    assert!(stat["bytes"].as_u64().unwrap() > 0);
    let compacted = json(home.path(), &["compact", "handbook.postil", "--json"]);
    for bytes in ["bytes_before", "bytes"] {
        assert!(compacted[bytes].as_u64().unwrap() > 0, "{bytes}");
    }
    let again = json(home.path(), &["stat", "handbook.postil", "--json"]);
    assert_eq!((again["passages"].as_u64(), again["segments"].as_u64()), (Some(2), Some(1)));
    assert!(again["searched_bytes"].as_u64() < again["index_bytes"].as_u64());
    // Two rows: the file was just written and is still in the page cache.
    let per_row = |what: &str| again[what].as_f64().unwrap();
    assert_eq!(per_row("bytes_per_row") * 2.0, per_row("bytes"));
    assert_eq!(per_row("searched_bytes_per_row") * 2.0, per_row("searched_bytes"));
    if cfg!(target_os = "linux") {
        assert!(per_row("resident_bytes_per_row") * 2.0 >= per_row("index_bytes"));
    }
}

const QUESTION: &str = "how many days of parental leave gets every parent";

/// `postil ask` about the handbook's leave, answered by quoting, so that the answer depends on the
/// question alone.
fn ask<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["ask", "handbook.postil", QUESTION, "-k", "2", "--generator", "quote"], more].concat()
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn the_json_of_an_answer_adds_up() {
    let home = handbook();
    for mode in ["sequence", "token"] {
        let answer = json(home.path(), &ask(&["--json", "--mode", mode]));
        let text = answer["answer"].as_str().unwrap();
        assert_eq!(answer["finished"], true);
        for key in ["words", "spans"] {
            let spans = answer[key].as_array().unwrap();
            let parts: String = spans.iter().map(|span| span["text"].as_str().unwrap()).collect();
            assert_eq!(parts, text, "{key} partition the text");
            for span in spans {
                assert!((numbers(&span["posterior"]).iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
        let tokens = answer["tokens"].as_array().unwrap();
        let log_prob: f64 = tokens.iter().map(|token| token["log_prob"].as_f64().unwrap()).sum();
        assert!((log_prob.exp() - answer["probability"].as_f64().unwrap()).abs() < 1e-6);
        for token in tokens {
            assert!((numbers(&token["posterior"]).iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
        let passages = answer["passages"].as_array().unwrap();
        assert_eq!(passages.len(), 2);
        for key in ["prior", "posterior"] {
            let sum: f64 = passages.iter().map(|passage| passage[key].as_f64().unwrap()).sum();
            assert!((sum - 1.0).abs() < 1e-6, "{key} sums to {sum}");
        }
        let cited = &answer["citations"][0];
        assert_eq!(cited["document"], passages[cited["passage"].as_u64().unwrap() as usize]["document"]);
        assert_eq!(answer["evidence"]["basis"], "no_answer_token");
        assert_eq!(
            answer["evidence"]["log_ratio"],
            serde_json::Value::Null,
            "infinite: nothing can be quoted from nothing"
        );
        assert!(answer["evidence"]["disagree"].as_f64().unwrap() >= 0.0);
    }
}

#[test]
fn every_way_to_decode_answers_and_nonsense_is_refused_with_the_ways() {
    let home = handbook();
    let expected = json(home.path(), &ask(&["--json"]))["answer"].clone();
    for decode in
        ["greedy", "beam=2", "sample", "sample=7,temperature=0.5,top_k=9", "thorough", "fast", "union=3"]
    {
        let answer = json(home.path(), &ask(&["--json", "--decode", decode, "--max-tokens", "9"]));
        assert_eq!(answer["answer"], expected, "quote weighs all answers, whatever {decode} says");
    }
    let said = fail(home.path(), &ask(&["--decode", "beam=many"]));
    assert!(said.contains("greedy") && said.contains("sample=SEED"), "{said}");
    let said = fail(home.path(), &ask(&["--max-tokens", "0"]));
    assert!(said.contains("at least 1"), "{said}");
    let said = fail(home.path(), &ask(&["--min-evidence", "nan"]));
    assert!(said.contains("evidence"), "{said}");
    let said = fail(home.path(), &ask(&["--stream", "--json"]));
    assert!(said.contains("--json"), "{said}");
}

#[test]
fn a_streamed_answer_is_the_answer_and_its_sources() {
    let home = handbook();
    let streamed = succeed(home.path(), &ask(&["--stream"]));
    let mut lines = streamed.lines();
    assert_eq!(lines.next(), Some("Every parent gets forty days of parental leave."));
    assert!(lines.next().unwrap().contains("(probability "), "{streamed}");
    assert_eq!(lines.next(), Some(""));
    let source = lines.next().unwrap();
    let (line, rest) = source.strip_prefix("[1] handbook/leave.md:").unwrap().split_once(',').unwrap();
    assert!(rest.starts_with(" posterior among passages "), "{streamed}");
    let file = std::fs::read_to_string(home.path().join("handbook/leave.md")).unwrap();
    let said = file.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
    assert!(said.contains("forty days"), "{said}");
    let nothing = succeed(
        home.path(),
        &["ask", "handbook.postil", "zeppelin hangar", "--stream", "--generator", "quote"],
    );
    assert!(nothing.starts_with("No answer found"), "{nothing}");
}

#[test]
fn markdown_has_footnotes() {
    let home = handbook();
    let markdown = succeed(home.path(), &ask(&["--markdown"]));
    assert!(markdown.starts_with("Every parent gets forty days of parental leave.[^1]"), "{markdown}");
    assert!(markdown.contains("\n[^1]: handbook/leave.md"), "{markdown}");
}

#[test]
fn explaining_shows_every_token_by_passage_within_bounds() {
    let home = handbook();
    std::fs::write(
        home.path().join("handbook/long.txt"),
        format!("Parental leave of every parent gets {} \u{1b}[31mred.", "l\u{f6}ng".repeat(60)),
    )
    .unwrap();
    succeed(home.path(), &["ingest", "handbook.postil", "handbook"]);
    for mode in ["sequence", "token"] {
        let explained = succeed(home.path(), &ask(&["--explain", "--mode", mode]));
        for part in
            ["token", "log p", "p1", "p2", "\"forty \"", "prior", "credited to", "evidence for", "no answer"]
        {
            assert!(explained.contains(part), "{part} is not in {explained}");
        }
        assert!(!explained.contains('\u{1b}'), "escapes of documents stay out");
        let table = explained
            .lines()
            .skip_while(|line| !line.starts_with("token"))
            .take_while(|line| !line.is_empty());
        assert!(table.clone().count() > 8);
        assert!(table.into_iter().all(|line| line.chars().count() <= 80), "{explained}");
    }
    let nothing = succeed(
        home.path(),
        &["ask", "handbook.postil", "zeppelin hangar", "--explain", "--generator", "quote"],
    );
    assert!(nothing.contains("The nearest passage: ") && nothing.contains("evidence for"), "{nothing}");
}

#[test]
fn output_that_is_no_terminal_has_no_colour() {
    let home = handbook();
    let output = postil(home.path(), &ask(&[])).env_remove("NO_COLOR").output().unwrap();
    assert!(!String::from_utf8(output.stdout).unwrap().contains('\u{1b}'));
}

#[test]
fn a_second_ingest_embeds_nothing_and_says_so() {
    let home = handbook();
    let again = json(home.path(), &["ingest", "handbook.postil", "handbook", "--json"]);
    assert_eq!((again["unchanged"].as_u64(), again["passages"].as_u64()), (Some(2), Some(0)));
    assert_eq!(again["interrupted"], false);
}

#[test]
fn unreadable_files_are_reported_and_the_rest_is_ingested() {
    let home = handbook();
    std::fs::write(home.path().join("handbook/latin1.txt"), b"caf\xe9").unwrap();
    std::fs::write(home.path().join("handbook/empty.txt"), " \n").unwrap();
    std::fs::write(home.path().join("handbook/new.txt"), "Bicycles stand behind the house.").unwrap();
    std::os::unix::fs::symlink(home.path().join("handbook"), home.path().join("handbook/loop")).unwrap();
    let output = run(home.path(), &["ingest", "handbook.postil", "handbook", "gone.txt"]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    for part in ["latin1.txt", "empty.txt", "gone.txt", "3 skipped"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("1 added"));
}

#[test]
fn standard_input_is_a_document_or_many() {
    let home = handbook();
    let feed = |args: &[&str], bytes: &[u8]| {
        let mut child =
            postil(home.path(), args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        assert!(child.wait().unwrap().success());
    };
    feed(&["ingest", "handbook.postil", "-", "--key", "note"], b"The lift is out of order.");
    feed(
        &["ingest", "handbook.postil", "-", "--format", "jsonl"],
        b"{\"id\":\"a\",\"text\":\"Alpha rays.\",\"year\":2020}\n\n{\"id\":\"b\",\"text\":\"Beta \
             rays.\",\"year\":2010}\n",
    );
    assert_eq!(succeed(home.path(), &["get", "handbook.postil", "note"]).trim(), "The lift is out of order.");
    let filter = ["search", "handbook.postil", "rays", "--json", "--filter", "year >= 2015"];
    let found = json(home.path(), &filter);
    assert_eq!(found["hits"].as_array().unwrap().len(), 1);
    assert_eq!(found["hits"][0]["document"], "a");
    let removed = json(home.path(), &["rm", "handbook.postil", "--filter", "exists(year)", "--json"]);
    assert_eq!(removed["removed"], 2);
}

#[test]
fn a_field_that_cannot_be_kept_is_named_and_so_is_a_record_that_cannot() {
    let home = handbook();
    let lines = [
        r#"{"id": 1, "text": "Alpha rays.", "_file": "mine"}"#,
        r#"{"id": {"a": 1}, "text": "Beta rays."}"#,
        r#"{"id": 3, "text": "Gamma rays.", "year": 1, "year": 2}"#,
    ];
    std::fs::write(home.path().join("rays.jsonl"), lines.join("\n")).unwrap();
    let output = run(home.path(), &["ingest", "handbook.postil", "rays.jsonl"]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("left out: field _file of 1 records"), "{said}");
    assert!(said.contains("line 2: id must be") && said.contains("\"year\" comes twice"), "{said}");
    let output = run(home.path(), &["ingest", "handbook.postil", "rays.jsonl", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["fields_left_out"], serde_json::json!([{"field": "_file", "records": 1}]));
    let said = fail(home.path(), &["search", "handbook.postil", "x", "--filter", "a == {\"b\": 1}"]);
    assert!(said.contains("null"), "{said}");
}

#[test]
fn answers_are_scored_against_known_ones() {
    let home = handbook();
    let lines = [
        r#"{"question": "how many days of parental leave", "answers": ["forty days"], "pid": "handbook/leave.md"}"#,
        r#"{"question": "who books the trains", "answers": ["the front desk"], "pid": "handbook/travel.txt"}"#,
        r#"{"question": "zebra quantum xylophone", "answers": [], "kind": "absent"}"#,
        r#"{"question": "how many days of parental leave", "answers": ["ninety"], "kind": "leave"}"#,
    ];
    std::fs::write(home.path().join("questions.jsonl"), lines.join("\n")).unwrap();
    let command =
        ["eval", "handbook.postil", "questions.jsonl", "--json", "-k", "1,2", "--plot", "curve.svg"];
    let scores = json(home.path(), &command);
    assert_eq!(scores["questions"], 4);
    assert_eq!(scores["recall"]["5"], 1.0);
    let kinds: Vec<&str> =
        scores["kinds"].as_array().unwrap().iter().map(|of| of["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["absent", "leave"]);
    assert_eq!((&scores["kinds"][0]["f1"], &scores["kinds"][1]["f1"]), (&1.0.into(), &0.0.into()));
    assert!(scores.get("wrong").is_none());
    let wrong = json(home.path(), &["eval", "handbook.postil", "questions.jsonl", "--wrong", "--json"]);
    let wrong = wrong["wrong"].as_array().unwrap();
    assert!(wrong.iter().any(|one| one["answers"] == serde_json::json!(["ninety"]) && one["f1"] == 0.0));
    assert!(wrong.iter().all(|one| one["question"] != "zebra quantum xylophone"), "{wrong:?}");
    let listed = succeed(home.path(), &["eval", "handbook.postil", "questions.jsonl", "--wrong"]);
    assert!(
        listed.contains("how many days of parental leave (leave)") && listed.contains("right  ninety"),
        "{listed}"
    );
    assert_eq!(scores["results"].as_array().unwrap().len(), 4);
    for field in ["em", "f1", "auroc", "citation_precision", "p50_ms", "p95_ms"] {
        assert!(scores[field].is_number(), "{field} in {scores}");
    }
    assert!(std::fs::read_to_string(home.path().join("curve.svg")).unwrap().starts_with("<svg"));
    let table = succeed(home.path(), &["eval", "handbook.postil", "questions.jsonl", "--mode", "token"]);
    assert!(table.contains("reader token k=5"), "{table}");
    std::fs::write(home.path().join("bad.jsonl"), "{}").unwrap();
    assert!(fail(home.path(), &["eval", "handbook.postil", "bad.jsonl"]).contains("line 1"));
}

#[test]
fn errors_say_what_to_do_next() {
    let home = handbook();
    let said = fail(home.path(), &["ask", "handbok.postil", "who?"]);
    assert!(said.contains("handbook.postil"), "{said}");
    let said = fail(home.path(), &["ingest", "new.postil", "handbook"]);
    assert!(said.contains("postil model add all-MiniLM-L6-v2"), "{said}");
    assert!(!home.path().join("new.postil").exists(), "a failed creation leaves nothing");
    let said = fail(home.path(), &["search", "handbook.postil", "x", "--filter", "year >="]);
    assert!(said.contains("--filter"), "{said}");
    let said = fail(home.path(), &["ask", "handbook.postil", "  "]);
    assert!(said.contains("empty"), "{said}");
    let said = fail(home.path(), &["search", "handbook.postil", "x", "-k", "0"]);
    assert!(said.contains('0'), "{said}");
    let said = fail(home.path(), &["stat", "handbook"]);
    assert!(said.contains("handbook"), "{said}");
    let said = fail(home.path(), &["get", "handbook.postil", "nothing.txt"]);
    assert!(said.contains("nothing.txt"), "{said}");
    let said = fail(home.path(), &["ask", "handbook.postil", "who?", "--generator", "oracle"]);
    assert!(said.contains("quote"), "{said}");
}

#[test]
fn check_and_export_read_the_whole_database() {
    let home = handbook();
    assert_eq!(json(home.path(), &["check", "handbook.postil", "--json"])["clean"], true);
    let exported = succeed(home.path(), &["export", "handbook.postil"]);
    let lines: Vec<serde_json::Value> =
        exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["id"], "handbook/leave.md");
    assert_eq!(lines[0]["metadata"]["_file"], "handbook/leave.md");
    assert!(!lines[0]["passages"][0]["vector"].as_array().unwrap().is_empty());
}

#[test]
fn each_of_two_questions_in_one_has_its_own_answer() {
    let home = handbook();
    let both = "How many days of parental leave gets every parent? Where does the handbook lie?";
    let args = ["ask", "handbook.postil", both, "--generator", "quote"];
    let said = succeed(home.path(), &args);
    assert!(said.starts_with("How many days of parental leave gets every parent?\n"), "{said}");
    assert!(said.contains("forty days") && said.contains("\nWhere does the handbook lie?\n"), "{said}");
    let answers = json(home.path(), &[&args[..], &["--json"]].concat());
    let answers = answers["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[1]["question"], "Where does the handbook lie?");
    assert!(answers[0]["answer"].as_str().unwrap().contains("forty"));
    let refused = fail(home.path(), &[&args[..], &["--stream"]].concat());
    assert!(refused.contains("asks 2 things"), "{refused}");
}
