use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use postil_contract::TokenId;

use super::keys::Keys;

/// Beginnings of prompts that were read, by their tokens. What a token's keys and values are depends
/// on the tokens before it alone, so a passage that stands before the question is read once for all
/// questions, and nothing is lost by that.
pub(super) struct Memory {
    held: Mutex<Held>,
}

struct Held {
    limit_bytes: usize,
    bytes: usize,
    /// Number of look-ups so far.
    clock: u64,
    beginnings: HashMap<Box<[TokenId]>, Beginning>,
}

struct Beginning {
    keys: Arc<Keys>,
    used: u64,
}

impl Memory {
    /// An empty memory of at most `limit_bytes`.
    pub(super) fn new(limit_bytes: usize) -> Self {
        let held = Held { limit_bytes, bytes: 0, clock: 0, beginnings: HashMap::new() };
        Self { held: Mutex::new(held) }
    }

    /// Sets the limit, and forgets what is beyond it.
    pub(super) fn set_limit(&self, limit_bytes: usize) {
        let mut held = self.held();
        held.limit_bytes = limit_bytes;
        held.forget(0);
    }

    /// The keys of the last `tokens` tokens of a beginning; `None` when they were not kept, or were
    /// forgotten.
    pub(super) fn get(&self, beginning: &[TokenId], tokens: usize) -> Option<Arc<Keys>> {
        let mut held = self.held();
        held.clock += 1;
        let now = held.clock;
        // A beginning may have been kept in other parts.
        let found = held.beginnings.get_mut(beginning).filter(|found| found.keys.len() == tokens)?;
        found.used = now;
        Some(Arc::clone(&found.keys))
    }

    /// Keeps the keys of the last part of a beginning, and forgets those unused for longest when
    /// there is no room. Keys larger than the limit are not kept.
    pub(super) fn put(&self, beginning: &[TokenId], keys: Arc<Keys>) {
        let mut held = self.held();
        let bytes = keys.bytes();
        if bytes > held.limit_bytes {
            return;
        }
        held.forget(bytes);
        held.clock += 1;
        held.bytes += bytes;
        let used = held.clock;
        if let Some(before) = held.beginnings.insert(beginning.into(), Beginning { keys, used }) {
            held.bytes -= before.keys.bytes();
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // A poisoned lock is safe to use: no step between two changes can panic.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Forgets beginnings, those unused for longest first, until there is room for `bytes`.
    fn forget(&mut self, bytes: usize) {
        while self.bytes + bytes > self.limit_bytes {
            let oldest = self.beginnings.iter().min_by_key(|(_, beginning)| beginning.used);
            let Some(tokens) = oldest.map(|(tokens, _)| tokens.clone()) else { return };
            let forgotten = self.beginnings.remove(&tokens);
            self.bytes -= forgotten.map_or(0, |beginning| beginning.keys.bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(values: usize) -> Arc<Keys> {
        let mut keys = Keys::none(1);
        let line = vec![1.0; values];
        keys.push(0, std::iter::once((line.as_slice(), line.as_slice())));
        keys.finish(1);
        Arc::new(keys)
    }

    #[test]
    fn what_was_not_used_for_longest_is_forgotten_first() {
        let memory = Memory::new(24);
        for token in 0..3 {
            memory.put(&[token], keys(1));
        }
        assert!(memory.get(&[0], 1).is_some());
        memory.put(&[3], keys(1));
        assert!(
            memory.get(&[1], 1).is_none() && memory.get(&[0], 1).is_some() && memory.get(&[2], 1).is_some()
        );
        memory.put(&[4], keys(4));
        assert!(
            memory.get(&[4], 1).is_none() && memory.get(&[3], 1).is_some(),
            "larger than the whole memory"
        );
        memory.set_limit(8);
        assert!(memory.get(&[3], 1).is_some() && memory.get(&[0], 1).is_none());
        assert!(memory.get(&[3], 2).is_none(), "kept in a part of another length");
        memory.set_limit(0);
        assert!(memory.get(&[3], 1).is_none());
    }
}
