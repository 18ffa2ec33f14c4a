//! Presentations: the text of each slide in the order of its shapes, with tables, notes and
//! comments.

use postil_contract::Spot;

use crate::builder::Builder;
use crate::docx::title;
use crate::error::ExtractError;
use crate::extracted::Extracted;
use crate::package::{Package, beside, has_file};
use crate::reader::{Budget, Input, Reader};
use crate::xml::{Step, relations, relations_path, walk};

/// The part with the order of the slides.
const MAIN: &str = "ppt/presentation.xml";

pub(crate) const READER: Reader =
    Reader { endings: &["pptx", "pptm", "ppsx", "potx"], is: |bytes| has_file(bytes, MAIN), read };

fn read(input: Input<'_>) -> Result<Extracted, ExtractError> {
    let mut package = Package::open(input)?;
    let main = package.needed(MAIN)?;
    let mut order = Vec::new();
    walk(MAIN, &main, &input.budget, |step| {
        if let Step::Open(tag) = step
            && tag.name == "sldId"
        {
            // Two attributes are called id: that of the relation comes last.
            order.extend(tag.last("id").map(str::to_owned));
        }
        Ok(())
    })?;
    let links = related(&mut package, MAIN, &input.budget)?;
    let mut builder = Builder::default();
    let slides = order.iter().filter_map(|id| links.iter().find(|(of, ..)| of == id));
    for (number, (_, _, slide)) in (1..).zip(slides) {
        builder.at(Spot::Slide(number));
        let Some(bytes) = package.bytes(slide)? else {
            builder.unread(format!("slide {number}: the archive does not have it"));
            continue;
        };
        shapes(slide, &bytes, &mut builder, &input.budget)?;
        for (_, kind, part) in related(&mut package, slide, &input.budget)? {
            if !matches!(kind.as_str(), "notesSlide" | "comments" | "diagramData") {
                continue;
            }
            if let Some(bytes) = package.bytes(&part)? {
                shapes(&part, &bytes, &mut builder, &input.budget)?;
            }
        }
        input.budget.text(builder.len())?;
    }
    let title = package.bytes("docProps/core.xml")?.map(|bytes| title(&bytes, &input.budget)).transpose()?;
    Ok(builder.finish(title.flatten()))
}

/// Id, kind and path of the parts that a part refers to.
fn related(
    package: &mut Package<'_>,
    part: &str,
    budget: &Budget,
) -> Result<Vec<(String, String, String)>, ExtractError> {
    let Some(bytes) = package.bytes(&relations_path(part))? else { return Ok(Vec::new()) };
    let found = relations(&bytes, budget)?.into_iter();
    Ok(found.map(|(id, kind, target)| (id, kind, beside(part, &target))).collect())
}

/// The text of the shapes of a slide or of its notes.
fn shapes(part: &str, bytes: &[u8], builder: &mut Builder, budget: &Budget) -> Result<(), ExtractError> {
    let (mut text, mut in_text, mut is_title, mut is_dropped) = (String::new(), false, false, false);
    let mut table: Option<Vec<Vec<String>>> = None;
    let mut fallback = 0_usize;
    walk(part, bytes, budget, |step| {
        match step {
            Step::Open(tag) => match tag.name.as_str() {
                "Fallback" => fallback += 1,
                "sp" => (is_title, is_dropped) = (false, false),
                "ph" => {
                    is_title = matches!(tag.get("type"), Some("title" | "ctrTitle"));
                    is_dropped = matches!(tag.get("type"), Some("sldNum" | "sldImg"));
                }
                "t" | "text" | "v" => in_text = true,
                "br" => text.push(' '),
                "tbl" => table = Some(Vec::new()),
                "tr" => table.iter_mut().for_each(|rows| rows.push(Vec::new())),
                "tc" => text.clear(),
                _ => {}
            },
            Step::Text(part) if in_text && !is_dropped && fallback == 0 => text.push_str(&part),
            Step::Text(_) => {}
            Step::Close(name) => match name.as_str() {
                "Fallback" => fallback = fallback.saturating_sub(1),
                "t" => in_text = false,
                "tc" => {
                    let cell = std::mem::take(&mut text);
                    table
                        .iter_mut()
                        .filter_map(|rows| rows.last_mut())
                        .for_each(|row| row.push(cell.clone()));
                }
                "p" | "text" | "v" | "pt" if table.is_some() => {
                    in_text = false;
                    text.push(' ');
                }
                "p" | "text" | "v" => {
                    in_text = false;
                    let paragraph = std::mem::take(&mut text);
                    if is_title { builder.heading(1, &paragraph) } else { builder.paragraph(&paragraph) }
                }
                "tbl" => {
                    text.clear();
                    builder.begin_table(None);
                    let rows = table.take().unwrap_or_default();
                    let several = rows.len() > 1;
                    rows.iter().enumerate().for_each(|(at, row)| builder.row(row, several && at == 0));
                    builder.end_table();
                }
                _ => {}
            },
        }
        Ok(())
    })
}
