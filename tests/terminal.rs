//! No document can drive a reader's terminal, by its text, key, title or fields.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

mod command;

use command::{MODEL, run, succeed};
use std::path::Path;

/// Retitles a window, clears the screen, goes up, rings, writes right to left; in 7 and in 8 bits.
const ATTACK: &str =
    "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{1b}[1A\u{8}\u{7f}\u{85}\u{90}q\u{202e}live\u{2066}";

fn drives_a_terminal(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn assert_calm(home: &Path, args: &[&str]) -> String {
    let output = run(home, args);
    let mut all = String::new();
    for stream in [output.stdout, output.stderr] {
        let text = String::from_utf8(stream).unwrap();
        let driving = text.chars().find(|&c| drives_a_terminal(c));
        assert_eq!(driving, None, "postil {args:?}: {text:?}");
        all += &text;
    }
    all
}

/// A database with hostile documents in it.
fn hostile() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let record = |id: &str, text: &str| {
        serde_json::json!({ "id": id, "title": format!("T{ATTACK}"), "text": text, "field": ATTACK })
            .to_string()
    };
    let text = format!("Every parent gets forty days of parental leave{ATTACK}.");
    let lines = [
        record(&format!("key{ATTACK}"), &text),
        record("two\nlines", "Trains are booked by the front desk."),
        record(&format!("empty{ATTACK}"), ""),
        format!("{{\"id\": \"{ATTACK}\"}}"),
    ];
    std::fs::write(home.path().join("r.jsonl"), lines.join("\n")).unwrap();
    std::fs::write(home.path().join(format!("n{ATTACK}.txt").replace('/', "")), "\u{0}\u{1b}[1m Plain.")
        .unwrap();
    std::fs::write(
        home.path().join("a.html"),
        format!("<title>{ATTACK}</title><p>H &#27;[2J &#x9b;1m &#x202e;</p>"),
    )
    .unwrap();
    home
}

#[test]
fn nothing_that_the_command_prints_of_hostile_documents_drives_a_terminal() {
    let home = hostile();
    let home = home.path();
    let said = assert_calm(home, &["ingest", "d.postil", ".", "--model", MODEL]);
    assert!(said.contains("skipped"), "{said}");
    let question = "how many days of parental leave gets every parent";
    let key = format!("key{ATTACK}");
    for args in [
        &["search", "d.postil", "parental leave", "-k", "10"][..],
        &["ask", "d.postil", question, "--generator", "quote"],
        &["ask", "d.postil", question, "--generator", "quote", "--markdown"],
        &["ask", "d.postil", question, "--generator", "quote", "--stream"],
        &["ask", "d.postil", question, "--generator", "quote", "--explain"],
        &["get", "d.postil", &key],
        &["get", "d.postil", &key, "--passages"],
        &["get", "d.postil", ATTACK],
        &["stat", "d.postil"],
        &["check", "d.postil"],
        &["rm", "d.postil", ATTACK],
        &["search", "d.postil", "x", "--filter", ATTACK],
        &["search", ATTACK, "x"],
    ] {
        assert_calm(home, args);
        if args[0] != "export"
            && !args.contains(&"--markdown")
            && !args.contains(&"--stream")
            && !args.contains(&"--explain")
        {
            assert_calm(home, &[args, &["--json"]].concat());
        }
    }
    assert_calm(home, &["export", "d.postil"]);
}

#[test]
fn json_escapes_what_it_neutralizes_and_loses_nothing() {
    let home = hostile();
    succeed_or_skip(home.path());
    let found = command::json(home.path(), &["get", "d.postil", &format!("key{ATTACK}"), "--json"]);
    assert_eq!(found["title"], format!("T{ATTACK}"));
    assert_eq!(found["metadata"]["field"], ATTACK);
    assert!(found["text"].as_str().unwrap().contains(ATTACK));
}

#[test]
fn a_key_with_a_line_feed_is_shown_on_its_own_line() {
    let home = hostile();
    succeed_or_skip(home.path());
    let shown = succeed(home.path(), &["search", "d.postil", "trains booked front desk", "-k", "1"]);
    assert!(shown.lines().next().unwrap().contains("two\u{fffd}lines"), "{shown}");
}

/// Some of the documents are skipped on purpose.
fn succeed_or_skip(home: &Path) {
    let output = run(home, &["ingest", "d.postil", ".", "--model", MODEL]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
}
