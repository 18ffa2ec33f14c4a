use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

use postil_contract::{Generator, Passage};
use postil_generator::{AnswerToken, Retrieved, answer_watched};

use super::about::about;
use super::questions::{Asked, asked_in};
use super::sentences::wants_sentences;
use super::{Answer, AskOptions};
use crate::{Error, Progress, ReadOnlyDatabase, Watch, has_word};

/// Answers one question; see [`ReadOnlyDatabase::ask_watched`]. `generator` takes the place of the
/// database's own, and of the second one that `auto` asks.
pub(crate) fn ask(
    db: &ReadOnlyDatabase,
    generator: Option<&Arc<dyn Generator>>,
    question: &str,
    options: &AskOptions,
    watch: &Watch<'_>,
    each: &mut dyn FnMut(&AnswerToken) -> ControlFlow<()>,
) -> Result<Answer, Error> {
    match asked_in(question).as_slice() {
        [one] => ask_one(db, generator, one, options, watch, each),
        several => {
            let questions = several.iter().map(|asked| asked.question.clone()).collect();
            Err(Error::SeveralQuestions { questions })
        }
    }
}

/// Answers each question; see [`ReadOnlyDatabase::ask_each`].
pub(crate) fn ask_each(
    db: &ReadOnlyDatabase,
    text: &str,
    options: &AskOptions,
) -> Result<Vec<(String, Answer)>, Error> {
    let one = |asked: Asked| {
        let answer =
            ask_one(db, None, &asked, options, &Watch::default(), &mut |_| ControlFlow::Continue(()))?;
        Ok((asked.question, answer))
    };
    asked_in(text).into_iter().map(one).collect()
}

fn ask_one(
    db: &ReadOnlyDatabase,
    generator: Option<&Arc<dyn Generator>>,
    asked: &Asked,
    options: &AskOptions,
    watch: &Watch<'_>,
    each: &mut dyn FnMut(&AnswerToken) -> ControlFlow<()>,
) -> Result<Answer, Error> {
    options.check()?;
    let question = &asked.question;
    let found = db.retrieve(&asked.about, &options.retrieval())?;
    if found.is_empty() || !has_word(question) {
        return Ok(Answer::from_nothing(options.mode, db.first_name()));
    }
    let titles: Vec<Cow<'_, str>> = found.iter().map(|found| about(&found.hit)).collect();
    let passages: Vec<Retrieved<'_>> = found
        .iter()
        .zip(&titles)
        .map(|(found, title)| Retrieved {
            passage: Passage { title, text: &found.hit.text },
            relevance: found.relevance,
        })
        .collect();
    let scale = db.encoder()?.profile().score_scale;
    let ask_of = |generator: &dyn Generator, each: &mut dyn FnMut(&AnswerToken) -> ControlFlow<()>| {
        let options = options.for_generator(scale, generator);
        answer_watched(generator, question, &passages, &options, &|read, of| reading(watch, read, of), each)
    };
    let first = generator.map_or_else(|| db.generator(), |given| Ok(Arc::clone(given)))?;
    let has_second = generator.is_none() && db.has_second();
    let mut asked_first = None;
    if !has_second || !wants_sentences(question) {
        // The tokens of an answer that another may replace are passed on once it is kept.
        let mut told = Vec::new();
        let answer = match has_second {
            true => ask_of(&*first, &mut |token: &AnswerToken| {
                told.push(token.clone());
                ControlFlow::Continue(())
            })?,
            false => ask_of(&*first, &mut |token: &AnswerToken| ended(watch, each(token)))?,
        };
        if !has_second || answer.withheld.is_none() {
            let _ = told.iter().try_for_each(each);
            return Answer::placed(&db.state(), &found, answer, first.name());
        }
        asked_first = Some(answer);
    }
    let second = db.second_generator()?;
    let answer = ask_of(&*second, &mut |token: &AnswerToken| ended(watch, each(token)))?;
    match asked_first {
        // Both withhold: the first says better how sure it is that there is no answer.
        Some(first_answer) if answer.withheld.is_some() => {
            Answer::placed(&db.state(), &found, first_answer, first.name())
        }
        _ => Answer::placed(&db.state(), &found, answer, second.name()),
    }
}

/// Reports tokens read, and ends the reading after a cancel.
fn reading(watch: &Watch<'_>, read: usize, of: usize) -> ControlFlow<()> {
    watch.report(&Progress {
        tokens_read: read as u64,
        total_tokens: Some(of as u64),
        ..Progress::default()
    });
    ended(watch, ControlFlow::Continue(()))
}

/// `Break` after a cancel.
fn ended(watch: &Watch<'_>, flow: ControlFlow<()>) -> ControlFlow<()> {
    if watch.is_cancelled() { ControlFlow::Break(()) } else { flow }
}
