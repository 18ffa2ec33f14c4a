use std::borrow::Cow;
use std::ops::ControlFlow;

use postil_contract::Passage;
use postil_generator::{AnswerToken, Retrieved, answer_watched};

use super::about::about;
use super::questions::{Asked, asked_in};
use super::{Answer, AskOptions};
use crate::{Database, Error, has_word};

impl Database {
    /// Answers a question from the documents, with citations.
    ///
    /// # Errors
    /// As [`Database::ask_with`].
    pub fn ask(&self, question: &str) -> Result<Answer, Error> {
        self.ask_with(question, &AskOptions::default())
    }

    /// Answers a question from the documents, with citations.
    ///
    /// A database with nothing to answer from gives an [`Answer`] that says so, not an error; a question
    /// without a word ([`has_word`]) gets no answer either.
    ///
    /// # Errors
    /// [`Error::EmptyQuestion`]; [`Error::SeveralQuestions`]; as [`AskOptions::check`]; [`Error::Encode`] when the question is longer than the encoder reads,
    /// [`Error::Generate`] when it is longer than the generator does (96 word pieces for the default one),
    /// an option cannot be computed with, or the generator fails; as [`Database::generator`].
    pub fn ask_with(&self, question: &str, options: &AskOptions) -> Result<Answer, Error> {
        self.ask_streaming(question, options, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`Database::ask_with`], telling `watch` each token with its text and its posterior over the
    /// passages, in the order of [`Answer::passages`].
    ///
    /// Where decoding [streams](super::Decode::streams) each is told as it is chosen, and breaking ends the
    /// answer there: what there is of it comes back, not [finished](Answer::finished). Otherwise all are
    /// told at the end. What was told may still be withheld, since the evidence is weighed when the answer
    /// is whole.
    ///
    /// # Errors
    /// As [`Database::ask_with`].
    pub fn ask_streaming(
        &self,
        question: &str,
        options: &AskOptions,
        watch: &mut dyn FnMut(&AnswerToken) -> ControlFlow<()>,
    ) -> Result<Answer, Error> {
        match asked_in(question).as_slice() {
            [one] => self.ask_one(one, options, watch),
            several => {
                let questions = several.iter().map(|asked| asked.question.clone()).collect();
                Err(Error::SeveralQuestions { questions })
            }
        }
    }

    /// Answers each of the questions that a text asks ([`questions_in`](crate::questions_in)), in their
    /// order, each with the question as it was taken.
    ///
    /// # Errors
    /// As [`Database::ask_with`], for the first question that fails.
    pub fn ask_each(&self, text: &str, options: &AskOptions) -> Result<Vec<(String, Answer)>, Error> {
        let one = |asked: Asked| {
            let answer = self.ask_one(&asked, options, &mut |_| ControlFlow::Continue(()))?;
            Ok((asked.question, answer))
        };
        asked_in(text).into_iter().map(one).collect()
    }

    fn ask_one(
        &self,
        asked: &Asked,
        options: &AskOptions,
        watch: &mut dyn FnMut(&AnswerToken) -> ControlFlow<()>,
    ) -> Result<Answer, Error> {
        options.check()?;
        let question = &asked.question;
        let found = self.retrieve(&asked.about, &options.retrieval())?;
        if found.is_empty() || !has_word(question) {
            return Ok(Answer::from_nothing(options.mode));
        }
        let told: Vec<Cow<'_, str>> = found.iter().map(|found| about(&found.hit)).collect();
        let passages: Vec<Retrieved<'_>> = found
            .iter()
            .zip(&told)
            .map(|(found, title)| Retrieved {
                passage: Passage { title, text: &found.hit.text },
                relevance: found.relevance,
            })
            .collect();
        let generator = self.generator()?;
        let options = options.for_generator(self.encoder()?.profile().score_scale, &*generator);
        let answer = answer_watched(&*generator, question, &passages, &options, watch)?;
        Answer::placed(self.store(), &found, answer)
    }
}
