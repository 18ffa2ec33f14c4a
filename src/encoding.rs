//! The encoder of a database: chosen when the database is made, recorded, and checked at every
//! opening.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use postil_contract::{Encoder, EncoderProfile, Similarity};
use postil_encoder::{BertEncoder, HashEncoder};
use postil_storage::{Metric, Profile};

use crate::chunk::ChunkOptions;
use crate::{Error, Options, locating};

/// The model a new database is made with when none is named.
pub const DEFAULT_MODEL: &str = "all-MiniLM-L6-v2";

/// Mark between the names of two models that are used as one.
const PAIR: char = '+';

/// Names of the attributes in which a database records its chunking.
const MAX_TOKENS: &str = "chunk.max_tokens";
const OVERLAP_SENTENCES: &str = "chunk.overlap_sentences";

/// The profile of a new database.
pub(crate) fn profile(options: &Options) -> Result<Profile, Error> {
    let encoder = match &options.encoder {
        Some(encoder) => Arc::clone(encoder),
        None => open_model(options.model.as_deref().unwrap_or(DEFAULT_MODEL))?,
    };
    let EncoderProfile { name, fingerprint, dimension, similarity, .. } = encoder.profile().clone();
    let metric = match similarity {
        Similarity::Cosine => Metric::Cosine,
        Similarity::Dot => Metric::Dot,
    };
    let ChunkOptions { max_tokens, overlap_sentences } = options.chunking.clone().unwrap_or_default();
    if max_tokens == 0 {
        return Err(Error::NoTokens);
    }
    let attributes = BTreeMap::from([
        (MAX_TOKENS.to_owned(), max_tokens.to_string()),
        (OVERLAP_SENTENCES.to_owned(), overlap_sentences.to_string()),
    ]);
    Ok(Profile { encoder: name, fingerprint, attributes, ..Profile::new(dimension, metric) })
}

/// The chunking of a database, as recorded when it was made. Refuses any other: it would mix
/// passages of two kinds, and unchanged documents would be embedded again.
pub(crate) fn chunking(recorded: &Profile, given: Option<ChunkOptions>) -> Result<ChunkOptions, Error> {
    let number = |name: &'static str, default: usize| match recorded.attributes.get(name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| Error::Attribute { name, value: text.clone() }),
    };
    let default = ChunkOptions::default();
    let recorded = ChunkOptions {
        max_tokens: number(MAX_TOKENS, default.max_tokens)?,
        overlap_sentences: number(OVERLAP_SENTENCES, default.overlap_sentences)?,
    };
    match given {
        Some(given) if given != recorded => Err(Error::Chunking { recorded, given }),
        _ => Ok(recorded),
    }
}

/// Refuses an encoder whose fingerprint is not the recorded one.
pub(crate) fn check(recorded: &Profile, given: &EncoderProfile) -> Result<(), Error> {
    if recorded.fingerprint == given.fingerprint {
        return Ok(());
    }
    if recorded.encoder.is_empty() {
        return Err(Error::NoEncoder { dimension: recorded.dimension });
    }
    Err(Error::EncoderMismatch {
        database: recorded.encoder.clone(),
        database_fingerprint: recorded.fingerprint.clone(),
        given: given.name.clone(),
        given_fingerprint: given.fingerprint.clone(),
    })
}

/// Opens the recorded encoder of the database at `database`.
pub(crate) fn open(recorded: &Profile, database: &Path) -> Result<Arc<dyn Encoder>, Error> {
    match recorded.encoder.as_str() {
        "" => Err(Error::NoEncoder { dimension: recorded.dimension }),
        name if name == HashEncoder::NAME || pair(name).is_some() => {
            let encoder = open_model(name)?;
            check(recorded, encoder.profile())?;
            Ok(encoder)
        }
        _ => locating::find(recorded, database),
    }
}

/// Opens an installed model by name or folder; the stand-in [`HashEncoder`] needs no installing.
/// `QUESTIONS+PASSAGES` opens two models, each named like that, of which one encodes questions and
/// the other passages, as for DPR.
///
/// # Errors
/// [`Error::ModelMissing`] when it is not installed, [`Error::Encoder`] when it is damaged or of an
/// unsupported kind.
pub fn open_model(name: &str) -> Result<Arc<dyn Encoder>, Error> {
    if name == HashEncoder::NAME {
        return Ok(Arc::new(HashEncoder::default()));
    }
    let Some((questions, passages)) = pair(name) else {
        let Located { name, folder } = located(name)?;
        return Ok(Arc::new(BertEncoder::open(&folder)?.with_name(name)));
    };
    let (questions, passages) = (located(questions)?, located(passages)?);
    let name = format!("{}{PAIR}{}", questions.name, passages.name);
    Ok(Arc::new(BertEncoder::open_pair(&questions.folder, &passages.folder)?.with_name(name)))
}

/// The names of the two models that `name` names; `None` when it names one.
fn pair(name: &str) -> Option<(&str, &str)> {
    let (questions, passages) = name.split_once(PAIR)?;
    let is_pair = !questions.is_empty() && !passages.is_empty() && located(name).is_err();
    is_pair.then_some((questions, passages))
}

/// Folder of one installed model, of one side.
#[cfg(feature = "train")]
pub(crate) fn folder(name: &str) -> Result<PathBuf, Error> {
    located(name).map(|located| located.folder)
}

/// A model on this machine.
struct Located {
    /// The name that is recorded: one in the model home, or the absolute path of its folder. Either
    /// leads back here.
    name: String,
    folder: PathBuf,
}

fn located(name: &str) -> Result<Located, Error> {
    // A known model may be asked for by its hub id, and is installed under its name.
    let name = postil_checkpoint::known_model(name).map_or(name, |known| known.name);
    let missing = |source| Error::ModelMissing { name: name.to_owned(), source };
    // Without a model home, a folder can still be given.
    let home = match postil_checkpoint::model_home() {
        Err(_) if Path::new(name).join("config.json").is_file() => None,
        home => Some(home.map_err(missing)?),
    };
    let folder = match &home {
        Some(home) => postil_checkpoint::locate(name, home).map_err(missing)?,
        None => name.into(),
    };
    let name = if home.is_some_and(|home| folder == home.join(name)) {
        name.to_owned()
    } else {
        std::path::absolute(&folder).unwrap_or_else(|_| folder.clone()).to_string_lossy().into_owned()
    };
    Ok(Located { name, folder })
}
