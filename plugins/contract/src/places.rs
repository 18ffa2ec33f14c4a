//! The places of a text: one for every stretch of it.
//!
//! A passage stores its own part of them as bytes, so that a place is found without reading anything
//! else of the document.

use std::ops::Range;

use crate::locator::{Locator, PageBox};

/// The place of one stretch of text, up to where the next one begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spot {
    /// A line of a page: the page, the index of its label, and its edges in tenths of a point.
    Line {
        /// Page, from 1.
        page: u32,
        /// Index of its label among the names of [`Places`].
        label: Option<u32>,
        /// Left, top, right and bottom edge, in tenths of a point.
        edges: [i32; 4],
    },
    /// A paragraph of a part.
    Paragraph {
        /// Index of the part's name.
        part: u32,
        /// Paragraph, from 1.
        paragraph: u32,
    },
    /// A slide, from 1.
    Slide(u32),
    /// Cells of one row of a sheet.
    Row {
        /// Index of the sheet's name.
        sheet: u32,
        /// Row, from 1.
        row: u32,
        /// First column, from 0.
        first: u32,
        /// Last column, from 0.
        last: u32,
    },
}

/// Places of a text, in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    names: Vec<String>,
    /// First byte of each stretch, with its place; none for text without one.
    spots: Vec<(usize, Spot)>,
}

/// Error of bytes that are no places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at} of the places of a passage cannot be read")]
pub struct PlacesError {
    /// The byte where reading stopped.
    pub at: usize,
}

impl Places {
    /// The index of a name, which is added when it is new.
    pub fn name(&mut self, name: &str) -> u32 {
        let at = self.names.iter().rposition(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        at as u32
    }

    /// Sets the place of the text from byte `at` on; `at` is not before the last one.
    pub fn push(&mut self, at: usize, spot: Spot) {
        match self.spots.last_mut() {
            Some((_, last)) if *last == spot => {}
            Some((last_at, last)) if *last_at == at => *last = spot,
            _ => self.spots.push((at, spot)),
        }
    }

    /// Appends the places of a text that was put at byte `at` of this one.
    pub fn append(&mut self, at: usize, other: &Self) {
        for (start, spot) in &other.spots {
            let spot = other.renamed(*spot, self);
            self.push(at + start, spot);
        }
    }

    /// A place of these, with its name among those of another.
    fn renamed(&self, spot: Spot, of: &mut Self) -> Spot {
        let mut name = |index: u32| of.name(self.names.get(index as usize).map_or("", String::as_str));
        match spot {
            Spot::Line { page, label, edges } => Spot::Line { page, label: label.map(name), edges },
            Spot::Paragraph { part, paragraph } => Spot::Paragraph { part: name(part), paragraph },
            Spot::Slide(slide) => Spot::Slide(slide),
            Spot::Row { sheet, row, first, last } => Spot::Row { sheet: name(sheet), row, first, last },
        }
    }

    /// True when no text has a place.
    pub fn is_empty(&self) -> bool {
        self.spots.is_empty()
    }

    /// First byte and place of each stretch.
    pub fn spots(&self) -> &[(usize, Spot)] {
        &self.spots
    }

    /// Stretches that a range of the text has a part of.
    fn within(&self, range: &Range<usize>) -> &[(usize, Spot)] {
        let first = self.spots.partition_point(|(at, _)| *at <= range.start).saturating_sub(1);
        let end = self.spots.partition_point(|(at, _)| *at < range.end).max(first);
        &self.spots[first..end]
    }

    /// The place of a range of the text; `None` where it has none.
    pub fn locate(&self, range: Range<usize>) -> Option<Locator> {
        let spots = self.within(&range);
        let name = |at: u32| self.names.get(at as usize).cloned().unwrap_or_default();
        let locator = match spots.first()?.1 {
            Spot::Line { page: first, label, .. } => {
                let (mut page, mut last_page, mut boxes) = (first, first, Vec::new());
                for (_, spot) in spots {
                    let Spot::Line { page: at, edges, .. } = *spot else { continue };
                    page = page.min(at);
                    last_page = last_page.max(at);
                    boxes.push(PageBox::new(at, edges.map(|edge| edge as f32 / 10.0)));
                }
                let label = label.filter(|_| page == first).map(name);
                Locator::Page { page, last_page, label, boxes }
            }
            Spot::Paragraph { part, paragraph } => Locator::Part { part: name(part), paragraph },
            Spot::Slide(slide) => Locator::Slide { slide },
            Spot::Row { sheet, row, first, last } => {
                let (mut columns, mut rows) = ((first, last), (row, row));
                for (_, spot) in spots {
                    match *spot {
                        Spot::Row { sheet: other, row, first, last } if other == sheet => {
                            columns = (columns.0.min(first), columns.1.max(last));
                            rows = (rows.0.min(row), rows.1.max(row));
                        }
                        _ => break,
                    }
                }
                let (start, end) = (cell(columns.0, rows.0), cell(columns.1, rows.1));
                let cells = if start == end { start } else { format!("{start}:{end}") };
                Locator::Cells { sheet: name(sheet), cells }
            }
        };
        Some(locator)
    }

    /// The places of a part of the text, counted from its start, as bytes; none without places.
    ///
    /// Numbers are LEB128, those with a sign in zigzag form: the number of names, then for each its
    /// length and bytes; the number of stretches, then for each its first byte less that of the one
    /// before, its kind (0 line, 1 paragraph, 2 slide, 3 cells) and its fields. A label is its index
    /// and 1, or 0 for none.
    pub fn part(&self, range: &Range<usize>) -> Vec<u8> {
        let spots = self.within(range);
        if spots.is_empty() {
            return Vec::new();
        }
        let mut part = Self::default();
        for (at, spot) in spots {
            let spot = self.renamed(*spot, &mut part);
            part.spots.push((at.saturating_sub(range.start), spot));
        }
        part.to_bytes()
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let number = |bytes: &mut Vec<u8>, mut number: u64| {
            while number >= 0x80 {
                bytes.push(number as u8 | 0x80);
                number >>= 7;
            }
            bytes.push(number as u8);
        };
        number(&mut bytes, self.names.len() as u64);
        for name in &self.names {
            number(&mut bytes, name.len() as u64);
            bytes.extend_from_slice(name.as_bytes());
        }
        number(&mut bytes, self.spots.len() as u64);
        let mut last = 0;
        for (at, spot) in &self.spots {
            number(&mut bytes, (at - last) as u64);
            last = *at;
            let fields: &[u64] = match *spot {
                Spot::Line { page, label, edges } => {
                    let [a, b, c, d] = edges.map(zigzag);
                    &[0, page.into(), label.map_or(0, |label| u64::from(label) + 1), a, b, c, d]
                }
                Spot::Paragraph { part, paragraph } => &[1, part.into(), paragraph.into()],
                Spot::Slide(slide) => &[2, slide.into()],
                Spot::Row { sheet, row, first, last } => {
                    &[3, sheet.into(), row.into(), first.into(), last.into()]
                }
            };
            fields.iter().for_each(|field| number(&mut bytes, *field));
        }
        bytes
    }

    /// Reads what [`Places::part`] wrote.
    ///
    /// # Errors
    /// [`PlacesError`] when `bytes` are anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlacesError> {
        let mut places = Self::default();
        if bytes.is_empty() {
            return Ok(places);
        }
        let mut reader = Reader { bytes, at: 0 };
        for _ in 0..reader.number()? {
            let len = reader.number()? as usize;
            let end = reader.at.checked_add(len).ok_or_else(|| reader.error())?;
            let name = bytes.get(reader.at..end).and_then(|name| std::str::from_utf8(name).ok());
            places.names.push(name.ok_or_else(|| reader.error())?.to_owned());
            reader.at = end;
        }
        let mut at = 0_usize;
        for _ in 0..reader.number()? {
            at = at.checked_add(reader.number()? as usize).ok_or_else(|| reader.error())?;
            let spot = reader.spot()?;
            places.spots.push((at, spot));
        }
        if reader.at < bytes.len() {
            return Err(reader.error());
        }
        Ok(places)
    }
}

/// Zigzag form: small numbers of either sign are small.
fn zigzag(number: i32) -> u64 {
    u64::from(((number << 1) ^ (number >> 31)) as u32)
}

/// Name of a cell: `B7`.
fn cell(column: u32, row: u32) -> String {
    let (mut letters, mut left) = (Vec::new(), u64::from(column) + 1);
    while left > 0 {
        letters.insert(0, b'A' + ((left - 1) % 26) as u8);
        left = (left - 1) / 26;
    }
    format!("{}{row}", String::from_utf8_lossy(&letters))
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Reader<'_> {
    fn error(&self) -> PlacesError {
        PlacesError { at: self.at }
    }

    fn number(&mut self) -> Result<u64, PlacesError> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or_else(|| self.error())?;
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.error())
    }

    fn small(&mut self) -> Result<u32, PlacesError> {
        let number = self.number()?;
        u32::try_from(number).map_err(|_| self.error())
    }

    fn signed(&mut self) -> Result<i32, PlacesError> {
        let number = self.small()?;
        Ok((number >> 1) as i32 ^ -((number & 1) as i32))
    }

    fn spot(&mut self) -> Result<Spot, PlacesError> {
        Ok(match self.number()? {
            0 => {
                let (page, label) = (self.small()?, self.small()?.checked_sub(1));
                let edges = [self.signed()?, self.signed()?, self.signed()?, self.signed()?];
                Spot::Line { page, label, edges }
            }
            1 => Spot::Paragraph { part: self.small()?, paragraph: self.small()? },
            2 => Spot::Slide(self.small()?),
            3 => {
                let (sheet, row) = (self.small()?, self.small()?);
                Spot::Row { sheet, row, first: self.small()?, last: self.small()? }
            }
            _ => return Err(self.error()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(page: u32, edges: [i32; 4]) -> Spot {
        Spot::Line { page, label: None, edges }
    }

    #[test]
    fn a_part_of_the_places_locates_what_the_whole_does() {
        let mut places = Places::default();
        let label = places.name("xii");
        places.push(0, Spot::Line { page: 1, label: Some(label), edges: [-5, 100, 2000, 112] });
        places.push(10, line(1, [0, 120, 2000, 132]));
        places.push(20, line(2, [0, 100, 2000, 112]));
        let part = Places::from_bytes(&places.part(&(12..25))).unwrap();
        assert_eq!(part.locate(0..13), places.locate(12..25));
        let Some(Locator::Page { page, last_page, boxes, .. }) = part.locate(0..13) else { panic!() };
        assert_eq!((page, last_page, boxes.len()), (1, 2, 2));
        assert_eq!(boxes[0], PageBox::new(1, [0.0, 12.0, 200.0, 13.2]));
        assert_eq!(places.locate(3..4).map(|at| at.to_string()).as_deref(), Some("p. xii (page 1)"));
        assert_eq!(places.locate(21..22).map(|at| at.to_string()).as_deref(), Some("p. 2"));
        assert_eq!(places.locate(12..22).map(|at| at.to_string()).as_deref(), Some("pp. 1-2"));
    }

    #[test]
    fn cells_and_paragraphs_come_back() {
        let mut places = Places::default();
        let sheet = places.name("Pay");
        places.push(0, Spot::Row { sheet, row: 2, first: 0, last: 27 });
        places.push(9, Spot::Row { sheet, row: 3, first: 1, last: 4 });
        let part = Places::from_bytes(&places.part(&(0..20))).unwrap();
        assert_eq!(part.locate(0..20).unwrap().to_string(), "Pay!A2:AB3");
        let mut places = Places::default();
        let part = places.name("word/document.xml");
        places.push(0, Spot::Paragraph { part, paragraph: 7 });
        places.push(5, Spot::Slide(3));
        let read = Places::from_bytes(&places.part(&(2..9))).unwrap();
        assert_eq!(read.locate(0..2).unwrap().to_string(), "paragraph 7");
        assert_eq!(read.locate(4..6).unwrap().to_string(), "slide 3");
    }

    #[test]
    fn no_bytes_make_reading_panic_and_no_part_of_them_is_taken() {
        let mut places = Places::default();
        let label = Some(places.name("xii"));
        places.push(3, Spot::Line { page: 1, label, edges: [1, 2, 3, 4] });
        let bytes = places.part(&(0..9));
        for end in 1..bytes.len() {
            assert!(Places::from_bytes(&bytes[..end]).is_err(), "{end}");
        }
        assert!(Places::from_bytes(&[0x80; 40]).is_err());
        assert!(Places::from_bytes(&[0, 1, 0, 9]).is_err());
    }
}
