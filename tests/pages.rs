//! The pages that people read: the README is short, its example prints what it shows, and links
//! lead somewhere.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first failure, and says when it is skipped"
)]

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use postil::{DEFAULT_MODEL, Database, Document};
use postil_checkpoint::{locate, model_home};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

const README: &str = include_str!("../README.md");
const MOST_README_WORDS: usize = 900;

/// A page's links, and the anchors of its headings as GitHub makes them.
#[derive(Default)]
struct Page {
    links: Vec<String>,
    anchors: HashSet<String>,
}

fn page(path: &Path) -> Page {
    let text = fs::read_to_string(path).unwrap();
    let (mut page, mut heading) = (Page::default(), None);
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => page.links.push(dest_url.into_string()),
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => page.anchors.extend(heading.take().map(|text| anchor(&text))),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    page
}

fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The pages by their canonical paths: those at the root, those in docs/, and those of other
/// folders whose headings they name.
fn pages() -> BTreeMap<PathBuf, Page> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().unwrap();
    let named = ["README.md", "CONTRIBUTING.md", "benches/README.md", "storage/FORMAT.md"];
    let mut paths: Vec<PathBuf> = named.map(|name| root.join(name)).into();
    paths.extend(fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    paths.into_iter().map(|path| (path.clone(), page(&path))).collect()
}

#[test]
fn the_readme_has_at_most_900_words_and_names_the_two_commands() {
    let words = README.split_whitespace().count();
    assert!(words <= MOST_README_WORDS, "{words} words");
    for command in ["cargo run --release -- demo", "./tests/all"] {
        assert!(README.lines().any(|line| line == format!("    {command}")), "{command}");
    }
}

#[test]
fn links_between_pages_lead_to_files_and_headings_that_are_there() {
    let pages = pages();
    for (path, page) in &pages {
        for link in page.links.iter().filter(|link| !link.starts_with("https://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.with_file_name(file) };
            let target = target.canonicalize().unwrap_or_else(|error| panic!("{path:?}: {link}: {error}"));
            assert!(
                anchor.is_empty() || pages[&target].anchors.contains(anchor),
                "{path:?}: {link}: no such heading"
            );
        }
    }
}

#[test]
fn the_example_of_the_readme_prints_what_it_shows() {
    if locate(DEFAULT_MODEL, &model_home().unwrap()).is_err() {
        println!("skipped: no {DEFAULT_MODEL}, set POSTIL_MODELS to the folder that holds it");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("handbook")).unwrap();
    let leave = include_str!("../src/bin/postil/demo/leave.md");
    fs::write(home.path().join("handbook/leave.md"), leave).unwrap();
    // The paths of the example are relative; the other tests here have whole ones.
    std::env::set_current_dir(&home).unwrap();

    let db = Database::open("handbook.postil").unwrap();
    db.ingest(Document::from_path("handbook/leave.md").unwrap()).unwrap();
    let answer = db.ask("How long is parental leave?").unwrap();
    let shown = README.split("```text\n").nth(1).unwrap().split("\n```").next().unwrap();
    assert_eq!(answer.to_string(), shown);
}
