//! State that all requests share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use crate::files::Files;
use crate::held::Held;
use crate::jobs::Jobs;
use crate::metrics::Metrics;
use crate::work::Turns;
use crate::{Failure, Kind, Served, Settings};

/// A database with the name that it is served by.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) name: Arc<str>,
    pub(crate) served: Arc<dyn Served>,
}

/// State that all requests share.
pub(crate) struct App {
    pub(crate) settings: Settings,
    /// The first one is meant where none is named.
    databases: Vec<Named>,
    pub(crate) jobs: BTreeMap<Arc<str>, Jobs>,
    pub(crate) files: Files,
    pub(crate) metrics: Metrics,
    pub(crate) turns: Turns,
    pub(crate) is_ready: AtomicBool,
    pub(crate) is_stopping: AtomicBool,
    held_bytes: Arc<AtomicUsize>,
}

impl App {
    /// `databases` has at least one.
    pub(crate) fn new(settings: Settings, databases: Vec<(String, Arc<dyn Served>)>) -> Arc<Self> {
        let databases: Vec<Named> =
            databases.into_iter().map(|(name, served)| Named { name: name.into(), served }).collect();
        let jobs = databases
            .iter()
            .map(|named| (Arc::clone(&named.name), Jobs::start(&named.name, settings.limits.jobs)))
            .collect();
        Arc::new(Self {
            turns: Turns::new(&settings.limits),
            settings,
            databases,
            jobs,
            files: Files::default(),
            metrics: Metrics::default(),
            is_ready: AtomicBool::new(false),
            is_stopping: AtomicBool::new(false),
            held_bytes: Arc::default(),
        })
    }

    pub(crate) fn databases(&self) -> &[Named] {
        &self.databases
    }

    /// The database of a name; the first one for `None`.
    pub(crate) fn database(&self, name: Option<&str>) -> Result<&Named, Failure> {
        let found = match name {
            None => self.databases.first(),
            Some(name) => self.databases.iter().find(|named| &*named.name == name),
        };
        found.ok_or_else(|| {
            let known: Vec<&str> = self.databases.iter().map(|named| &*named.name).collect();
            let message = format!(
                "there is no database {:?}; there are: {}",
                name.unwrap_or_default(),
                known.join(", ")
            );
            Failure::new(Kind::NotFound, message)
        })
    }

    /// The jobs of a database.
    pub(crate) fn jobs(&self, named: &Named) -> Result<&Jobs, Failure> {
        self.jobs.get(&named.name).ok_or_else(|| Failure::system("the database has no jobs"))
    }

    /// Refuses where nothing may be written.
    pub(crate) fn must_write(&self, named: &Named) -> Result<(), Failure> {
        if self.settings.may_write && named.served.about().is_writable {
            return Ok(());
        }
        let message = "this server only reads; start it with --write to add and remove documents";
        Err(Failure::new(Kind::Forbidden, message))
    }

    /// Counts bytes of a body that is held; refuses more than may be held together.
    pub(crate) fn hold(&self, bytes: usize) -> Result<Held, Failure> {
        let (held, before) = Held::count(&self.held_bytes, bytes);
        if before + bytes > self.settings.limits.held_bytes {
            return Err(Failure::new(Kind::Busy, "the server holds as many uploads as it may; try again"));
        }
        Ok(held)
    }
}
