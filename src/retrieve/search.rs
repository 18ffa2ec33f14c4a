use crate::{Error, ReadOnlyDatabase};

/// The vector of a question, `[dimension]`.
pub(crate) fn question_vector(db: &ReadOnlyDatabase, query: &str) -> Result<Vec<f32>, Error> {
    if query.trim().is_empty() {
        return Err(Error::EmptyQuestion);
    }
    if query.len() > db.max_question_bytes {
        let (got_bytes, max_bytes) = (query.len(), db.max_question_bytes);
        return Err(Error::QuestionTooLong { got_bytes, max_bytes });
    }
    let embeddings = db.encoder()?.encode_questions(&[query])?;
    let vector = embeddings.row(0).ok_or(Error::VectorCount { got: 0, expected: 1 })?;
    Ok(vector.to_vec())
}
