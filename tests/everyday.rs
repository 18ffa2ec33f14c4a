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
