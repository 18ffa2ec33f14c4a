//! Running heads, running feet and page numbers, which stand on many pages and are no part of the
//! sentences there.

use std::collections::{HashMap, HashSet};

use super::lines::Line;
use super::order::Block;

/// Share of a page's height, at its top and at its bottom, in which a running line stands.
const MARGIN: f32 = 0.14;
/// Pages that a line stands on to be a running one.
const MIN_PAGES: usize = 3;

/// A page with its lines in reading order.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) size: (f32, f32),
    pub(super) blocks: Vec<Block>,
}

/// Takes running lines out of all pages but the first that has each, and page numbers of all.
pub(super) fn take_out(pages: &mut [Page]) {
    let mut seen: HashMap<(String, i32), HashSet<usize>> = HashMap::new();
    let mut numbers: HashMap<i64, HashSet<usize>> = HashMap::new();
    for (index, page) in pages.iter().enumerate() {
        for line in page.blocks.iter().flatten().filter(|line| is_marginal(line, page.size)) {
            seen.entry(key(line)).or_default().insert(index);
            if let Some(number) = number(&line.text) {
                numbers.entry(number - index as i64).or_default().insert(index);
            }
        }
    }
    let least = MIN_PAGES.max(pages.len() / 8);
    let is_numbered = |number: i64, index: usize| {
        numbers.get(&(number - index as i64)).is_some_and(|on| on.len() >= MIN_PAGES.min(pages.len()).max(2))
    };
    let mut kept: HashSet<(String, i32)> = HashSet::new();
    let mut out: Vec<Vec<bool>> = Vec::with_capacity(pages.len());
    for (index, page) in pages.iter().enumerate() {
        // A page that has nothing else is no margin: its lines are its text.
        let has_body = page.blocks.iter().flatten().any(|line| !is_marginal(line, page.size));
        let mut of_page = Vec::new();
        for line in page.blocks.iter().flatten() {
            let is_out = has_body
                && is_marginal(line, page.size)
                && match number(&line.text) {
                    Some(number) => is_numbered(number, index),
                    None => {
                        let key = key(line);
                        let on = seen.get(&key).map_or(0, HashSet::len);
                        on >= least && !kept.insert(key)
                    }
                };
            of_page.push(is_out);
        }
        out.push(of_page);
    }
    for (page, out) in pages.iter_mut().zip(out) {
        let mut out = out.into_iter();
        for block in &mut page.blocks {
            block.retain(|_| !out.next().unwrap_or(false));
        }
        page.blocks.retain(|block| !block.is_empty());
    }
}

fn is_marginal(line: &Line, (_, height): (f32, f32)) -> bool {
    line.frame == 0 && (line.y < MARGIN * height || line.y > (1.0 - MARGIN) * height)
}

/// A line without its digits, and its height on the page.
fn key(line: &Line) -> (String, i32) {
    let text: String = line.text.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect();
    (text.split_whitespace().collect::<Vec<_>>().join(" "), (line.y / 6.0).round() as i32)
}

/// The number that a line is, as a page number is written: `12`, `- 12 -`, `Page 12`, `xii`.
fn number(line: &str) -> Option<i64> {
    let bare = line.trim_matches(|c: char| !c.is_alphanumeric());
    let bare = bare.strip_prefix("Page ").or_else(|| bare.strip_prefix("page ")).unwrap_or(bare);
    let bare = bare.split_once(" of ").map_or(bare, |(number, _)| number).trim();
    if bare.len() <= 5 && bare.bytes().all(|byte| byte.is_ascii_digit()) {
        return bare.parse().ok();
    }
    roman(bare)
}

fn roman(text: &str) -> Option<i64> {
    let mut total = 0;
    let mut last = 0;
    for c in text.chars().rev() {
        let value = match c {
            'i' => 1,
            'v' => 5,
            'x' => 10,
            'l' => 50,
            'c' => 100,
            _ => return None,
        };
        total += if value < last { -value } else { value };
        last = last.max(value);
    }
    (total > 0 && text.len() <= 8).then_some(total)
}
