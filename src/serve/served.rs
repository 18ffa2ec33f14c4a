use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use postil_server::{
    About, Answered, Ask, Failure, Found, Incoming, Json, Kind, Listed, Listing, Progress, Removed, Search,
    Served, Stored, Watch,
};
use postil_storage::ErrorKind;

use super::{answers, find, form, store};
use crate::{Database, Error, Options, ReadOnlyDatabase};

/// Time between two looks for a newer published state.
const LOOKS: Duration = Duration::from_secs(1);

/// An open database that can be served.
pub struct Serving {
    open: Open,
    generator: String,
    looked: Mutex<Instant>,
}

enum Open {
    /// The one writer.
    Written(Box<Database>),
    /// The present state, without changes.
    Read(Box<ReadOnlyDatabase>),
    /// The state that another process published, looked for again and again.
    Published(Box<ReadOnlyDatabase>),
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving").field("database", self.readable()).finish_non_exhaustive()
    }
}

/// State of a database that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The present one, as its one writer.
    Write,
    /// The present one, or, where another process has the database open, what that published. As long
    /// as the present one is open, no other process can open it.
    Read,
    /// The state that was published last, which keeps no other process from opening the database.
    Published,
}

/// Opens a database to serve it.
///
/// # Errors
/// As [`Options::open`] and [`Options::open_read_only`]; [`Error::Storage`] when another process
/// has the database open and published nothing, or nothing was published and [`Access::Published`] is
/// asked for.
pub fn open(path: impl AsRef<Path>, generator: &str, access: Access) -> Result<Serving, Error> {
    let path = path.as_ref();
    let options = || Options::default().generator_named(generator);
    let open = match access {
        Access::Write => Open::Written(Box::new(options().must_exist(true).open(path)?)),
        Access::Published => Open::Published(Box::new(options().open_published(path)?)),
        Access::Read => match options().open_read_only(path) {
            Ok(db) => Open::Read(Box::new(db)),
            // The first error says who has it open, and what to do.
            Err(error) if error.kind() == ErrorKind::InUse => {
                Open::Published(Box::new(options().open_published(path).map_err(|_| error)?))
            }
            Err(error) => return Err(error),
        },
    };
    Ok(Serving { open, generator: generator.to_owned(), looked: Mutex::new(Instant::now()) })
}

impl Serving {
    /// True when it shows what another process published.
    #[must_use]
    pub fn is_published(&self) -> bool {
        matches!(self.open, Open::Published(_))
    }

    fn readable(&self) -> &ReadOnlyDatabase {
        match &self.open {
            Open::Written(db) => db,
            Open::Read(db) | Open::Published(db) => db,
        }
    }

    /// The database in its newest state that can be seen.
    fn newest(&self) -> Result<&ReadOnlyDatabase, Failure> {
        if let Open::Published(db) = &self.open {
            let is_due = {
                let mut looked = self.looked.lock();
                let is_due = looked.elapsed() >= LOOKS;
                if is_due {
                    *looked = Instant::now();
                }
                is_due
            };
            if is_due {
                db.refresh().map_err(form::failed)?;
            }
        }
        Ok(self.readable())
    }

    fn writer(&self) -> Result<&Database, Failure> {
        match &self.open {
            Open::Written(db) => Ok(db),
            Open::Read(_) | Open::Published(_) => {
                Err(Failure::new(Kind::Forbidden, "the database was opened to be read only"))
            }
        }
    }
}

impl Served for Serving {
    fn about(&self) -> About {
        let profile = self.readable().profile();
        About {
            encoder: Some(profile.encoder.clone()).filter(|name| !name.is_empty()),
            dimension: profile.dimension,
            generator: self.generator.clone(),
            is_writable: matches!(self.open, Open::Written(_)),
            is_published: self.is_published(),
        }
    }

    fn warm(&self) -> Result<(), Failure> {
        if self.about().encoder.is_none() {
            return Ok(());
        }
        self.readable().generator().map(drop).map_err(form::failed)
    }

    fn search(&self, search: &Search) -> Result<Vec<Found>, Failure> {
        find::search(self.newest()?, search)
    }

    fn ask(&self, ask: &Ask, watch: &mut Watch<'_>) -> Result<Vec<Answered>, Failure> {
        answers::ask(self.newest()?, ask, watch)
    }

    fn document(&self, key: &str) -> Result<Option<Stored>, Failure> {
        find::document(self.newest()?, key)
    }

    fn passages(&self, key: &str) -> Result<Option<Json>, Failure> {
        find::passages(self.newest()?, key)
    }

    fn documents(&self, listing: &Listing) -> Result<Vec<Listed>, Failure> {
        find::documents(self.newest()?, listing)
    }

    fn stat(&self) -> Result<Json, Failure> {
        form::json(&self.newest()?.stat().map_err(form::failed)?)
    }

    fn embed(&self, texts: &[String], as_questions: bool) -> Result<Vec<Vec<f32>>, Failure> {
        find::embed(self.readable(), texts, as_questions)
    }

    fn ingest(&self, documents: Vec<Incoming>, progress: &Arc<Progress>) -> Result<Json, Failure> {
        store::ingest(self.writer()?, documents, progress)
    }

    fn remove(&self, keys: &[String]) -> Result<Removed, Failure> {
        store::remove(self.writer()?, keys)
    }

    fn compact(&self, progress: &Arc<Progress>) -> Result<Json, Failure> {
        store::compact(self.writer()?, progress)
    }

    fn publish(&self) -> Result<Json, Failure> {
        store::publish(self.writer()?)
    }

    fn backup(&self, to: &Path, progress: &Arc<Progress>) -> Result<Json, Failure> {
        store::backup(self.newest()?, to, progress)
    }

    fn finish(&self) -> Result<(), Failure> {
        match &self.open {
            Open::Written(db) => db.finish().map_err(form::failed),
            Open::Read(_) | Open::Published(_) => Ok(()),
        }
    }
}
