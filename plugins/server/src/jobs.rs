//! Long work of a database, one piece after the other, that its caller asks about by number.
//!
//! A job is done only when its result is durable: the state changes after the database has said
//! so. Jobs are kept in memory; what a job stored stays when the server ends.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};

use serde::Serialize;

use crate::served::{Json, Progress};
use crate::{Failure, Kind};

/// Finished jobs that are remembered.
const REMEMBERED: usize = 1024;

type Task = Box<dyn FnOnce(&Arc<Progress>) -> Result<Json, Failure> + Send>;

/// State of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    Waiting,
    Running,
    Done,
    Failed,
    Cancelled,
}

/// A job as its caller sees it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) state: Stage,
    pub(crate) documents_read: u64,
    pub(crate) documents_committed: u64,
    pub(crate) passages_embedded: u64,
    /// The report that the command prints with `--json`, once done.
    pub(crate) report: Option<Json>,
    pub(crate) error: Option<String>,
    #[serde(skip)]
    pub(crate) failure: Option<Failure>,
}

struct Job {
    kind: &'static str,
    stage: Stage,
    progress: Arc<Progress>,
    result: Option<Result<Json, Failure>>,
}

#[derive(Default)]
struct Table {
    next: u64,
    jobs: BTreeMap<u64, Job>,
    finished: VecDeque<u64>,
}

struct Shared {
    table: Mutex<Table>,
    changed: tokio::sync::Notify,
    ended: Condvar,
}

/// The jobs of a database.
pub(crate) struct Jobs {
    shared: Arc<Shared>,
    queue: mpsc::SyncSender<(u64, Task)>,
}

impl Shared {
    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, id: u64, task: Task) {
        let progress = {
            let mut table = self.table();
            let Some(job) = table.jobs.get_mut(&id) else { return };
            job.stage = Stage::Running;
            Arc::clone(&job.progress)
        };
        let result = if progress.is_cancelled.load(Ordering::Relaxed) {
            Err(Failure::new(Kind::Conflict, "cancelled before it began"))
        } else {
            task(&progress)
        };
        let mut table = self.table();
        if let Some(job) = table.jobs.get_mut(&id) {
            let is_cancelled = progress.is_cancelled.load(Ordering::Relaxed);
            job.stage = match &result {
                _ if is_cancelled => Stage::Cancelled,
                Ok(_) => Stage::Done,
                Err(_) => Stage::Failed,
            };
            job.result = Some(result);
        }
        table.finished.push_back(id);
        if table.finished.len() > REMEMBERED
            && let Some(oldest) = table.finished.pop_front()
        {
            table.jobs.remove(&oldest);
        }
        drop(table);
        self.changed.notify_waiters();
        self.ended.notify_all();
    }
}

impl Jobs {
    /// Starts the thread that works; it ends when this is dropped and its queue is empty.
    pub(crate) fn start(name: &str, most_waiting: usize) -> Self {
        let (queue, tasks) = mpsc::sync_channel::<(u64, Task)>(most_waiting);
        let shared = Arc::new(Shared {
            table: Mutex::default(),
            changed: tokio::sync::Notify::new(),
            ended: Condvar::new(),
        });
        let working = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name(format!("jobs of {name}"));
        let started = thread.spawn(move || {
            for (id, task) in tasks {
                working.run(id, task);
            }
        });
        if let Err(error) = started {
            tracing::error!(%error, "no thread for jobs: they will be refused");
        }
        Self { shared, queue }
    }

    /// Adds a job; refuses when too many wait.
    pub(crate) fn add(&self, kind: &'static str, task: Task) -> Result<String, Failure> {
        let id = {
            let mut table = self.shared.table();
            table.next += 1;
            let id = table.next;
            let job = Job { kind, stage: Stage::Waiting, progress: Arc::default(), result: None };
            table.jobs.insert(id, job);
            id
        };
        if self.queue.try_send((id, task)).is_err() {
            self.shared.table().jobs.remove(&id);
            return Err(Failure::new(Kind::Busy, "as many jobs wait as may; try again"));
        }
        Ok(id.to_string())
    }

    /// A job by its number.
    pub(crate) fn get(&self, id: &str) -> Option<Seen> {
        let number = id.parse().ok()?;
        let table = self.shared.table();
        let Job { kind, stage, progress, result } = table.jobs.get(&number)?;
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let failure = result.as_ref().and_then(|result| result.as_ref().err().cloned());
        Some(Seen {
            id: id.to_owned(),
            kind,
            state: *stage,
            documents_read: count(&progress.documents_read),
            documents_committed: count(&progress.documents_committed),
            passages_embedded: count(&progress.passages_embedded),
            report: result.as_ref().and_then(|result| result.as_ref().ok().cloned()),
            error: failure.as_ref().map(|failure| failure.message.clone()),
            failure,
        })
    }

    /// All jobs that are remembered, newest first.
    pub(crate) fn all(&self) -> Vec<Seen> {
        let ids: Vec<u64> = self.shared.table().jobs.keys().rev().copied().collect();
        ids.iter().filter_map(|id| self.get(&id.to_string())).collect()
    }

    /// Asks a job to end; false when there is none.
    pub(crate) fn cancel(&self, id: &str) -> bool {
        let table = self.shared.table();
        let job = id.parse().ok().and_then(|id: u64| table.jobs.get(&id));
        if let Some(job) = job.filter(|job| job.result.is_none()) {
            job.progress.cancel();
        }
        job.is_some()
    }

    /// Waits until a job has ended.
    pub(crate) async fn ended(&self, id: &str) -> Option<Seen> {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let seen = self.get(id)?;
            if !matches!(seen.state, Stage::Waiting | Stage::Running) {
                return Some(seen);
            }
            changed.await;
        }
    }

    /// Waits, without a limit, until every job has ended; the thread is blocked meanwhile.
    pub(crate) fn wait(&self) {
        let is_open = |table: &mut Table| {
            table.jobs.values().any(|job| matches!(job.stage, Stage::Waiting | Stage::Running))
        };
        let guard = self.shared.table();
        drop(self.shared.ended.wait_while(guard, |table| is_open(table)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Json {
        serde_json::value::to_raw_value(&1).unwrap()
    }

    #[tokio::test]
    async fn a_job_is_done_only_after_its_work_has_returned() {
        let jobs = Jobs::start("d", 2);
        let (end, ended) = mpsc::channel::<()>();
        let id = jobs
            .add(
                "ingest",
                Box::new(move |_| ended.recv().map(|()| report()).map_err(|_| Failure::system("gone"))),
            )
            .unwrap();
        assert!(matches!(jobs.get(&id).unwrap().state, Stage::Waiting | Stage::Running));
        end.send(()).unwrap();
        let seen = jobs.ended(&id).await.unwrap();
        assert_eq!((seen.state, seen.report.unwrap().get()), (Stage::Done, "1"));
        assert!(jobs.get("9").is_none() && jobs.get("x").is_none());
    }

    #[tokio::test]
    async fn more_jobs_than_may_wait_are_refused_and_a_waiting_one_can_be_cancelled() {
        let jobs = Jobs::start("d", 1);
        let (end, ended) = mpsc::channel::<()>();
        let (began, begun) = mpsc::channel::<()>();
        let work = move |_: &Arc<Progress>| {
            began.send(()).unwrap();
            ended.recv().map(|()| report()).map_err(|_| Failure::system("gone"))
        };
        let first = jobs.add("ingest", Box::new(work)).unwrap();
        begun.recv().unwrap();
        let second = jobs.add("ingest", Box::new(|_| Ok(report()))).unwrap();
        assert_eq!(jobs.add("ingest", Box::new(|_| Ok(report()))).unwrap_err().kind, Kind::Busy);
        assert!(jobs.cancel(&second) && !jobs.cancel("77"));
        end.send(()).unwrap();
        assert_eq!(jobs.ended(&first).await.unwrap().state, Stage::Done);
        assert_eq!(jobs.ended(&second).await.unwrap().state, Stage::Cancelled);
    }
}
