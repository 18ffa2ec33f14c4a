//! Work that blocks: so much at a time, the rest waits in turn, and too much is refused.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::settings::Limits;
use crate::{Failure, Kind};

/// Kinds of work, each with its own turns: many questions do not hold up searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Searches and reads, which take little time.
    Search,
    /// Questions and embeddings, which take all processors.
    Question,
}

/// Turns of work.
pub(crate) struct Turns {
    searches: Arc<Semaphore>,
    questions: Arc<Semaphore>,
    waiting: Semaphore,
    time: Duration,
}

/// A turn; the next one begins when it is dropped.
pub(crate) type Turn = OwnedSemaphorePermit;

impl Turns {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            searches: Arc::new(Semaphore::new(limits.searches)),
            questions: Arc::new(Semaphore::new(limits.questions)),
            waiting: Semaphore::new(limits.waiting),
            time: limits.work_time,
        }
    }

    /// Waits for a turn.
    pub(crate) async fn turn(&self, work: Work) -> Result<Turn, Failure> {
        let turns = match work {
            Work::Search => &self.searches,
            Work::Question => &self.questions,
        };
        if let Ok(turn) = Arc::clone(turns).try_acquire_owned() {
            return Ok(turn);
        }
        let busy = || Failure::new(Kind::Busy, "the server has as much work as it takes; try again");
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        match tokio::time::timeout(self.time, Arc::clone(turns).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(busy()),
        }
    }

    /// Runs work in its turn. When it takes too long it is refused, though its turn ends only with
    /// the work.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: Work,
        f: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let turn = self.turn(work).await?;
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            f()
        });
        match tokio::time::timeout(self.time, task).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(Failure::system("the work ended unexpectedly")),
            Err(_) => {
                let message = format!("the work took longer than {} s", self.time.as_secs());
                Err(Failure::new(Kind::Late, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn more_work_than_may_wait_is_refused_and_a_turn_that_ends_is_given_on() {
        let limits = Limits { searches: 1, waiting: 1, ..Limits::default() };
        let turns = Arc::new(Turns::new(&limits));
        let first = turns.turn(Work::Search).await.unwrap();
        let waits = Arc::clone(&turns);
        let waits = tokio::spawn(async move { waits.turn(Work::Search).await.map(drop) });
        while turns.waiting.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(turns.turn(Work::Search).await.unwrap_err().kind, Kind::Busy);
        assert!(turns.turn(Work::Question).await.is_ok());
        drop(first);
        waits.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn work_that_takes_too_long_is_refused_and_keeps_its_turn_until_it_ends() {
        let limits =
            Limits { searches: 1, waiting: 1, work_time: Duration::from_millis(10), ..Limits::default() };
        let turns = Turns::new(&limits);
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let late = turns.run(Work::Search, move || Ok(ended.recv().is_ok())).await;
        assert_eq!(late.unwrap_err().kind, Kind::Late);
        assert_eq!(turns.turn(Work::Search).await.unwrap_err().kind, Kind::Busy);
        end.send(()).unwrap();
    }
}
