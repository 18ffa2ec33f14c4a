//! An open database, as all its Python objects hold it: closed ones are refused, and so is the child of
//! a fork, which has neither the threads of the parent nor its lock.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use postil::plugin::Generator;
use postil::{Database, ReadOnlyDatabase};
use pyo3::prelude::*;

use crate::encoder::Raised;
use crate::errors::{Failure, exception};

/// A database that is open to be written, or only to be read.
pub(crate) enum Either {
    Writable(Database),
    Readable(ReadOnlyDatabase),
}

impl Deref for Either {
    type Target = ReadOnlyDatabase;

    fn deref(&self) -> &ReadOnlyDatabase {
        match self {
            Self::Writable(database) => database,
            Self::Readable(database) => database,
        }
    }
}

impl Either {
    /// The database to write to.
    ///
    /// # Errors
    /// `NotPermitted` when it was opened to be read.
    pub(crate) fn writable(&self, py: Python<'_>) -> PyResult<&Database> {
        match self {
            Self::Writable(database) => Ok(database),
            Self::Readable(database) => {
                let path = database.path().display();
                let message = format!("{path} was opened to be read only; open it without read_only=True");
                Err(exception(py, "NotPermitted", message))
            }
        }
    }
}

/// An open database, or one that was closed.
pub(crate) struct Handle {
    database: RwLock<Option<Arc<Either>>>,
    /// The process that opened it.
    process: u32,
    /// Name of its folder, for messages.
    pub(crate) path: String,
    /// Exceptions that its encoder and generators raised.
    pub(crate) raised: Arc<Raised>,
    /// Generators that were opened by name.
    pub(crate) generators: Mutex<HashMap<String, Arc<dyn Generator>>>,
}

impl Handle {
    pub(crate) fn new(database: Either, raised: Arc<Raised>) -> Self {
        Self {
            path: database.path().display().to_string(),
            database: RwLock::new(Some(Arc::new(database))),
            process: std::process::id(),
            raised,
            generators: Mutex::default(),
        }
    }

    /// The database.
    ///
    /// # Errors
    /// `Closed`, or `Forked` in another process than opened it.
    pub(crate) fn get(&self, py: Python<'_>) -> PyResult<Arc<Either>> {
        self.here(py)?;
        self.database.read().as_ref().map(Arc::clone).ok_or_else(|| {
            exception(py, "Closed", format!("{} is closed; open it again with postil.open", self.path))
        })
    }

    /// Closes the database, for this and all later calls; those that run in other threads end first.
    pub(crate) fn take(&self, py: Python<'_>) -> PyResult<Option<Arc<Either>>> {
        self.here(py)?;
        Ok(self.database.write().take())
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.database.read().is_none()
    }

    fn here(&self, py: Python<'_>) -> PyResult<()> {
        if self.process == std::process::id() {
            return Ok(());
        }
        let message = format!(
            "{} was opened before this process was forked; start processes by \
             multiprocessing.set_start_method(\"spawn\")",
            self.path
        );
        Err(exception(py, "Forked", message))
    }

    /// The exception of a failed call, whose cause is what a callback raised.
    pub(crate) fn raise(&self, py: Python<'_>, failure: Failure) -> PyErr {
        failure.raised(py, self.raised.take())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // In a forked child, closing would wait for threads that are not there.
        if self.process != std::process::id() {
            std::mem::forget(self.database.get_mut().take());
            std::mem::forget(std::mem::take(self.generators.get_mut()));
        }
    }
}
