//! PDF to text.
//!
//! hayro interprets fonts and content streams and hands on glyphs; everything after that is here.
//! The interpreter has no limits of its own, so a page runs inside `catch_unwind`: a panic of the
//! interpreter, or the clock of the glyph collector, ends that page and no other. What it unwinds
//! from is dropped with the page, so no broken state is seen afterwards.
//!
//! file | responsibility
//! ---|---
//! `glyphs.rs` | the glyphs of a page, with characters and places
//! `strings.rs` | text strings of dictionaries
//! `script.rs` | directions of scripts
//! `lines.rs` | glyphs to lines
//! `order.rs` | lines in reading order
//! `furniture.rs` | running heads and page numbers
//! `table.rs` | rows of cells
//! `flow.rs` | lines to paragraphs, headings and tables
//! `catalog.rs` | page labels and the document's outline

mod catalog;
mod flow;
mod furniture;
mod glyphs;
mod lines;
mod order;
mod script;
mod strings;
mod table;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use hayro_interpret::hayro_syntax::page::Page as Sheet;
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::kurbo::{Affine, Rect};
use hayro_interpret::{Context, InterpreterCache, InterpreterSettings, interpret_page};

use crate::builder::Builder;
use crate::error::ExtractError;
use crate::extracted::Extracted;
use crate::reader::{Input, Reader};
use flow::{Flow, Style};
use furniture::Page;
use glyphs::{Collector, Stop};

/// Bytes in which the header of a file begins; some have junk before it.
const HEADER_WITHIN: usize = 1024;
/// Most pages of a document.
const MAX_PAGES: usize = 100_000;
/// Share of a page that a picture covers, at least, for it to be a scan.
const SCAN: f32 = 0.3;

pub(crate) const READER: Reader = Reader {
    endings: &["pdf"],
    is: |bytes| bytes[..bytes.len().min(HEADER_WITHIN)].windows(5).any(|part| part == b"%PDF-"),
    read,
};

fn read(input: Input<'_>) -> Result<Extracted, ExtractError> {
    let pdf =
        guarded(|| load(&input)).map_err(|_| ExtractError::damaged("PDF", &"it cannot be parsed"))??;
    let cache = InterpreterCache::new();
    let settings = InterpreterSettings { warning_sink: Arc::new(|_| {}), ..InterpreterSettings::default() };
    let mut builder = Builder::default();
    let mut pages = Vec::new();
    let mut pictures = 0;
    for (index, sheet) in pdf.pages().iter().take(MAX_PAGES).enumerate() {
        input.budget.time()?;
        let number = index + 1;
        match guarded(|| glyphs_of(&pdf, sheet, &cache, &settings, &input)) {
            Ok(collected) => {
                if collected.glyphs.iter().all(|glyph| glyph.text.is_blank()) {
                    if collected.picture > SCAN {
                        pictures += 1;
                        builder.unread(format!("page {number}: a picture without text"));
                    } else if collected.unknown > 0 {
                        builder.unread(format!("page {number}: fonts without characters"));
                    }
                }
                let blocks = order::ordered(lines::lines(collected.glyphs));
                pages.push(Page { size: sheet.render_dimensions(), blocks });
            }
            Err(stopped) => {
                input.budget.time()?;
                let why = if stopped { "too many glyphs" } else { "damaged" };
                builder.unread(format!("page {number}: {why}"));
                pages.push(Page::default());
            }
        }
    }
    if pages.is_empty() {
        return Err(ExtractError::damaged("PDF", &"it has no pages"));
    }
    if pictures == pages.len() {
        return Err(ExtractError::OnlyPictures { pages: pictures });
    }
    furniture::take_out(&mut pages);
    let catalog = guarded(|| catalog::read(&pdf)).unwrap_or_default();
    let style = Style::of(&pages, catalog.titles);
    let mut flow = Flow::new(&style, &mut builder);
    for (index, page) in pages.iter().enumerate() {
        let label = catalog.labels.get(index).map(String::as_str);
        let number = index as u32 + 1;
        flow.page(number, label.filter(|label| **label != number.to_string()), page);
    }
    input.budget.text(builder.len())?;
    let title = pdf.metadata().title.as_ref().map(|title| strings::pdf_string(title));
    Ok(builder.finish(title))
}

/// Runs code of the interpreter; an error when it panics, `true` when it was stopped on purpose.
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, bool> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| payload.is::<Stop>())
}

fn load(input: &Input<'_>) -> Result<Pdf, ExtractError> {
    let given = input.options.password.as_deref();
    Pdf::new_with_password(input.bytes.to_vec(), given.unwrap_or("")).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => {
            ExtractError::Encrypted { given: given.is_some() }
        }
        LoadPdfError::Decryption(DecryptionError::UnsupportedAlgorithm) => {
            ExtractError::Encryption { method: "an algorithm that PDF readers rarely have" }
        }
        LoadPdfError::Decryption(_) => ExtractError::damaged("PDF", &"its encryption is damaged"),
        LoadPdfError::Invalid => ExtractError::damaged("PDF", &"it cannot be parsed"),
    })
}

fn glyphs_of<'a>(
    pdf: &'a Pdf,
    sheet: &Sheet<'a>,
    cache: &InterpreterCache<'a>,
    settings: &InterpreterSettings,
    input: &Input<'_>,
) -> Collector {
    let (width, height) = sheet.render_dimensions();
    let shown = Rect::new(0.0, 0.0, width.into(), height.into());
    let transform = Affine::new(sheet.initial_transform(true).as_coeffs());
    let mut context = Context::new(transform, shown, cache, pdf.xref(), settings.clone());
    let mut collector = Collector::new((width, height), input.budget);
    interpret_page(sheet, &mut context, &mut collector);
    collector
}
