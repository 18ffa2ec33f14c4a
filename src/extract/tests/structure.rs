use crate::chunk::{ChunkOptions, TokenRanges, chunk_extracted};
use crate::extract::{Kind, extract};

use super::Letters;

/// Heading path, lead and text of each chunk.
fn chunks(source: &str, max_tokens: usize) -> Vec<(String, String, String)> {
    let page = extract(source.as_bytes(), Kind::Html).unwrap();
    let options = ChunkOptions { max_tokens, overlap_sentences: 0 };
    let chunks = chunk_extracted(&page, &options, &Letters).unwrap();
    for chunk in &chunks {
        let tokens = |part: &str| Letters.tokens(part).unwrap().len();
        assert!(
            tokens(&page.text[chunk.lead.clone()]) + tokens(&page.text[chunk.range.clone()]) <= max_tokens
        );
    }
    let part = |range: std::ops::Range<usize>| page.text[range].to_owned();
    chunks.into_iter().map(|chunk| (chunk.title, part(chunk.lead), part(chunk.range))).collect()
}

fn headings(source: &str) -> Vec<String> {
    let mut found: Vec<String> = chunks(source, 200).into_iter().map(|(heading, ..)| heading).collect();
    found.dedup();
    found
}

#[test]
fn only_what_the_page_has_as_a_heading_is_one() {
    for body in [
        "<p># not one</p>",
        "<p>Title<br>=====</p>",
        "<p>Line<br>---</p>",
        "<table><tr><th>#</th><th>Name</th></tr><tr><td># of seats</td><td>7</td></tr></table>",
        "<pre>```\n# not one\n```</pre>",
        "<pre>~~~\n# nor this</pre>",
        "<ul><li># of items</li></ul>",
        "<p>+++</p><p># no front matter</p><p>+++</p>",
        "<p>1986. A great year</p><p>&gt; quoted</p><p>[x]: http://a # b</p>",
    ] {
        let page = format!("<h1>One</h1>{body}<h1>Two</h1><p>after</p>");
        assert_eq!(headings(&page), ["One", "Two"], "{body}");
    }
    let nested =
        "<main><section><h1>A</h1>x<article><h2>B</h2>y</article></section><ul><li><h3>C</h3>z</ul></main>";
    assert_eq!(headings(nested), ["A", "A > B", "A > B > C"]);
    assert_eq!(headings("<h2>a<br>b &amp; <em>c</em></h2>x<h2></h2>y"), ["a b & c"]);
    assert_eq!(headings("---\n<h1>T</h1>x"), ["", "T"]);
}

fn table(head: &str, rows: usize) -> String {
    let row = |at: usize| format!("<tr><td>X-{at:03}</td><td>{}</td></tr>\n", 11 + at);
    format!(
        "<h1>Bolts</h1><table>{head}{}</table><p>After the table.</p>",
        (1..=rows).map(row).collect::<String>()
    )
}

#[test]
fn rows_take_caption_and_header_with_them() {
    let columns = "<th>Part</th><th>Torque</th>";
    for (head, lead) in [
        (format!("<tr>{columns}</tr>"), "Part | Torque"),
        (format!("<thead><tr>{columns}</tr></thead><tbody>"), "Part | Torque"),
        ("<thead><tr><td>Part</td><td>Torque</td></tr></thead>".to_owned(), "Part | Torque"),
        (format!("<caption>Data</caption><tr>{columns}</tr>"), "Data\n\nPart | Torque"),
        (format!("<tr><th colspan=2>Bolts</th></tr><tr>{columns}</tr>"), "Bolts\nPart | Torque"),
        ("<tr><th><p>Part</p></th><th><p>Torque</p></th></tr>".to_owned(), "Part | Torque"),
        ("<caption>Data</caption>".to_owned(), "Data"),
        (String::new(), ""),
    ] {
        let found = chunks(&table(&head, 30), 80);
        let rows: Vec<_> = found.iter().filter(|(_, _, text)| text.contains("X-")).collect();
        assert!(rows.len() > 3, "{found:?}");
        assert!(rows[0].2.contains(lead.lines().last().unwrap_or_default()), "{:?}", rows[0]);
        for (heading, found, text) in &rows[1..] {
            assert_eq!((heading.as_str(), found.as_str()), ("Bolts", lead), "{text:?}");
            assert!(
                text.lines().filter(|line| line.contains("X-")).all(|line| line.contains(" | ")),
                "{text:?}"
            );
        }
        let (_, lead, text) = found.last().unwrap();
        assert!(text.ends_with("After the table.") && (text.contains("X-") || lead.is_empty()));
    }
}

#[test]
fn a_lead_that_is_too_long_loses_its_caption_first_and_then_its_end() {
    let head = |caption: usize, column: usize| {
        let (caption, column) = ("c".repeat(caption), "h".repeat(column));
        format!("<caption>{caption}</caption><tr><th>Part</th><th>{column}</th></tr>")
    };
    let lead = |caption, column| chunks(&table(&head(caption, column), 30), 80).swap_remove(4).1;
    assert_eq!(lead(10, 10), format!("{}\n\nPart | {}", "c".repeat(10), "h".repeat(10)));
    assert_eq!(lead(30, 10), format!("Part | {}", "h".repeat(10)));
    assert_eq!(lead(5, 100), format!("Part | {}", "h".repeat(33)));
}

#[test]
fn tables_that_lay_out_a_page_are_no_data() {
    let page = "<table><tr><td><h1>Menu</h1><ul><li>one</li><li>two</li></ul></td></tr><tr><td>\
        <table><tr><th>k</th><th>v</th></tr><tr><td>a</td><td>1</td></tr></table><p>Text.</p></td></tr></table>End";
    let found = chunks(page, 200);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "Menu");
    assert!(found[0].2.contains("k | v\na | 1") && found[0].2.ends_with("End"), "{found:?}");
}

#[test]
fn values_stay_under_their_columns() {
    for (rows, text) in [
        ("<tr><td>a<td><td>c", "a | | c"),
        ("<tr><td></td> <td>b</td> <td>c</td></tr>", "| b | c"),
        ("<tr><td colspan=2>a</td><td>c</td></tr>", "a | | c"),
        ("<tr><td rowspan=2>a<td>b<td>c<tr><td>d<td>e<tr><td>f<td>g<td>h", "a | b | c\n| d | e\nf | g | h"),
        ("<tr><td>a<td rowspan=2>b<td>c<tr><td>d<td>e", "a | b | c\nd | | e"),
        ("<tr><td><p>a</p><p>b</p></td><td><p>c</p></td></tr>", "a\nb | c"),
        ("<tr><td>a</td><td></td></tr><tr><td>b</td><td>c</td></tr>", "a\nb | c"),
    ] {
        let page = extract(format!("<table>{rows}</table>").as_bytes(), Kind::Html).unwrap();
        assert_eq!(page.text, text, "{rows}");
    }
}

#[test]
fn a_row_that_names_itself_is_no_header() {
    let rows: String = (0..20).map(|at| format!("<tr><th>key {at}</th><td>value {at}</td></tr>")).collect();
    assert!(chunks(&format!("<table>{rows}</table>"), 80).iter().all(|(_, lead, _)| lead.is_empty()));
}
