use std::borrow::Cow;
use std::ops::ControlFlow;

use postil_contract::Passage;
use postil_generator::{AnswerToken, Retrieved, answer_watched};

use super::about::about;
use super::questions::{Asked, asked_in};
use super::{Answer, AskOptions};
use crate::{Error, ReadOnlyDatabase, has_word};

/// Answers one question; see [`ReadOnlyDatabase::ask_streaming`].
pub(crate) fn ask(
    db: &ReadOnlyDatabase,
    question: &str,
    options: &AskOptions,
    watch: &mut dyn FnMut(&AnswerToken) -> ControlFlow<()>,
) -> Result<Answer, Error> {
    match asked_in(question).as_slice() {
        [one] => ask_one(db, one, options, watch),
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
        let answer = ask_one(db, &asked, options, &mut |_| ControlFlow::Continue(()))?;
        Ok((asked.question, answer))
    };
    asked_in(text).into_iter().map(one).collect()
}

fn ask_one(
    db: &ReadOnlyDatabase,
    asked: &Asked,
    options: &AskOptions,
    watch: &mut dyn FnMut(&AnswerToken) -> ControlFlow<()>,
) -> Result<Answer, Error> {
    options.check()?;
    let question = &asked.question;
    let found = db.retrieve(&asked.about, &options.retrieval())?;
    if found.is_empty() || !has_word(question) {
        return Ok(Answer::from_nothing(options.mode));
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
    let generator = db.generator()?;
    let options = options.for_generator(db.encoder()?.profile().score_scale, &*generator);
    let answer = answer_watched(&*generator, question, &passages, &options, watch)?;
    Answer::placed(&db.state(), &found, answer)
}
