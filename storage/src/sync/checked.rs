//! Shuttle's primitives with the interface of those that they replace.

pub(crate) use shuttle::sync::atomic;
pub(crate) use shuttle::thread;
pub(crate) use shuttle_parking_lot::{Mutex, RwLock};

use shuttle_parking_lot::MutexGuard;
use std::time::Duration;

/// A condition variable without signals: each wait ends once other threads had their turn, as if it
/// had timed out. So code that waits here must not rely on being woken.
#[derive(Default)]
pub(crate) struct Condvar;

impl Condvar {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _: Duration) {
        MutexGuard::unlocked(guard, thread::yield_now);
    }

    pub(crate) fn notify_all(&self) {}
}

/// Channels with the interface of crossbeam's.
pub(crate) mod channel {
    use shuttle::sync::mpsc;
    use std::cell::RefCell;
    use std::collections::VecDeque;

    pub(crate) use mpsc::{RecvError, Sender, TryRecvError};

    /// The receiver of a channel. Only taking a message out of shuttle's channel shows whether
    /// there is one; it is kept here until it is received.
    pub(crate) struct Receiver<T> {
        channel: mpsc::Receiver<T>,
        seen: RefCell<VecDeque<T>>,
    }

    pub(crate) fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
        let (sender, channel) = mpsc::channel();
        (sender, Receiver { channel, seen: RefCell::default() })
    }

    /// No code here fills a channel, so the bound makes no difference.
    pub(crate) fn bounded<T>(_: usize) -> (Sender<T>, Receiver<T>) {
        unbounded()
    }

    impl<T> Receiver<T> {
        pub(crate) fn recv(&self) -> Result<T, RecvError> {
            let seen = self.seen.borrow_mut().pop_front();
            seen.map_or_else(|| self.channel.recv(), Ok)
        }

        pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
            let seen = self.seen.borrow_mut().pop_front();
            seen.map_or_else(|| self.channel.try_recv(), Ok)
        }

        pub(crate) fn is_empty(&self) -> bool {
            if self.seen.borrow().is_empty()
                && let Ok(next) = self.channel.try_recv()
            {
                self.seen.borrow_mut().push_back(next);
            }
            self.seen.borrow().is_empty()
        }
    }

    impl<'a, T> IntoIterator for &'a Receiver<T> {
        type Item = T;
        type IntoIter = std::iter::FromFn<Box<dyn FnMut() -> Option<T> + 'a>>;

        fn into_iter(self) -> Self::IntoIter {
            std::iter::from_fn(Box::new(|| self.recv().ok()))
        }
    }
}
