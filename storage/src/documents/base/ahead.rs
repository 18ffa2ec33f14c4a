//! Fetching the memory of many entries before they are read, so that the waits for them overlap.
//!
//! An entry is found over a chain of places in memory, each of which is known only once the one
//! before it is there. The entries of a search are all over the file: one after the other, most of
//! the time would go into waiting.

use super::Part;
use super::read::Base;
use postil_kernel::distance::prefetch;

/// Bytes of an entry that are fetched.
const ENTRY_BYTES: usize = 192;
/// Entries fetched together; more would push each other out of the cache.
const TOGETHER: usize = 32;

impl Base {
    /// Fetches what [`get`](Self::get) reads for each key, and the value's bytes from an offset
    /// on. Changes no result: blocks that were not compared with their checksums yet are left
    /// alone.
    pub(in crate::documents) fn fetch<K: AsRef<[u8]>>(&self, part: Part, keys: &[(K, usize)]) {
        let (index, table) = (self.index(part), &self.tables[part as usize]);
        for keys in keys.chunks(TOGETHER) {
            let mut numbers = [usize::MAX; TOGETHER];
            for (number, (key, _)) in numbers.iter_mut().zip(keys) {
                let Some(found) = index.find(key.as_ref()) else { continue };
                *number = found;
                prefetch(table.sound.get(found..=found).unwrap_or_default());
                prefetch(index.place_bytes(found));
            }
            let known = |number: usize| table.sound.get(number)?.get();
            for (&number, (key, _)) in numbers.iter().zip(keys) {
                if let Some(starts) = known(number) {
                    prefetch(starts.likely(index.first_key(number), key.as_ref()));
                }
            }
            for (&number, (key, offset)) in numbers.iter().zip(keys) {
                let Some(starts) = known(number) else { continue };
                let start = starts.likely(index.first_key(number), key.as_ref()).first();
                let entries = self.known_entries(table, index, number);
                if let Some((&start, entries)) = start.zip(entries) {
                    let from = entries.get(usize::from(start)..).unwrap_or_default();
                    prefetch(&from[..from.len().min(ENTRY_BYTES)]);
                    if *offset > ENTRY_BYTES / 2 {
                        let from = from.get(*offset..).unwrap_or_default();
                        prefetch(&from[..from.len().min(ENTRY_BYTES)]);
                    }
                }
            }
        }
    }
}
