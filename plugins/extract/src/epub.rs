//! Books: the chapters in the order of the spine, each a web page.

use std::collections::HashMap;

use postil_contract::Spot;

use crate::builder::Builder;
use crate::error::ExtractError;
use crate::extracted::Extracted;
use crate::html;
use crate::package::{Package, beside, has_file, media_type};
use crate::reader::{Input, Reader};
use crate::xml::{Step, walk};

/// The part that names the book's own.
const CONTAINER: &str = "META-INF/container.xml";

pub(crate) const READER: Reader = Reader {
    endings: &["epub"],
    is: |bytes| {
        media_type(bytes).is_some_and(|media| media.starts_with("application/epub+zip"))
            || has_file(bytes, CONTAINER) && !has_file(bytes, "content.xml")
    },
    read,
};

fn read(input: Input<'_>) -> Result<Extracted, ExtractError> {
    let mut package = Package::open(input)?;
    let container = package.needed(CONTAINER)?;
    let mut book = None;
    walk(CONTAINER, &container, &input.budget, |step| {
        if let Step::Open(tag) = step
            && tag.name == "rootfile"
        {
            book = book.take().or_else(|| tag.get("full-path").map(str::to_owned));
        }
        Ok(())
    })?;
    let book = book.ok_or_else(|| ExtractError::damaged(CONTAINER, &"it names no book"))?;
    let (mut files, mut spine, mut title, mut in_title) = (HashMap::new(), Vec::new(), String::new(), false);
    let bytes = package.needed(&book)?;
    walk(&book, &bytes, &input.budget, |step| {
        match step {
            Step::Open(tag) => match tag.name.as_str() {
                "item" => {
                    if let (Some(id), Some(path)) = (tag.get("id"), tag.get("href")) {
                        files.insert(id.to_owned(), beside(&book, path));
                    }
                }
                "itemref" => spine.extend(tag.get("idref").map(str::to_owned)),
                "title" => in_title = title.is_empty(),
                _ => {}
            },
            Step::Close(_) => in_title = false,
            Step::Text(text) if in_title => title.push_str(&text),
            Step::Text(_) => {}
        }
        Ok(())
    })?;
    if spine.is_empty() {
        return Err(ExtractError::damaged(book, &"it has no spine"));
    }
    let mut builder = Builder::default();
    for (number, id) in (1..).zip(&spine) {
        let Some(file) = files.get(id) else { continue };
        let Some(bytes) = package.bytes(file)? else {
            builder.unread(format!("{file}: the archive does not have it"));
            continue;
        };
        let page = html::text(&String::from_utf8_lossy(&bytes));
        let part = builder.places().name(file);
        builder.at(Spot::Paragraph { part, paragraph: number });
        builder.append(page);
        input.budget.text(builder.len())?;
    }
    Ok(builder.finish(Some(title)))
}
