//! Batches that wait to be written.

use super::{Batch, Committed};
use crate::error::Result;
use crate::sync::Mutex;
use crate::sync::channel::{Receiver, Sender, bounded};
use std::collections::{HashSet, VecDeque};

/// Bytes of text and vectors from which on no batch joins a group: one flush costs little beside
/// them.
const FULL_BYTES: u64 = 4 << 20;

/// A batch, and the channel to the thread that waits for it.
pub(super) type Waiting = (Batch, Sender<Result<Committed>>);

/// Checked batches that wait to be written, in their order of arrival.
#[derive(Default)]
pub(super) struct Queue(Mutex<VecDeque<Waiting>>);

impl Queue {
    /// Adds a batch behind the others; the receiver gets its outcome.
    pub(super) fn push(&self, batch: Batch) -> Receiver<Result<Committed>> {
        let (sender, outcome) = bounded(1);
        self.0.lock().push_back((batch, sender));
        outcome
    }

    /// Takes the first waiting batch.
    pub(super) fn first(&self) -> Option<Waiting> {
        self.0.lock().pop_front()
    }

    /// Takes the first waiting batch, and those after it up to one that has a key in common with
    /// them.
    pub(super) fn group(&self) -> Vec<Waiting> {
        let mut waiting = self.0.lock();
        let (mut keys, mut bytes) = (HashSet::new(), 0);
        let mut count = 0;
        for (batch, _) in waiting.iter() {
            let own = || batch.upserts.iter().map(|document| &document.key).chain(&batch.removes);
            if bytes >= FULL_BYTES || own().any(|key| keys.contains(key.as_str())) {
                break;
            }
            keys.extend(own().map(String::as_str));
            bytes += batch.payload_bytes();
            count += 1;
        }
        waiting.drain(..count).collect()
    }
}
