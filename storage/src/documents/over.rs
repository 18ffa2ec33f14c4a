//! Entries of a tree merged over those of the base.
//!
//! An entry of the tree replaces the base's entry of the same key; an empty value removes it. No
//! stored value is empty.

use super::base::{Entries, Entry};
use crate::error::Result;
use std::cmp::Ordering;
use std::iter::Fuse;

/// Iterator over the merged entries, in order of keys.
pub(super) struct Over<T> {
    tree: Fuse<T>,
    base: Option<Entries>,
    of_tree: Option<Entry>,
    of_base: Option<Entry>,
    /// Set after a tree error: the iterator yields nothing more.
    ended: bool,
}

/// Merges the two. An error of the base stands for some entries, and those after them follow; an
/// error of the tree is the last item.
pub(super) fn over<T: Iterator<Item = Result<Entry>>>(tree: T, base: Option<Entries>) -> Over<T> {
    Over { tree: tree.fuse(), base, of_tree: None, of_base: None, ended: false }
}

impl<T: Iterator<Item = Result<Entry>>> Iterator for Over<T> {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            if self.of_tree.is_none() {
                match self.tree.next().transpose() {
                    Ok(entry) => self.of_tree = entry,
                    Err(error) => {
                        self.ended = true;
                        return Some(Err(error));
                    }
                }
            }
            if self.of_base.is_none() {
                match self.base.as_mut().and_then(Iterator::next).transpose() {
                    Ok(entry) => self.of_base = entry,
                    Err(error) => return Some(Err(error)),
                }
            }
            let order = match (&self.of_tree, &self.of_base) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((tree, _)), Some((base, _))) => tree.cmp(base),
            };
            if order == Ordering::Greater {
                return self.of_base.take().map(Ok);
            }
            if order == Ordering::Equal {
                self.of_base = None;
            }
            if let Some(entry) = self.of_tree.take()
                && !entry.1.is_empty()
            {
                return Some(Ok(entry));
            }
        }
        None
    }
}
