//! Making every row reachable from the entry: pruning may leave a row in no list. Such a row is
//! linked from the nearest row that has room, or that has a link no other row depends on.

use super::links::{Graph, Lists, NONE};

impl Graph {
    /// Gives every row a path from the entry: a spanning tree, whose links are never replaced,
    /// grows until it has all rows. Copies, which no list links to, count as reached.
    pub(super) fn reach_all(&mut self, is_copy: &[bool]) {
        let rows = self.level0.len() / self.stride;
        if rows == 0 {
            return;
        }
        let mut parents: Vec<u32> =
            (0..).zip(is_copy).map(|(row, &is_copy)| if is_copy { row } else { NONE }).collect();
        parents[self.entry as usize] = self.entry;
        self.grow(&mut parents, self.entry);
        for row in 0..rows {
            if parents[row] != NONE {
                continue;
            }
            let own = self.list(row).iter().copied().filter(|&n| n != NONE);
            let near = own.filter(|&n| parents[n as usize] != NONE);
            // The leaves of a tree have room, so some row always does.
            let is_node = |n: &u32| parents[*n as usize] != NONE && !is_copy[*n as usize];
            let anyone = (0..rows as u32).filter(is_node);
            let found = near.chain(anyone).find_map(|from| Some((from, self.spare_place(from, &parents)?)));
            let Some((from, place)) = found else { return };
            self.level0[from as usize * self.stride + place] = row as u32;
            parents[row] = from;
            self.grow(&mut parents, row as u32);
        }
    }

    /// Returns the last place of a list that is empty or whose link the tree does not need.
    fn spare_place(&self, row: u32, parents: &[u32]) -> Option<usize> {
        let needed = |&n: &u32| n != NONE && parents[n as usize] == row;
        self.list(row as usize)
            .iter()
            .position(|&n| n == NONE)
            .or_else(|| self.list(row as usize).iter().rposition(|n| !needed(n)))
    }

    /// Adds the rows that can be reached from `start`, a row of the tree.
    fn grow(&self, parents: &mut [u32], start: u32) {
        let mut stack = vec![start];
        while let Some(row) = stack.pop() {
            for &neighbor in self.list(row as usize).iter().filter(|&&n| n != NONE) {
                if parents[neighbor as usize] == NONE {
                    parents[neighbor as usize] = row;
                    stack.push(neighbor);
                }
            }
        }
    }

    pub(super) fn list(&self, row: usize) -> &[u32] {
        &self.level0[row * self.stride..(row + 1) * self.stride]
    }

    #[cfg(test)]
    pub(super) fn unreachable(&self) -> usize {
        let rows = self.level0.len() / self.stride;
        unreachable(self.entry, Lists { stride: self.stride, places: &self.level0 }, rows).len()
    }
}

/// Returns the rows that no path of level 0 links reaches from the entry. Links out of range are
/// ignored.
pub(crate) fn unreachable(entry: u32, lists: Lists<'_>, rows: usize) -> Vec<u32> {
    let mut reached = vec![false; rows];
    let mut stack = Vec::new();
    let mut visit = |row: u32, stack: &mut Vec<u32>| {
        if reached.get(row as usize) == Some(&false) {
            reached[row as usize] = true;
            stack.push(row);
        }
    };
    visit(entry, &mut stack);
    while let Some(row) = stack.pop() {
        for neighbor in lists.neighbors(row as usize) {
            visit(neighbor, &mut stack);
        }
    }
    (0..rows as u32).filter(|&row| !reached[row as usize]).collect()
}
