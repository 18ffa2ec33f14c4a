//! Evaluation of a database: questions with known answers in, scores out.
//!
//! Retrieval (recall@k), answers (exact match and F1 with SQuAD's normalization, Rajpurkar et al.
//! 2016), citations, abstention (Rajpurkar et al. 2018) and calibration, over any question set in
//! JSON Lines.
//!
//! file | responsibility
//! ---|---
//! `question.rs` | a question set
//! `agreement.rs` | comparison of an answer with the known ones
//! `said.rs` | the answer that is scored, of one part or several
//! `statistics.rs` | areas, percentiles, calibration
//! `scores.rs` | the outcomes of all questions to one table

mod agreement;
mod question;
mod said;
mod scores;
mod statistics;

use std::time::Instant;

pub use agreement::{exact_match, f1, normalize};
pub use question::{Question, QuestionError, questions};
pub use scores::{Bin, KindScores, RECALL_AT, Recall, Scores};
pub use statistics::roc_area;

use postil_contract::{EncodeError, GenerateError};

use crate::{
    Answer, AskOptions, Citation, Error, Progress, ReadOnlyDatabase, RetrieveOptions, Retrieved, Watch,
};
use said::Said;

/// A question, its answer, and how that was scored.
///
/// A text that asks several things is answered in parts. They are scored as one answer: their texts
/// joined, given when any part is, and right when all of it is.
#[derive(Clone, Copy, Debug)]
pub struct Scored<'a> {
    /// Its place among the questions, from 0.
    pub number: usize,
    /// The question, with its known answers.
    pub question: &'a Question,
    /// The answer, or one for each thing that the question asks.
    pub answers: &'a [Answer],
    /// True when no answer was given, not even to a part.
    pub no_answer: bool,
    /// The best answer: the one given, or the likeliest one that was withheld. The parts given are
    /// joined by blanks.
    pub said: &'a str,
    /// The probability that this answer is right, 0 to 1: its confidence, or p(answer | question)
    /// when that is not known; that of the parts multiplied.
    pub probability: f64,
    /// The citations of that answer, the likeliest first; those of the parts one after the other.
    pub citations: &'a [Citation],
    /// Exact match, 0 or 1, as [`Scores::exact_match`] counts it.
    pub exact_match: f64,
    /// F1 over words, 0 to 1, as [`Scores::f1`] counts it.
    pub f1: f64,
}

/// Scores retrieval; see [`ReadOnlyDatabase::evaluate_retrieval`].
pub(crate) fn retrieval(
    db: &ReadOnlyDatabase,
    questions: &[Question],
    options: &RetrieveOptions,
    watch: &Watch<'_>,
) -> Result<Recall, Error> {
    let mut options = options.clone();
    options.search.k = RECALL_AT[2];
    let mut ranks = Vec::with_capacity(questions.len());
    let asked = questions.iter().filter(|question| question.pid.is_some()).count();
    let mut progress = Progress { total_questions: Some(asked as u64), ..Progress::default() };
    for question in questions {
        if watch.is_cancelled() {
            break;
        }
        let Some(pid) = &question.pid else { continue };
        let found = match db.retrieve(&question.question, &options) {
            Err(error) if is_too_long(&error) => Vec::new(),
            found => found?,
        };
        let is_gold = |found: &Retrieved| {
            &found.hit.key == pid || found.copies.iter().any(|copy| &copy.document == pid)
        };
        ranks.push(found.iter().position(is_gold));
        progress.questions_asked += 1;
        watch.report(&progress);
    }
    Ok(Recall::of(&ranks))
}

/// Scores answers; see [`ReadOnlyDatabase::evaluate`].
pub(crate) fn answers(
    db: &ReadOnlyDatabase,
    questions: &[Question],
    options: &AskOptions,
    watch: &Watch<'_>,
    each: &mut dyn FnMut(&Scored<'_>),
) -> Result<Scores, Error> {
    let mut outcomes = Vec::with_capacity(questions.len());
    let mut progress = Progress { total_questions: Some(questions.len() as u64), ..Progress::default() };
    for (number, question) in questions.iter().enumerate() {
        if watch.is_cancelled() {
            break;
        }
        let start = Instant::now();
        let answers = match db.ask_each(&question.question, options) {
            Err(error) if is_too_long(&error) => vec![Answer::from_nothing(options.mode, db.first_name())],
            answers => answers?.into_iter().map(|(_, answer)| answer).collect(),
        };
        let ms = start.elapsed().as_secs_f64() * 1e3;
        let said = Said::of(&answers);
        let outcome = said.outcome(question, &answers, ms);
        each(&Scored {
            number,
            question,
            answers: &answers,
            no_answer: said.abstained,
            said: &said.text,
            probability: said.probability,
            citations: &said.citations,
            exact_match: outcome.scored(outcome.exact_match),
            f1: outcome.scored(outcome.f1),
        });
        outcomes.push(outcome);
        progress.questions_asked += 1;
        watch.report(&progress);
    }
    let kinds = questions.iter().map(|question| question.kind.as_deref());
    Ok(Scores::of(&outcomes).with_kinds(&kinds.zip(&outcomes).collect::<Vec<_>>()))
}
/// True when the error concerns the question rather than the database or the models.
fn is_too_long(error: &Error) -> bool {
    matches!(
        error,
        Error::Encode(EncodeError::TooLong { .. })
            | Error::Generate(GenerateError::QuestionTooLong { .. } | GenerateError::TooLong { .. })
    )
}
