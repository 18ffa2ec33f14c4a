//! The check of a segment file against everything that FORMAT.md says of it, byte by byte.
//!
//! A checksum says that something changed; the other checks say what it means, and find what a
//! faulty writer wrote with a valid checksum. Every part is checked, whatever was found in earlier
//! parts.

use super::Segment;
use crate::few::few;
use crate::index::graph::links::{Lists, NONE};
use crate::index::graph::reach;
use crate::mapped::frame;
use crate::vector::nibbles::Grid;
use postil_kernel::distance;
use std::ops::Range;

/// Largest difference from 1 of the squared length of a vector that was normalized.
const UNIT: f32 = 1e-3;

impl Segment {
    /// Lists the damage of the file; reads all of it.
    pub(crate) fn damage(&self) -> Vec<String> {
        let mut damage = self.damaged_sections();
        damage.extend(frame::stray(&self.map, self.sections.iter().map(|(range, _)| range.clone())));
        if !self.ids().is_sorted_by(|a, b| a < b) {
            damage.push("row ids are not ascending".to_owned());
        }
        self.check_levels(&mut damage);
        self.check_copies(&mut damage);
        self.check_vectors(&mut damage);
        damage
    }

    /// Lists the sections that do not match their checksums.
    pub(crate) fn damaged_sections(&self) -> Vec<String> {
        let mut damage = Vec::new();
        for (range, section) in &self.sections {
            if self.streamed_checksum(range) != section.crc {
                let Range { start, end } = range;
                damage.push(format!("{}, bytes {start}..{end}, do not match their checksum", section.name()));
            }
        }
        damage
    }

    fn check_levels(&self, damage: &mut Vec<String>) {
        let rows = self.ids().len();
        let level0 = Lists { stride: self.level0.1, places: self.array(&self.level0.0) };
        check_links(0, level0, rows, damage);
        let mut below: Option<&[u32]> = None;
        for (level, (nodes, links, stride)) in (1..).zip(&self.upper) {
            let nodes: &[u32] = self.array(nodes);
            check_links(level, Lists { stride: *stride, places: self.array(links) }, nodes.len(), damage);
            if !nodes.is_sorted_by(|a, b| a < b) {
                damage.push(format!("nodes of level {level} are not ascending"));
            }
            let inside = |node: &u32| match below {
                Some(below) => below.binary_search(node).is_ok(),
                None => (*node as usize) < rows,
            };
            if let Some(few) = few(nodes.iter().filter(|node| !inside(node)).map(|&node| u64::from(node))) {
                damage.push(format!("nodes of level {level} are not in the level below: {few}"));
            }
            below = Some(nodes);
        }
        if !below.map_or((self.entry as usize) < rows, |top| top.binary_search(&self.entry).is_ok()) {
            damage.push(format!("the entry point {} is not in the topmost level", self.entry));
        }
        let ids = self.ids();
        let is_copy = self.copies().marks(rows);
        let lost =
            reach::unreachable(self.entry, level0, rows).into_iter().filter(|&row| !is_copy[row as usize]);
        if let Some(few) = few(lost.map(|position| ids[position as usize])) {
            damage.push(format!("rows cannot be reached from the entry point: {few}"));
        }
    }

    fn check_copies(&self, damage: &mut Vec<String>) {
        let copies = self.copies().0;
        let is_copy = self.copies().marks(self.ids().len());
        let is_sound = |&[first, copy]: &[u32; 2]| {
            let vector = self.at(copy as usize);
            let is_node = is_copy.get(first as usize) == Some(&false);
            is_node && first < copy && vector.is_some() && vector == self.at(first as usize)
        };
        if !copies.is_sorted_by(|a, b| a < b) {
            damage.push("copies are not ascending".to_owned());
        }
        if let Some(few) = few(copies.iter().filter(|pair| !is_sound(pair)).map(|&[_, copy]| u64::from(copy)))
        {
            damage.push(format!("positions are no copies of the rows that stand for them: {few}"));
        }
    }

    fn check_vectors(&self, damage: &mut Vec<String>) {
        let (codes, scale) = (self.codes(), self.scale());
        let norms: Option<&[f32]> = self.norms.as_ref().map(|norms| self.array(norms));
        let nibbles = self.nibbles().map(|nibbles| (nibbles, Grid::stored(nibbles.grid)));
        let (mut unlike, mut unusable, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        let (mut unlike_nibbles, mut own) = (Vec::new(), Vec::new());
        let mut expected = Vec::new();
        for (position, (row, vector)) in (0..).zip(self.iter()) {
            expected.clear();
            scale.encode(&vector, &mut expected);
            if codes.is_some_and(|codes| expected != codes.row(position)) {
                unlike.push(row);
            }
            if let Some((nibbles, grid)) = &nibbles {
                own.clear();
                let norm = grid.encode(&vector, &mut own);
                let has_norm = nibbles.norms.get(position as usize).is_none_or(|known| *known == norm);
                if own != nibbles.row(position) || !has_norm {
                    unlike_nibbles.push(row);
                }
            }
            let unit = !self.metric.normalizes() || (distance::dot(&vector, &vector) - 1.0).abs() < UNIT;
            if !unit || !vector.iter().all(|x| x.is_finite()) {
                unusable.push(row);
            }
            if let (Some(norms), Some(codes)) = (norms, codes)
                && norms[position as usize].to_bits() != codes.norm(position).to_bits()
            {
                lengths.push(row);
            }
        }
        for (what, rows) in [
            ("codes do not agree with the vectors of rows", unlike),
            ("nibbles do not agree with the vectors of rows", unlike_nibbles),
            ("norms do not agree with the codes of rows", lengths),
            ("vectors have components that are no numbers, or not unit length, in rows", unusable),
        ] {
            damage.extend(few(rows).map(|few| format!("{what} {few}")));
        }
    }
}

/// Checks that links lead to nodes of their level, and that unused places come last.
fn check_links(level: usize, lists: Lists<'_>, nodes: usize, damage: &mut Vec<String>) {
    if lists.places.iter().any(|&place| place != NONE && place as usize >= nodes) {
        damage.push(format!("a link of level {level} leads out of it"));
    }
    let gap = |places: &[u32]| places.is_sorted_by_key(|&place| place == NONE);
    if !(0..nodes).all(|node| gap(lists.places(node))) {
        damage.push(format!("a list of level {level} has links after an unused place"));
    }
}
