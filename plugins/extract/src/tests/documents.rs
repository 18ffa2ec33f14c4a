//! Documents made here, and damaged here.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::{ExtractError, ExtractOptions, Kind, extract, extract_with};

/// An archive of these files.
fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn docx(body: &str) -> Vec<u8> {
    archive(&[("word/document.xml", &format!("<w:document><w:body>{body}</w:body></w:document>"))])
}

/// A PDF whose pages have these content streams, in Helvetica of 10 points.
fn pdf(pages: &[&str]) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len()).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
    let mut file = format!(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
         2 0 obj<</Type/Pages/Kids[{}]/Count {}>>endobj\n\
         3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n",
        kids.join(" "),
        pages.len()
    );
    for (page, content) in pages.iter().enumerate() {
        let (number, stream) = (4 + 2 * page, format!("BT /F 10 Tf {content} ET"));
        file += &format!(
            "{number} 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents {} 0 R\
             /Resources<</Font<</F 3 0 R>>>>>>endobj\n\
             {} 0 obj<</Length {}>>stream\n{stream}\nendstream endobj\n",
            number + 1,
            number + 1,
            stream.len()
        );
    }
    (file + "trailer<</Root 1 0 R>>\n").into_bytes()
}

fn at(x: u32, y: u32, text: &str) -> String {
    format!("1 0 0 1 {x} {y} Tm ({text}) Tj ")
}

#[test]
fn a_word_broken_at_a_line_end_is_whole_and_has_both_lines_as_its_place() {
    let page =
        [at(50, 700, "The days of parental leave are remun-"), at(50, 688, "erated in full by the office.")];
    let read = extract(&pdf(&[&page.concat()]), Kind::Pdf).unwrap();
    assert_eq!(read.text, "The days of parental leave are remunerated in full by the office.");
    let start = read.text.find("remunerated").unwrap();
    let place = read.places.locate(start..start + 11).unwrap();
    let postil_contract::Locator::Page { page, boxes, .. } = place else { panic!("{place:?}") };
    assert_eq!((page, boxes.len()), (1, 2));
    assert!(boxes[0].bottom < boxes[1].bottom && boxes[0].left > 49.0, "{boxes:?}");
}

#[test]
fn running_heads_and_page_numbers_do_not_part_a_sentence() {
    let page = |number: usize, text: &str| {
        [at(50, 780, "The handbook of the office"), at(50, 600, text), at(290, 20, &number.to_string())]
            .concat()
    };
    let pages = [
        page(1, "On the first page there is a long sentence which goes on and"),
        page(2, "on the second page it goes on once more until it finds at last"),
        page(3, "an end on the third."),
        page(4, "Another begins here."),
    ];
    let read = extract(&pdf(&pages.each_ref().map(String::as_str)), Kind::Pdf).unwrap();
    let sentence =
        "goes on and on the second page it goes on once more until it finds at last an end on the third.";
    assert!(read.text.contains(sentence), "{}", read.text);
    assert_eq!(read.text.matches("handbook").count(), 1);
    let start = read.text.find("Another").unwrap();
    assert_eq!(read.places.locate(start..start + 7).unwrap().to_string(), "p. 4");
}

#[test]
fn pages_of_a_single_line_keep_it_though_the_lines_differ_only_by_a_number() {
    let pages: Vec<String> =
        (1..9).map(|page| at(50, 750, &format!("Sheet {page} of the register"))).collect();
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    let read = extract(&pdf(&pages), Kind::Pdf).unwrap();
    assert_eq!(read.text.matches("of the register").count(), 8);
}

#[test]
fn columns_are_read_one_after_the_other_and_rows_of_a_table_stay_rows() {
    let column =
        |x: u32| (0..6).map(move |line| at(x, 700 - 12 * line, &format!("line {line} of the column at {x}")));
    let columns: String = column(50).chain(column(330)).collect();
    let read = extract(&pdf(&[&columns]), Kind::Pdf).unwrap();
    assert!(read.text.find("line 5 of the column at 50") < read.text.find("line 0 of the column at 330"));
    let row =
        |y: u32, cells: [&str; 3]| [at(50, y, cells[0]), at(200, y, cells[1]), at(350, y, cells[2])].concat();
    let rows =
        [row(700, ["Name", "Days", "Paid"]), row(686, ["Kim", "30", "yes"]), row(672, ["Lee", "28", "no"])];
    let read = extract(&pdf(&[&rows.concat()]), Kind::Pdf).unwrap();
    assert_eq!(read.text, "Name | Days | Paid\nKim | 30 | yes\nLee | 28 | no");
}

#[test]
fn tracked_changes_are_accepted_and_headings_and_tables_kept() {
    let body = r#"<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/></w:numPr></w:pPr><w:r><w:t>An item</w:t></w:r></w:p>
        <w:p><w:r><w:t>Leave is </w:t></w:r><w:del><w:r><w:delText>20</w:delText></w:r></w:del>
        <w:ins><w:r><w:t>30 days &amp; paid.</w:t></w:r></w:ins></w:p>
        <w:tbl><w:tr><w:tc><w:p><w:r><w:t>Name</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Days</w:t></w:r></w:p></w:tc></w:tr>
        <w:tr><w:tc><w:p><w:r><w:t>Kim</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>30</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"#;
    let read = extract(&docx(body), Kind::Plain).unwrap();
    assert_eq!(read.text, "- An item\n\nLeave is 30 days & paid.\n\nName | Days\nKim | 30");
    assert_eq!(read.places.locate(12..20).unwrap().to_string(), "paragraph 2");
}

#[test]
fn entities_that_a_document_declares_are_not_looked_up() {
    let body = "<!DOCTYPE x [<!ENTITY file SYSTEM \"file:///etc/hostname\"><!ENTITY a \"bomb\">]>\
                <w:p><w:r><w:t>before &file; &a; after</w:t></w:r></w:p>";
    assert_eq!(extract(&docx(body), Kind::Docx).unwrap().text, "before   after");
}

#[test]
fn an_archive_that_unpacks_to_more_than_allowed_is_an_error() {
    let bomb = docx(&format!("<w:p><w:r><w:t>{}</w:t></w:r></w:p>", "a".repeat(1 << 20)));
    let small = ExtractOptions::default().max_text_bytes(1 << 16);
    let error = extract_with(&bomb, Kind::Docx, &small).unwrap_err();
    assert!(matches!(error, ExtractError::TooLarge { .. }), "{error}");
    let deep = docx(&"<w:p>".repeat(20_000));
    assert!(matches!(extract(&deep, Kind::Docx).unwrap_err(), ExtractError::Damaged { .. }));
}

#[test]
fn no_cut_of_a_document_makes_reading_panic() {
    let whole = pdf(&[&at(50, 700, "One."), &at(50, 700, "Two.")]);
    let office = docx("<w:p><w:r><w:t>One.</w:t></w:r></w:p>");
    for bytes in [&whole, &office] {
        for end in (0..bytes.len()).step_by(7) {
            for kind in [Kind::Pdf, Kind::Docx, Kind::Xlsx, Kind::Pptx, Kind::OpenDocument, Kind::Epub] {
                let _ = extract(&bytes[..end], kind);
            }
        }
    }
}
