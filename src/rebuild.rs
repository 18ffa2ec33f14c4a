//! A fresh database made from the readable part of a damaged one.

use std::path::Path;

use postil_storage::{DocumentWrite, Profile, Rebuilt, Store};

use crate::{Error, Options, Progress, Watch};

impl Options {
    /// Makes a fresh database at `to`, which must not exist, from what can be read of the one at
    /// `from`, which is not changed. Documents whose vectors cannot be read are embedded again
    /// where their encoder is found.
    ///
    /// An encoder, model or dimension given here stands in for a lost manifest.
    ///
    /// # Errors
    /// [`Error::Storage`] when no documents can be read at all, when the old database is in use, or
    /// something is at `to`; as [`Options::open`] for an encoder or model given. Nothing is left at
    /// `to` then. [`Error::Cancelled`] when it was cancelled before it began; once begun, it runs
    /// to its end.
    pub fn rebuild(
        self,
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
        watch: &Watch<'_>,
    ) -> Result<Rebuilt, Error> {
        watch.begin()?;
        let mut progress = Progress::default();
        let (from, given) = (from.as_ref(), self.given()?);
        let mut encoder = None;
        let mut embed = |profile: &Profile, document: &DocumentWrite, at: &[usize]| {
            let encoder = encoder.get_or_insert_with(|| self.encoder_of(profile, from));
            let vectors = again(encoder, document, at)?;
            progress.passages_embedded += at.len() as u64;
            watch.report(&progress);
            Ok(vectors)
        };
        Ok(Store::rebuild(from, to, self.store.clone(), given, &mut embed)?)
    }

    /// The profile that the caller gives for the database; `None` when the options name none.
    fn given(&self) -> Result<Option<Profile>, Error> {
        if let Some((dimension, metric)) = self.bare {
            return Ok(Some(Profile::new(dimension, metric)));
        }
        #[cfg(feature = "encoder")]
        if self.encoder.is_some() || self.model.is_some() {
            return crate::encoding::profile(self).map(Some);
        }
        Ok(None)
    }
}

#[cfg(feature = "encoder")]
mod with_encoder {
    use std::path::Path;
    use std::sync::Arc;

    use postil_contract::{Encoder, Passage};
    use postil_storage::{DocumentWrite, EmbedError, Profile};

    use crate::{Error, Options, encoding, open_model};

    /// An encoder, or the error that kept it from being opened, which every document is told.
    pub(super) type Found = Result<Arc<dyn Encoder>, Arc<Error>>;

    impl Options {
        /// The encoder that a database was made with: the one given, or the one recorded.
        pub(super) fn encoder_of(&self, profile: &Profile, database: &Path) -> Found {
            let given = match (&self.encoder, &self.model) {
                (Some(encoder), _) => Ok(Arc::clone(encoder)),
                (None, Some(model)) => open_model(model),
                (None, None) => encoding::open(profile, database),
            };
            let checked =
                given.and_then(|encoder| encoding::check(profile, encoder.profile()).map(|()| encoder));
            checked.map_err(Arc::new)
        }
    }

    pub(super) fn again(
        encoder: &Found,
        document: &DocumentWrite,
        at: &[usize],
    ) -> Result<Vec<Vec<f32>>, EmbedError> {
        let encoder = encoder.as_ref().map_err(Clone::clone)?;
        let mut passages = Vec::with_capacity(at.len());
        for passage in at.iter().map(|&at| &document.passages[at]) {
            let text = passage.text(&document.text).ok_or("a passage is no range of the text")?;
            passages.push((&passage.heading, text));
        }
        let passages: Vec<_> =
            passages.iter().map(|(heading, text)| Passage { title: heading, text }).collect();
        let embeddings = encoder.encode_passages(&passages)?;
        if embeddings.len() != at.len() {
            return Err(Error::VectorCount { got: embeddings.len(), expected: at.len() }.into());
        }
        Ok(embeddings.rows().map(<[f32]>::to_vec).collect())
    }
}
#[cfg(feature = "encoder")]
use with_encoder::again;

#[cfg(not(feature = "encoder"))]
impl Options {
    fn encoder_of(&self, _: &Profile, _: &Path) {}
}

#[cfg(not(feature = "encoder"))]
fn again(_: &mut (), _: &DocumentWrite, _: &[usize]) -> Result<Vec<Vec<f32>>, postil_storage::EmbedError> {
    Err("this build has no encoder".into())
}
