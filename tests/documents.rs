//! Documents with pages, from the file to the hit, through the command.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

mod command;

use command::{MODEL, fail, json, run, succeed};

/// A PDF with a line on each of its pages.
fn pdf(lines: &[&str]) -> Vec<u8> {
    let kids: Vec<String> = (0..lines.len()).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
    let mut file = format!(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[{}]/Count {}>>endobj\n\
         3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n",
        kids.join(" "),
        lines.len()
    );
    for (page, line) in lines.iter().enumerate() {
        let (number, stream) = (4 + 2 * page, format!("BT /F 10 Tf 1 0 0 1 50 600 Tm ({line}) Tj ET"));
        let content = number + 1;
        file += &format!(
            "{number} 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents {content} 0 R\
             /Resources<</Font<</F 3 0 R>>>>>>endobj\n\
             {content} 0 obj<</Length {}>>stream\n{stream}\nendstream endobj\n",
            stream.len()
        );
    }
    (file + "trailer<</Root 1 0 R>>\n").into_bytes()
}

#[test]
fn a_hit_and_a_citation_of_a_pdf_name_the_page() {
    let home = tempfile::tempdir().unwrap();
    let lines = ["Trains are booked by the front desk.", "Every parent gets forty days of parental leave."];
    // The name is wrong: the content counts.
    std::fs::write(home.path().join("handbook.txt"), pdf(&lines)).unwrap();
    succeed(home.path(), &["ingest", "d.postil", "handbook.txt", "--model", MODEL, "--chunk-tokens", "12"]);
    let hit = &json(home.path(), &["search", "d.postil", "parental leave days", "--json"])["hits"][0];
    assert_eq!((&hit["locator"]["page"], &hit["locator"]["last_page"]), (&2.into(), &2.into()), "{hit}");
    assert_eq!(hit["locator"]["boxes"][0]["left"], 50.0, "{hit}");
    let answer = json(
        home.path(),
        &["ask", "d.postil", "How many days of parental leave?", "--generator", "quote", "--json"],
    );
    assert_eq!(answer["citations"][0]["locator"]["page"], 2, "{answer}");
    let told = succeed(home.path(), &["search", "d.postil", "parental leave days"]);
    assert!(told.contains("p. 2"), "{told}");
    let page = succeed(home.path(), &["get", "d.postil", "handbook.txt", "--page", "1"]);
    assert_eq!(page.trim(), lines[0]);
    assert!(fail(home.path(), &["get", "d.postil", "handbook.txt", "--page", "3"]).contains("no page 3"));
    let again = succeed(home.path(), &["ingest", "d.postil", "handbook.txt"]);
    assert!(again.contains("1 unchanged"), "{again}");
    std::fs::write(home.path().join("damaged.pdf"), b"%PDF-1.4 and no more").unwrap();
    let output = run(home.path(), &["ingest", "d.postil", "damaged.pdf"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("damaged.pdf: PDF:"), "{told}");
}
