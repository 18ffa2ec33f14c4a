use proptest::prelude::*;

use crate::{Extracted, Kind, OffsetMap, extract};

fn html(source: &str) -> Extracted {
    extract(source.as_bytes(), Kind::Html).unwrap()
}

/// Checks the invariants of any page.
fn check(source: &str, page: &Extracted) {
    let map = &page.map;
    assert_eq!(map.text_len(), page.text.len());
    for (text, start) in map.verbatim_runs() {
        assert_eq!(&page.text[text.clone()], &source[start..start + text.len()]);
    }
    let places: Vec<usize> = page.text.char_indices().map(|(at, _)| at).chain([page.text.len()]).collect();
    let mut last = 0..0;
    for pair in places.windows(2) {
        let range = map.source_range(pair[0]..pair[1]);
        assert!(source.get(range.clone()).is_some(), "{range:?} of {} bytes", source.len());
        assert!(last.start <= range.start && last.end <= range.end, "{last:?} then {range:?}");
        let from_start = map.source_range(0..pair[1]);
        assert_eq!(from_start.end, range.end);
        last = range;
    }
    assert_eq!(&OffsetMap::from_bytes(&map.to_bytes()).unwrap(), map);
}

#[test]
fn a_page_becomes_markdown_with_a_title() {
    let source = "<!DOCTYPE html><html><head><title>The &amp; title</title><style>p{}</style>\
        <script>if (a < b) { '<p>' }</script></head><body><!-- no --><h1>Big <em>one</em></h1>\n\
        <p>First\n   line<br>second.</p><div>Third &mdash; &#169;&nbsp;x.</div>\
        <ul><li>one</li><li><p>two</p><ul><li>deep</ul></ul>\
        <pre><code>\n  let a;\n\n  let b;</code></pre>\
        <table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr></table><noscript>no</noscript></body></html>";
    let page = html(source);
    check(source, &page);
    assert_eq!(page.title.as_deref(), Some("The & title"));
    assert_eq!(
        page.text,
        "# Big one\n\nFirst line\nsecond.\n\nThird — ©\u{a0}x.\n\n- one\n- two\n\n  - deep\n\n\
         ```\n  let a;\n\n  let b;\n```\n\nk | v\n1 | 2"
    );
}

#[test]
fn a_text_range_leads_back_to_the_source() {
    let source = "<p>Fish &amp; <b>chips</b>\r\n are good.";
    let page = html(source);
    check(source, &page);
    assert_eq!(page.text, "Fish & chips are good.");
    let back = |part: &str| {
        let at = page.text.find(part).unwrap();
        &source[page.map.source_range(at..at + part.len())]
    };
    assert_eq!(back("&"), "&amp;");
    assert_eq!(back("chips"), "chips");
    assert_eq!(back("Fish & chips"), "Fish &amp; <b>chips");
    assert_eq!(back("s are"), "s</b>\r\n are");
}

#[test]
fn references_mean_what_the_standard_says() {
    for (source, text) in [
        ("&notit; &notin;", "¬it; ∉"),
        ("&amp;amp; AT&T &foo; &", "&amp; AT&T &foo; &"),
        ("&#x80;&#128512;&#0;", "€😀\u{fffd}"),
        ("a&lt;b&gt", "a<b>"),
        ("x&#10;y&#;&#x;", "x y&#;&#x;"),
        ("&;&&&amp", "&;&&&"),
    ] {
        let page = html(source);
        check(source, &page);
        assert_eq!(page.text, text, "{source}");
    }
}

#[test]
fn broken_pages_still_have_text() {
    for (source, text) in [
        ("<p>a<p>b</div></p>", "a\n\nb"),
        ("<h2>Head<p>Body", "## Head\n\nBody"),
        ("<h1></h1>a<h2> </h2>b", "a\n\nb"),
        ("<pre>x", "```\nx\n```"),
        ("a<pre></pre>b", "a\n\nb"),
        ("a < b and <3", "a < b and <3"),
        ("x<template>a<template>b</template>c</template>y", "xy"),
        ("a &<! b", "a &"),
        ("<ul><li></li></ul>b", "b"),
        ("<ol><li>one<li>two<ul><li>deep</ul><li>three</ol>", "1. one\n2. two\n  - deep\n3. three"),
        ("<ol start=7><li>a<li value=20>b<li>c</ol><ol><li>d</ol>", "7. a\n20. b\n21. c\n\n1. d"),
        ("<ol reversed><li>a<li>b</ol><ol start=x><li value=y>c</ol>", "- a\n- b\n\n1. c"),
        ("<ol><li></li><li>b</ol><li>c", "2. b\n\n- c"),
        ("<pre></ul>x <b>y</b>\nz</pre>", "```\nx y\nz\n```"),
        ("a<svg/>b<svg><title>no</title><path/></svg>c<svg><g>no<p>d", "abc\n\nd"),
        ("<h2>a<br>b</h2>", "## a b"),
    ] {
        let page = html(source);
        check(source, &page);
        assert_eq!(page.text, text, "{source}");
    }
}

fn tags() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "</?(p|h1|h2|b|pre|ul|li|table|tr|td|br|title|script|style|template|textarea|div|svg|plaintext|xmp)( [a-z]=\"?[a-z&;]{0,4}\"?)?/?>?",
        "&#?x?[a-zA-Z0-9]{0,6};?",
        "[ \\r\\n\\ta-z.é漢]{0,12}",
        "<!-{0,3}[a-z>-]{0,6}-{0,2}>?",
        "(?s).{0,6}",
        Just("\0".to_owned()),
        Just("&<!".to_owned()),
        Just("<![CDATA[".to_owned()),
        Just("\r\n".to_owned()),
    ];
    prop::collection::vec(part, 0..25).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_page_leads_back_to_its_source(source in tags()) {
        check(&source, &html(&source));
    }

    #[test]
    fn any_string_leads_back_to_itself(source in "(?s).{0,200}") {
        check(&source, &html(&source));
    }
}

/// Each of these pages took quadratic time in some HTML reader. The map has a few runs for each
/// reference or tag, so its size measures the work.
#[test]
fn long_broken_pages_are_read_in_one_pass() {
    for part in
        ["&", "&amp", "<", "<a", "<ul><li>", "<pre>", "a</b>", "<!--", "\r\n", "&#1", "<svg>", "<h1>a", "]]>"]
    {
        let source = part.repeat(400_000 / part.len());
        let page = html(&source);
        assert_eq!(page.map.text_len(), page.text.len());
        assert!(page.text.len() <= 8 * source.len(), "{part}: {} bytes", page.text.len());
    }
}
