//! The check of a base against everything that FORMAT.md says of the file.

use super::read::{Base, damaged_block};
use super::{Part, block};
use crate::mapped::{frame, map};

impl Base {
    /// Lists the damage of the file; reads all of it.
    pub(crate) fn damage(&self) -> Vec<String> {
        let (start, end) = (..self.header_bytes, self.map.len().saturating_sub(self.header_bytes));
        let tables = self.tables.iter().flat_map(|table| [table.blocks.clone(), table.index.clone()]);
        let mut damage = frame::stray(&self.map, tables.chain(std::iter::once(end..self.map.len())));
        if self.map.get(start) != self.map.get(end..) {
            damage.push("the header at its end is not the one at its start".to_owned());
        }
        for part in Part::ALL {
            self.check(part, &mut damage);
        }
        map::let_go(&self.map, 0..self.map.len());
        damage
    }

    fn check(&self, part: Part, damage: &mut Vec<String>) {
        let (name, table, index) = (part.name(), &self.tables[part as usize], self.index(part));
        let (mut entries_found, mut end, mut sound) = (0, 0, true);
        let mut last: Option<&[u8]> = None;
        for number in 0..index.blocks() {
            let offset = index.block(number).map(|(offset, _)| offset);
            if sound && offset != Some(end) {
                damage.push(format!("block {number} of its {name} is not where the one before it ends"));
            }
            let Ok(entries) = self.block(part, number) else {
                damage.push(damaged_block(part, number));
                sound = false;
                continue;
            };
            let mut entries = &self.map[entries];
            sound = true;
            end = offset.unwrap_or_default() + block::HEAD_BYTES + entries.len();
            if block::first(entries).is_none_or(|(key, ..)| key != index.first_key(number)) {
                damage.push(format!("block {number} of its {name} does not begin as the index says"));
            }
            while let Some((key, value, rest)) = block::first(entries) {
                if last.is_some_and(|last| last >= key) {
                    damage.push(format!("keys in block {number} of its {name} do not ascend"));
                }
                if value.is_empty() {
                    damage.push(format!("an entry in block {number} of its {name} is empty"));
                }
                (last, entries, entries_found) = (Some(key), rest, entries_found + 1);
            }
            if !entries.is_empty() {
                damage.push(format!("block {number} of its {name} has bytes that are no entry"));
            }
        }
        if sound && end != table.blocks.len() {
            damage.push(format!("the last block of its {name} is not where the index begins"));
        }
        if damage.is_empty() && entries_found != table.entries {
            damage.push(format!("its {name} are {entries_found} entries instead of {}", table.entries));
        }
    }
}
