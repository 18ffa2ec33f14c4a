//! Adaptation of a database's encoder to its documents: `plugins/training` sees the texts, and the
//! database gets the model that came out.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use postil_training::{AdaptOptions, Adapted, Section, Source, Stepped, TrainError};

use crate::{Database, Error, ReadOnlyDatabase, Reencoded, Watch, encoding};

/// The result of [`adapt`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Adaptation {
    /// Scores and figures of the training.
    pub adapted: Adapted,
    /// Name under which the new model is installed, beside the old one; `None` when it is not better
    /// beyond noise, and nothing has changed.
    pub model: Option<String>,
    /// The database's change of encoder; `None` likewise.
    pub reencoded: Option<Reencoded>,
}

/// Trains the encoder of the database at `path` on its documents, without labels. A model that
/// finds passages of held-out documents better, beyond noise, is installed beside the old one, and
/// the database embedded anew with it; otherwise nothing changes.
///
/// The database is read at the beginning and may be used and changed during the training. What an
/// interrupted run needs to go on is at `NAME.adapting` beside the database.
///
/// # Errors
/// [`Error::Train`]; [`Error::NoEncoder`] for bare vectors; as [`Options::reencode`](crate::Options::reencode).
pub fn adapt(
    path: impl AsRef<Path>,
    options: &AdaptOptions,
    step: &mut dyn FnMut(&Stepped) -> ControlFlow<()>,
    watch: &Watch<'_>,
) -> Result<Adaptation, Error> {
    let path = path.as_ref();
    let db = Database::open_read_only(path)?;
    let encoder = db.encoder()?;
    let parent = encoding::folder(&encoder.profile().name)?;
    let documents = sources(&db)?;
    drop(db);
    let home = postil_checkpoint::model_home().map_err(TrainError::from).map_err(failed)?;
    let to = free(&home, &parent, path);
    let state = with_ending(path, ".adapting");
    let adapted = postil_training::adapt(&parent, documents, options, (&state, &to), step).map_err(failed)?;
    let mut adaptation = Adaptation { adapted, model: None, reencoded: None };
    if adaptation.adapted.folder.is_some() {
        let name = to.file_name().unwrap_or_default().to_string_lossy().into_owned();
        adaptation.reencoded = Some(Database::options().model(&name).reencode(path, watch)?);
        adaptation.model = Some(name);
    }
    Ok(adaptation)
}

fn failed(error: TrainError) -> Error {
    match error {
        TrainError::Cancelled => Error::Cancelled,
        error => Error::Train(Box::new(error)),
    }
}

/// The texts of all documents.
fn sources(db: &ReadOnlyDatabase) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for document in db.documents() {
        let document = document?;
        let passages = db.passages(&document.key)?.unwrap_or_default();
        let passages =
            passages.into_iter().map(|passage| Section { heading: passage.heading, text: passage.text });
        sources.push(Source { title: document.title, passages: passages.collect() });
    }
    Ok(sources)
}

/// A place in the model home that is free: the parent's name with the database's.
fn free(home: &Path, parent: &Path, database: &Path) -> PathBuf {
    let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    // The ending of a model's name is no ending.
    let parent = parent.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = format!("{parent}-{}", name(database));
    let names = std::iter::once(name.clone()).chain((2u32..).map(|number| format!("{name}-{number}")));
    names.map(|name| home.join(name)).find(|place| !place.exists()).unwrap_or_else(|| home.join(&name))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(ending);
    path.with_file_name(name)
}
