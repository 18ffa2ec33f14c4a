//! Glyphs to lines: stretches of text on one baseline without a wide gap.

use super::glyphs::{Glyph, Text, turn_back};
use super::script::{is_cjk, is_right_to_left, logical};

/// Gap that parts two words, in heights of the font.
const WORD_GAP: f32 = 0.12;
/// Gap that parts two cells or columns.
const WIDE_GAP: f32 = 1.2;
/// Distance of baselines that are one line, for a raised or lowered smaller letter.
const RAISED: f32 = 0.6;
/// Distance of baselines that are one line.
const SAME_BASELINE: f32 = 0.35;

/// A stretch of text on one baseline.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) x0: f32,
    pub(super) x1: f32,
    /// Baseline, downwards, in the frame.
    pub(super) y: f32,
    /// Height of the font that most of its characters have.
    pub(super) size: f32,
    pub(super) frame: u8,
    pub(super) is_bold: bool,
}

impl Line {
    pub(super) fn top(&self) -> f32 {
        self.y - self.size * 0.8
    }

    pub(super) fn bottom(&self) -> f32 {
        self.y + self.size * 0.2
    }

    pub(super) fn width(&self) -> f32 {
        self.x1 - self.x0
    }

    /// Width that two lines share.
    pub(super) fn overlap(&self, other: &Self) -> f32 {
        self.x1.min(other.x1) - self.x0.max(other.x0)
    }

    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.frame == other.frame && (self.y - other.y).abs() < 0.5 * self.size.min(other.size)
    }

    /// Its edges on the page, in tenths of a point: left, top, right, bottom.
    pub(super) fn edges(&self, size: (f32, f32)) -> [i32; 4] {
        let (ax, ay) = turn_back((self.x0, self.top()), self.frame, size);
        let (bx, by) = turn_back((self.x1, self.bottom()), self.frame, size);
        [ax.min(bx), ay.min(by), ax.max(bx), ay.max(by)].map(|edge| (edge * 10.0).round() as i32)
    }
}

/// Glyphs of one line, in the order they were painted in.
struct Open {
    glyphs: Vec<Glyph>,
    x0: f32,
    x1: f32,
    y: f32,
    size: f32,
}

impl Open {
    fn new(glyph: Glyph) -> Self {
        let (x0, x1, y, size) = (glyph.x0, glyph.x1, glyph.y, glyph.size);
        Self { glyphs: vec![glyph], x0, x1, y, size }
    }

    fn takes(&self, glyph: &Glyph) -> bool {
        let last = &self.glyphs[self.glyphs.len() - 1];
        let size = self.size.max(glyph.size);
        let apart = if self.size.min(glyph.size) < 0.8 * size { RAISED } else { SAME_BASELINE };
        if last.frame != glyph.frame || (self.y - glyph.y).abs() > apart * size {
            return false;
        }
        // A word of one size beside a far larger one is no part of its line.
        if self.size.min(glyph.size) < 0.4 * size {
            return false;
        }
        let gap = glyph.x0 - self.x1;
        if gap > -0.5 * size && gap < WIDE_GAP * size {
            return true;
        }
        let to_the_left = self.x0 - glyph.x1;
        is_right_to_left(glyph.text.first()) && to_the_left > -0.5 * size && to_the_left < WIDE_GAP * size
            // Over the last one: a letter that an accent was painted for.
            || glyph.x0 >= last.x0 - 0.1 * size && glyph.x0 < self.x1
    }

    fn push(&mut self, glyph: Glyph) {
        self.x0 = self.x0.min(glyph.x0);
        self.x1 = self.x1.max(glyph.x1);
        if glyph.size > self.size {
            (self.size, self.y) = (glyph.size, glyph.y);
        }
        self.glyphs.push(glyph);
    }

    fn is_blank(&self) -> bool {
        self.glyphs.iter().all(|glyph| glyph.text.is_blank())
    }
}

/// The lines of a page, in the order they were painted in.
pub(super) fn lines(glyphs: Vec<Glyph>) -> Vec<Line> {
    let mut open: Vec<Open> = Vec::new();
    for glyph in glyphs {
        // Blanks at the begin of a line have no place of their own.
        match open.last_mut() {
            Some(last) if last.takes(&glyph) => last.push(glyph),
            _ => {
                if open.last().is_some_and(Open::is_blank) {
                    open.pop();
                }
                open.push(Open::new(glyph));
            }
        }
    }
    open.retain(|line| !line.is_blank());
    join(open).into_iter().filter_map(close).collect()
}

/// Joins parts of a line that were painted at different times, such as words in another font.
fn join(open: Vec<Open>) -> Vec<Open> {
    let mut order: Vec<usize> = (0..open.len()).collect();
    let key = |at: usize| (open[at].glyphs[0].frame, open[at].y);
    order.sort_by(|&a, &b| {
        let ((frame, y), (other_frame, other_y)) = (key(a), key(b));
        frame.cmp(&other_frame).then(y.total_cmp(&other_y)).then(open[a].x0.total_cmp(&open[b].x0))
    });
    let mut open: Vec<Option<Open>> = open.into_iter().map(Some).collect();
    for (index, &right) in order.iter().enumerate() {
        // Neighbors in height, on either side.
        let near = order[index.saturating_sub(8)..(index + 9).min(order.len())].iter().copied();
        for left in near {
            let (Some(a), Some(b)) = (&open[left], &open[right]) else { continue };
            if left == right {
                continue;
            }
            let size = a.size.max(b.size);
            let gap = b.x0 - a.x1;
            let is_same = a.glyphs[0].frame == b.glyphs[0].frame
                && (a.y - b.y).abs() < 0.2 * size
                && a.size.min(b.size) > 0.6 * size
                && gap > -0.2 * size
                && gap < 0.5 * size;
            if is_same {
                let (first, second) = (left.min(right), left.max(right));
                let (Some(mut kept), Some(joined)) = (open[first].take(), open[second].take()) else {
                    continue;
                };
                joined.glyphs.into_iter().for_each(|glyph| kept.push(glyph));
                kept.glyphs.sort_by(|a, b| a.x0.total_cmp(&b.x0));
                open[right] = Some(kept);
                if first != right {
                    open.swap(first, right);
                    // Its place in `order` is that of `right`, which is empty now.
                    break;
                }
            }
        }
    }
    open.into_iter().flatten().collect()
}

/// The text of a line.
fn close(mut open: Open) -> Option<Line> {
    let is_right = open.glyphs.iter().any(|glyph| is_right_to_left(glyph.text.first()));
    let is_sorted = open.glyphs.is_sorted_by(|a, b| a.x0 <= b.x0);
    if is_right || !is_sorted {
        open.glyphs.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    }
    accents(&mut open.glyphs);
    let mut parts: Vec<Text> = Vec::with_capacity(open.glyphs.len() + 8);
    let mut last: Option<&Glyph> = None;
    for glyph in &open.glyphs {
        if glyph.text.is_blank() {
            if !parts.last().is_none_or(Text::is_blank) {
                parts.push(Text::Char(' '));
            }
            continue;
        }
        if let Some(before) = last {
            let size = before.size.max(glyph.size);
            let gap = glyph.x0 - before.x1;
            let both_cjk = is_cjk(before.text.first()) && is_cjk(glyph.text.first());
            let least = if both_cjk { 0.6 } else { WORD_GAP };
            if gap > least * size && !parts.last().is_none_or(Text::is_blank) {
                parts.push(Text::Char(' '));
            }
        }
        parts.push(glyph.text.clone());
        last = Some(glyph);
    }
    if is_right {
        parts = logical(parts);
    }
    let mut text = String::new();
    parts.iter().for_each(|part| part.push_to(&mut text));
    let text = text.trim().to_owned();
    if text.is_empty() {
        return None;
    }
    let shown: Vec<&Glyph> = open.glyphs.iter().filter(|glyph| !glyph.text.is_blank()).collect();
    let mut sizes: Vec<f32> = shown.iter().map(|glyph| glyph.size).collect();
    sizes.sort_by(f32::total_cmp);
    let bold = shown.iter().filter(|glyph| glyph.is_bold).count();
    let edge = |start: f32, of: fn(f32, f32) -> f32, edge: fn(&Glyph) -> f32| {
        shown.iter().fold(start, |so_far, glyph| of(so_far, edge(glyph)))
    };
    Some(Line {
        text,
        x0: edge(f32::MAX, f32::min, |glyph| glyph.x0),
        x1: edge(f32::MIN, f32::max, |glyph| glyph.x1),
        y: open.y,
        size: sizes[sizes.len() / 2],
        frame: open.glyphs[0].frame,
        is_bold: bold * 2 > shown.len(),
    })
}

/// Puts accents that were painted over a letter into that letter.
fn accents(glyphs: &mut Vec<Glyph>) {
    let mut at = 0;
    while at + 1 < glyphs.len() {
        let combining = |glyph: &Glyph| match glyph.text {
            Text::Char(c) => accent(c),
            Text::Several(_) => None,
        };
        let (a, b) = (&glyphs[at], &glyphs[at + 1]);
        let shared = a.x1.min(b.x1) - a.x0.max(b.x0);
        let narrow = (a.x1 - a.x0).min(b.x1 - b.x0);
        if shared > 0.6 * narrow {
            let (letter, mark) = match (combining(a), combining(b)) {
                (Some(mark), None) => (at + 1, mark),
                (None, Some(mark)) => (at, mark),
                _ => {
                    at += 1;
                    continue;
                }
            };
            if let Text::Char(base) = glyphs[letter].text
                && let Some(whole) = unicode_normalization::char::compose(base, mark)
            {
                glyphs[letter].text = Text::Char(whole);
                glyphs.remove(if letter == at { at + 1 } else { at });
            }
        }
        at += 1;
    }
}

/// The combining form of an accent that stands alone.
fn accent(c: char) -> Option<char> {
    Some(match c {
        '`' | '\u{2cb}' => '\u{300}',
        '\u{b4}' | '\u{2ca}' => '\u{301}',
        '^' | '\u{2c6}' => '\u{302}',
        '~' | '\u{2dc}' => '\u{303}',
        '\u{af}' | '\u{2c9}' => '\u{304}',
        '\u{2d8}' => '\u{306}',
        '\u{2d9}' => '\u{307}',
        '\u{a8}' => '\u{308}',
        '\u{2da}' => '\u{30a}',
        '\u{2dd}' => '\u{30b}',
        '\u{2c7}' => '\u{30c}',
        '\u{b8}' => '\u{327}',
        '\u{2db}' => '\u{328}',
        '\u{300}'..='\u{36f}' => c,
        _ => return None,
    })
}
