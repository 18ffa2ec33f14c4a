//! Group commit: the thread that gets the writer's lock writes the batches of all threads that wait
//! for it, with one flush.
//!
//! Batches of a group have no key in common, so each does what it would do alone; batches with a
//! common key are written in their order of arrival.

use super::shared::Shared;
use super::{Batch, Committed, commit};
use crate::documents::Manifest;
use crate::error::{Result, StorageError};
use crate::sync::channel::{Sender, TryRecvError};

impl Shared {
    /// Waits for the writer's lock, and for the batch to be written.
    pub(super) fn commit_in_turn(&self, batch: Batch) -> Result<Committed> {
        let outcome = self.waiting.push(batch);
        let mut writer = self.writer.lock();
        loop {
            match outcome.try_recv() {
                Ok(outcome) => return outcome,
                // The batch is still in the queue, since no other thread can write now.
                Err(TryRecvError::Empty) => self.write_group(&mut writer),
                Err(TryRecvError::Disconnected) => {
                    return Err(StorageError::Poisoned {
                        path: self.path.clone(),
                        what: "the thread that wrote the batch panicked".to_owned(),
                    });
                }
            }
        }
    }

    /// Writes the first waiting batch and those that can join it. An earlier failure is returned to
    /// the first alone: the others try for themselves.
    fn write_group(&self, writer: &mut Manifest) {
        // A receiver may be gone after a panic; the others do not depend on it.
        let tell = |sender: Sender<_>, outcome| {
            let _ = sender.send(outcome);
        };
        let before = match commit::ready(self) {
            Ok(before) => before,
            Err(error) => {
                if let Some((_, sender)) = self.waiting.first() {
                    tell(sender, Err(error));
                }
                return;
            }
        };
        let (batches, senders): (Vec<_>, Vec<_>) = self.waiting.group().into_iter().unzip();
        match commit::write(self, &before, writer, batches) {
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
                    let (path, what) = (self.path.clone(), what.clone());
                    tell(sender, Err(StorageError::Poisoned { path, what }));
                }
            }
        }
    }
}
