//! Group commit: whoever gets the writer's lock writes the batches of all who wait for it, with one flush.
//!
//! Batches of a group have no key in common, so each does what it would do alone, and those that have are written in the
//! order in which they came.

use super::shared::Shared;
use super::{Batch, Committed, commit};
use crate::documents::Manifest;
use crate::error::{Result, StorageError};
use crate::sync::Mutex;
use crate::sync::channel::{Sender, TryRecvError, bounded};
use std::collections::{HashSet, VecDeque};

/// Bytes of text and vectors from which on a group is not joined: one flush costs little beside them.
const FULL_BYTES: u64 = 4 << 20;

/// Batches that are checked and wait to be written, in the order in which they came.
#[derive(Default)]
pub(super) struct Waiting(Mutex<VecDeque<(Batch, Sender<Result<Committed>>)>>);

impl Waiting {
    /// Waits for the writer's lock, and for the batch to be written.
    pub(super) fn commit(&self, shared: &Shared, batch: Batch) -> Result<Committed> {
        let (sender, outcome) = bounded(1);
        self.0.lock().push_back((batch, sender));
        let mut writer = shared.writer.lock();
        loop {
            match outcome.try_recv() {
                Ok(outcome) => return outcome,
                // It is still in the queue, since nobody else can write now.
                Err(TryRecvError::Empty) => self.write_group(shared, &mut writer),
                Err(TryRecvError::Disconnected) => {
                    return Err(StorageError::Poisoned {
                        path: shared.path.clone(),
                        what: "the thread that wrote the batch panicked".to_owned(),
                    });
                }
            }
        }
    }

    /// Writes the first that waits and those that go with it. What fails before that is told to the first alone: the others
    /// try for themselves.
    fn write_group(&self, shared: &Shared, writer: &mut Manifest) {
        // Who is told may have given up by a panic: that is not the others' concern.
        let tell = |sender: Sender<_>, outcome| {
            let _ = sender.send(outcome);
        };
        let before = match commit::ready(shared) {
            Ok(before) => before,
            Err(error) => {
                let first = self.0.lock().pop_front();
                if let Some((_, sender)) = first {
                    tell(sender, Err(error));
                }
                return;
            }
        };
        let (batches, senders): (Vec<_>, Vec<_>) = self.group().into_iter().unzip();
        match commit::write(shared, &before, writer, batches) {
            Ok(outcomes) => {
                for (sender, outcome) in senders.into_iter().zip(outcomes) {
                    tell(sender, outcome);
                }
            }
            Err(error) => {
                let what = error.to_string();
                let mut senders = senders.into_iter();
                if let Some(first) = senders.next() {
                    tell(first, Err(error));
                }
                for sender in senders {
                    let (path, what) = (shared.path.clone(), what.clone());
                    tell(sender, Err(StorageError::Poisoned { path, what }));
                }
            }
        }
    }

    /// Takes the first that waits, and those after it up to one that has a key in common with them.
    fn group(&self) -> Vec<(Batch, Sender<Result<Committed>>)> {
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
