use postil_storage::{Hit, SearchOptions};

use crate::{Database, Error};

impl Database {
    /// The rows nearest to `query`, `[dimension]`, best first, with exact scores.
    ///
    /// # Errors
    /// [`Error::Storage`] for a wrong dimension, a component that is not finite, k = 0, or a zero vector
    /// under cosine.
    pub fn search_vector(&self, query: &[f32], options: &SearchOptions) -> Result<Vec<Hit>, Error> {
        Ok(self.store().search(query, options)?)
    }

    /// The passages nearest in meaning to `query`, best first, with exact scores. Each row is a hit of its own,
    /// also where several say the same; [`Database::retrieve`] takes these for one.
    ///
    /// # Errors
    /// [`Error::EmptyQuestion`], [`Error::QuestionTooLong`]; [`Error::Encode`] when the question is longer than the model reads;
    /// otherwise as [`Database::search_vector`] and [`Database::encoder`].
    #[cfg(feature = "encoder")]
    pub fn search(&self, query: &str, options: &SearchOptions) -> Result<Vec<Hit>, Error> {
        self.search_vector(&self.question_vector(query)?, options)
    }

    /// The vector of a question, `[dimension]`.
    #[cfg(feature = "encoder")]
    pub(super) fn question_vector(&self, query: &str) -> Result<Vec<f32>, Error> {
        if query.trim().is_empty() {
            return Err(Error::EmptyQuestion);
        }
        if query.len() > self.max_question_bytes {
            let (got_bytes, max_bytes) = (query.len(), self.max_question_bytes);
            return Err(Error::QuestionTooLong { got_bytes, max_bytes });
        }
        let embeddings = self.encoder()?.encode_questions(&[query])?;
        let vector = embeddings.row(0).ok_or(Error::VectorCount { got: 0, expected: 1 })?;
        Ok(vector.to_vec())
    }
}
