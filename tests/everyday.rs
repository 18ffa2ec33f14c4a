//! Messages that a person meets every day: mistyped paths, empty databases, doubtful hits, help.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

mod command;

use command::{MODEL, fail, json, run, succeed};

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

#[test]
fn a_mistyped_path_makes_no_database_and_an_empty_database_says_so() {
    let home = handbook();
    let said = fail(home.path(), &["ingest", "new.postil", "handbok", "hanbook", "--model", MODEL]);
    assert!(said.contains("no handbok, no hanbook") && said.contains("no database was made"), "{said}");
    assert!(!home.path().join("new.postil").exists());
    // One that is there already is not touched by it, and one path that is there is enough to go on.
    let output = run(home.path(), &["ingest", "handbook.postil", "handbok"]);
    assert_eq!(output.status.code(), Some(3));
    let output =
        run(home.path(), &["ingest", "new.postil", "handbok", "handbook/leave.md", "--model", MODEL]);
    assert_eq!(output.status.code(), Some(3));
    succeed(home.path(), &["rm", "new.postil", "handbook/leave.md"]);
    for command in ["ask", "search"] {
        let output = run(home.path(), &[command, "new.postil", "parental leave"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("new.postil is empty; add documents with: postil ingest"), "{said}");
    }
}

#[test]
fn a_search_labels_its_numbers_and_says_what_it_did_not_look_for() {
    let home = handbook();
    let search = |query: &str| {
        let output = run(home.path(), &["search", "handbook.postil", query]);
        assert!(output.status.success());
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (shown, said) = search("parental leave");
    let first = shown.lines().next().unwrap();
    for label in ["relevance ", "(score ", "words 1.00)"] {
        assert!(first.contains(label), "{shown}");
    }
    assert_eq!(said, "");
    assert!(search("zzqqxx").1.contains("no passage found has a word of the query"));
    assert!(search("\"parental leave\"").1.contains("a phrase in quotes is not looked for as one"));
}

#[test]
fn with_json_an_error_is_json_and_help_has_what_is_seldom_needed_last() {
    let home = handbook();
    let said = fail(home.path(), &["get", "handbook.postil", "nothing.txt", "--json"]);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(said["error"].as_str().unwrap().contains("nothing.txt"), "{said}");
    let help = succeed(home.path(), &["ask", "--help"]);
    let (everyday, advanced) = help.split_once("\nAdvanced:\n").unwrap();
    assert!(everyday.contains("--json") && everyday.contains("--filter"), "{help}");
    assert!(advanced.contains("--min-evidence") && advanced.contains("--words-weight"), "{help}");
}

#[test]
fn an_answer_says_once_how_sure_it_is_and_where_it_stands() {
    let home = handbook();
    let question = "How many days of parental leave gets every parent?";
    let ask = |more: &[&str]| succeed(home.path(), &[&["ask", "handbook.postil", question], more].concat());
    let said = ask(&[]);
    let confidence = json(home.path(), &["ask", "handbook.postil", question, "--json"]);
    let confidence = confidence["confidence"].as_f64().unwrap();
    let sure = said.lines().nth(1).unwrap();
    assert!(sure.ends_with(&format!("(probability {confidence:.2}).")), "{confidence} {said}");
    assert_eq!(said.matches("robability").count(), 1, "{said}");
    assert!(said.contains("[1] handbook/leave.md:3, posterior"), "{said}");
    assert!(!said.contains("bytes") && !said.contains("nats"), "{said}");
    assert!(ask(&["--markdown"]).contains(&format!("\n{sure}\n")));
    let explained = ask(&["--explain"]);
    assert!(explained.contains("bytes") && explained.contains("nats"), "{explained}");

    // One that is withheld has one number, and a passage that a person can go to.
    for least in ["1", "0.9999"] {
        let said = ask(&["--min-probability", least]);
        let (refusal, nearest) = said.split_once("\n\n").unwrap();
        assert!(refusal.starts_with("No answer found: the likeliest, \"forty days\", is right"), "{said}");
        assert!(nearest.starts_with("The nearest passage: handbook/leave.md:3\n"), "{said}");
        assert!(nearest.contains("forty days of parental leave.") && !said.contains("nats"), "{said}");
        assert!(!said.contains("posterior") && !said.contains("Withheld"), "{said}");
    }
    let absent = succeed(home.path(), &["ask", "handbook.postil", "Who invented the zeppelin in 1900?"]);
    assert!(absent.starts_with("No answer found") && absent.contains("The nearest passage: "), "{absent}");
}

#[test]
fn a_filter_names_files_as_a_person_would_and_says_which_fields_there_are() {
    let home = handbook();
    for filter in ["file contains \"leave\"", "path contains \"leave\"", "_file contains \"leave\""] {
        let found = json(home.path(), &["search", "handbook.postil", "trains", "--filter", filter, "--json"]);
        let hits = found["hits"].as_array().unwrap();
        assert!(!hits.is_empty() && hits.iter().all(|hit| hit["document"] == "handbook/leave.md"), "{found}");
    }
    for args in [&["search", "handbook.postil", "trains"][..], &["ask", "handbook.postil", "Who?"]] {
        let nothing = |filter| run(home.path(), &[args, &["--filter", filter]].concat());
        let (unknown, unmet) = (nothing("yaer > 2000"), nothing("file == \"nosuch\""));
        assert_eq!(unknown.status, unmet.status);
        let said = String::from_utf8(unknown.stderr).unwrap();
        assert!(said.contains("no document has a field yaer; there are: _file\n"), "{said}");
        assert!(!String::from_utf8(unmet.stderr).unwrap().contains("no document has a field"));
    }
    // A field of a document's own is not Postil's.
    std::fs::write(home.path().join("r.jsonl"), r#"{"id": "a", "text": "Trains.", "file": "x"}"#).unwrap();
    succeed(home.path(), &["ingest", "handbook.postil", "r.jsonl"]);
    let removed =
        json(home.path(), &["rm", "handbook.postil", "--filter", "file contains \"leave\"", "--json"]);
    assert_eq!(removed["removed"], 0);
    let removed = json(home.path(), &["rm", "handbook.postil", "--filter", "file == \"x\"", "--json"]);
    assert_eq!(removed["removed"], 1);
}

#[test]
fn what_gives_no_readable_file_makes_no_database_and_an_empty_one_answers_nothing() {
    let home = tempfile::tempdir().unwrap();
    let docs = home.path().join("docs");
    std::fs::create_dir(&docs).unwrap();
    for (name, bytes) in
        [("a.png", &b"\x89PNG"[..]), ("b.txt", b"\xff\xfe"), ("c.md", b" \n"), ("d.gz", b"\x1f\x8b\x08")]
    {
        std::fs::write(docs.join(name), bytes).unwrap();
    }
    for paths in [&["docs"][..], &["docs/b.txt", "docs/c.md"], &["docs/d.gz"]] {
        let output = run(home.path(), &[&["ingest", "new.postil", "--model", MODEL], paths].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("nothing could be read; no database was made"), "{said}");
        assert!(!home.path().join("new.postil").exists());
    }
    std::fs::write(docs.join("e.txt"), "Trains.").unwrap();
    let output = run(home.path(), &["ingest", "new.postil", "docs", "--model", MODEL]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("2 skipped: 1 empty, 1 not text in UTF-8\n"), "{said}");
    assert!(said.contains("2 files left out: 2 of kinds that are not read (1 .gz, 1 .png)\n"), "{said}");
    std::fs::remove_file(docs.join("e.txt")).unwrap();
    let output = run(home.path(), &["ingest", "new.postil", "docs"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("1 document has no file any more, or one left out now; --prune removes it"),
        "{said}"
    );
    succeed(home.path(), &["rm", "new.postil", "docs/e.txt"]);
    for more in [&[][..], &["--json"], &["--stream"]] {
        let said =
            fail(home.path(), &[&["ask", "new.postil", "Who?", "--generator", "quote"], more].concat());
        assert!(said.contains("new.postil is empty; add documents with"), "{said}");
    }
    let help = succeed(home.path(), &["ingest", "--help"]);
    for ending in postil::extract::Kind::endings().chain(["jsonl"]) {
        assert!(
            help.contains(&format!(".{ending},")) || help.contains(&format!(".{ending}.")),
            "{ending} {help}"
        );
    }
}

#[test]
fn help_explains_the_terms_stat_speaks_in_sentences_and_wrong_arguments_are_json() {
    let home = handbook();
    for args in [&["help", "terms"][..], &["terms"]] {
        let terms = succeed(home.path(), args);
        for term in ["passage", "relevance", "posterior", "nat", "segment", "prune"] {
            assert!(terms.lines().any(|line| line.split("  ").next() == Some(term)), "{term}: {terms}");
        }
    }
    let stat = succeed(home.path(), &["stat", "handbook.postil"]);
    assert!(stat.starts_with("2 documents with 2 passages, ") && stat.contains(MODEL), "{stat}");
    assert!(stat.lines().all(|line| line.ends_with('.')), "{stat}");
    for wrong in [
        &["search", "--json"][..],
        &["ask", "handbook.postil", "Who?", "--json", "-k", "x"],
        &["nosuch", "--json"],
    ] {
        let output = run(home.path(), wrong);
        assert_eq!(output.status.code(), Some(2));
        let said: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
        assert!(!said["error"].as_str().unwrap().is_empty() && output.stdout.is_empty(), "{said}");
    }
    let published = fail(home.path(), &["search", "handbook.postil", "trains", "--published"]);
    assert!(published.contains("postil publish handbook.postil"), "{published}");
}
