//! The glyphs of a page with their characters and places, as the content streams draw them.

use std::collections::HashSet;

use hayro_interpret::font::{Glyph as Drawn, GlyphRun};
use hayro_interpret::hayro_cmap::{BfString, WritingMode};
use hayro_interpret::hayro_syntax::object::{Dict, String as PdfString};
use hayro_interpret::kurbo::{Affine, BezPath, Point};
use hayro_interpret::{BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask};
use unicode_normalization::UnicodeNormalization;

use super::strings::pdf_string;
use crate::reader::Budget;

/// Most glyphs of a page; a page of a book has about 3,000.
const MAX_GLYPHS: usize = 2_000_000;
/// Draw calls between two looks at the clock.
const CALLS: u32 = 256;

/// One glyph, in the frame that its text is upright in: see [`Glyph::frame`].
#[derive(Clone, Debug)]
pub(super) struct Glyph {
    pub(super) text: Text,
    /// Left and right edge.
    pub(super) x0: f32,
    pub(super) x1: f32,
    /// Baseline, downwards.
    pub(super) y: f32,
    /// Height of the font, in points.
    pub(super) size: f32,
    /// Quarter turns clockwise from the page to the text.
    pub(super) frame: u8,
    pub(super) is_bold: bool,
}

/// The characters of a glyph.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Char(char),
    Several(Box<str>),
}

impl Text {
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Char(c) => c.is_whitespace(),
            Self::Several(text) => text.trim().is_empty(),
        }
    }

    pub(super) fn first(&self) -> char {
        match self {
            Self::Char(c) => *c,
            Self::Several(text) => text.chars().next().unwrap_or(' '),
        }
    }

    pub(super) fn push_to(&self, line: &mut String) {
        match self {
            Self::Char(c) => line.push(*c),
            Self::Several(text) => line.push_str(text),
        }
    }
}

/// Raised when a page takes too long: the interpreter has no other way to be stopped.
pub(super) struct Stop;

/// The device that collects glyphs.
pub(super) struct Collector {
    pub(super) glyphs: Vec<Glyph>,
    /// Share of the page that pictures cover, each for itself, at most 1.
    pub(super) picture: f32,
    /// Glyphs whose characters are not known.
    pub(super) unknown: usize,
    size: (f32, f32),
    budget: Budget,
    calls: u32,
    /// Places of glyphs, to drop those painted twice to look bold.
    drawn: HashSet<(char, i32, i32)>,
    /// For each open marked content: its replacement text, if it has one that is not written yet.
    marked: Vec<Option<Option<String>>>,
}

impl Collector {
    pub(super) fn new(size: (f32, f32), budget: Budget) -> Self {
        Self {
            glyphs: Vec::new(),
            picture: 0.0,
            unknown: 0,
            size,
            budget,
            calls: 0,
            drawn: HashSet::new(),
            marked: Vec::new(),
        }
    }

    /// Unwinds when the time is spent; nothing of the interpreter is used afterwards.
    fn tick(&mut self) {
        self.calls += 1;
        if self.calls.is_multiple_of(CALLS) && self.budget.is_spent() || self.glyphs.len() > MAX_GLYPHS {
            std::panic::resume_unwind(Box::new(Stop));
        }
    }

    fn push(&mut self, drawn: &Drawn<'_>, at: Affine, is_vertical: bool, is_bold: bool) {
        let replaced = self.marked.iter_mut().rev().find_map(Option::as_mut);
        let text = match replaced {
            Some(text) => match text.take() {
                Some(text) => Some(Text::Several(text.into())),
                None => return,
            },
            None => characters(drawn),
        };
        let advance = match drawn {
            Drawn::Outline(glyph) => glyph.advance_width(),
            Drawn::Type3(glyph) => glyph.advance_width(),
        };
        let Some(text) = text else {
            self.unknown += 1;
            return;
        };
        let origin = at * Point::ZERO;
        let up = at * Point::new(0.0, 1000.0) - origin;
        let right = at * Point::new(1000.0, 0.0) - origin;
        let size = up.hypot() as f32;
        let wide = right.hypot() as f32;
        let (x, y) = (origin.x as f32, origin.y as f32);
        let outside = x < -size || y < -size || x > self.size.0 + size || y > self.size.1 + size;
        if !(size > 0.05 && size < 5000.0 && x.is_finite() && y.is_finite()) || outside {
            return;
        }
        // The direction that text runs in, in quarter turns.
        let (dx, dy) = if is_vertical { (-up.x, -up.y) } else { (right.x, right.y) };
        let frame = if dx.abs() >= dy.abs() {
            if dx >= 0.0 { 0 } else { 2 }
        } else if dy > 0.0 {
            1
        } else {
            3
        };
        let advance = match advance {
            _ if is_vertical => size,
            Some(advance) => advance / 1000.0 * wide,
            None => wide / 2.0,
        };
        let (x, y) = turn((x, y), frame, self.size);
        // The origin of a vertical glyph is its lower left corner, and its box begins above it.
        let (x0, y) = if is_vertical { (x - size * 0.88, y) } else { (x, y) };
        let first = text.first();
        if !text.is_blank() && !self.is_new(first, x0, y, size) {
            return;
        }
        self.glyphs.push(Glyph { text, x0, x1: x0 + advance, y, size, frame, is_bold });
    }

    /// False for a glyph that was painted before at nearly the same place.
    fn is_new(&mut self, first: char, x: f32, y: f32, size: f32) -> bool {
        let step = (size * 0.1).max(0.05);
        let (x, y) = ((x / step).round() as i32, (y / step).round() as i32);
        for dx in -1..=1 {
            for dy in -1..=1 {
                if self.drawn.contains(&(first, x + dx, y + dy)) {
                    return false;
                }
            }
        }
        self.drawn.insert((first, x, y))
    }
}

/// A point of the page in the frame where text that was turned is upright.
pub(super) fn turn((x, y): (f32, f32), frame: u8, (width, height): (f32, f32)) -> (f32, f32) {
    match frame {
        1 => (y, width - x),
        2 => (width - x, height - y),
        3 => (height - y, x),
        _ => (x, y),
    }
}

/// The reverse of [`turn`].
pub(super) fn turn_back((x, y): (f32, f32), frame: u8, (width, height): (f32, f32)) -> (f32, f32) {
    match frame {
        1 => (width - y, x),
        2 => (width - x, height - y),
        3 => (y, height - x),
        _ => (x, y),
    }
}

/// The characters of a glyph; ligatures and presentation forms as the letters they stand for.
fn characters(glyph: &Drawn<'_>) -> Option<Text> {
    match glyph.as_unicode()? {
        BfString::Char(c) => character(c),
        BfString::String(text) => {
            let text: String = text.chars().filter(|c| !is_dropped(*c)).flat_map(letters).collect();
            match (text.chars().next(), text.chars().nth(1)) {
                (None, _) => None,
                (Some(only), None) => Some(Text::Char(only)),
                _ => Some(Text::Several(text.into())),
            }
        }
    }
}

fn character(c: char) -> Option<Text> {
    match c {
        _ if is_dropped(c) => None,
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => Some(Text::Char(' ')),
        _ if is_form(c) => Some(Text::Several(letters(c).collect::<String>().into())),
        _ => Some(Text::Char(c)),
    }
}

fn letters(c: char) -> impl Iterator<Item = char> {
    let (form, other) = if is_form(c) { (Some(c), None) } else { (None, Some(c)) };
    form.into_iter().nfkc().chain(other)
}

/// Ligatures of Latin and forms of Arabic and Hebrew letters.
fn is_form(c: char) -> bool {
    matches!(c, '\u{fb00}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

fn is_dropped(c: char) -> bool {
    matches!(c, '\u{fffd}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || c.is_control() && !c.is_whitespace()
}

impl<'a> Device<'a> for Collector {
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {
        self.tick();
    }

    fn push_clip_path(&mut self, _: &ClipPath) {
        self.tick();
    }

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        self.tick();
        let is_vertical = run.writing_mode() == WritingMode::Vertical;
        let is_bold = run.glyphs().first().is_some_and(|glyph| match &**glyph {
            Drawn::Outline(glyph) => glyph.font_data().is_some_and(|font| {
                font.weight.is_some_and(|weight| weight >= 600)
                    || font.postscript_name.is_some_and(|name| name.contains("Bold"))
            }),
            Drawn::Type3(_) => false,
        });
        for glyph in run.glyphs() {
            self.push(glyph, props.transform * glyph.transform(), is_vertical, is_bold);
        }
    }

    fn draw_image(&mut self, _: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.tick();
        let [a, b, c, d, _, _] = props.transform.as_coeffs();
        let page = f64::from(self.size.0) * f64::from(self.size.1);
        let share = (a * d - b * c).abs() / page.max(1.0);
        self.picture = (self.picture + share as f32).min(1.0);
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}

    fn begin_marked_content(&mut self, _: &[u8], properties: Option<&Dict<'_>>) {
        let text = properties.and_then(|dict| dict.get::<PdfString<'_>>(b"ActualText"));
        self.marked.push(text.map(|text| {
            let text: String = pdf_string(text.as_bytes()).chars().filter(|c| !is_dropped(*c)).collect();
            Some(text.nfkc().collect::<String>()).filter(|text| !text.is_empty())
        }));
    }

    fn end_marked_content(&mut self) {
        self.marked.pop();
    }
}
