use std::ops::ControlFlow;

use super::Database;
use crate::evaluate::{self, Question, Recall, Scored, Scores};
use crate::{Answer, AnswerToken, AskOptions, Error, RetrieveOptions, Watch, answer};

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
    /// without a word ([`has_word`](crate::has_word)) gets no answer either.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let encoder = std::sync::Arc::new(postil::HashEncoder::default());
    /// # let options = postil::Database::options().encoder(encoder).generator_named("quote");
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// # db.ingest(postil::Document::new("travel.txt", "Trains are booked by the front desk."))?;
    /// use postil::{AskOptions, Mode};
    /// let answer = db.ask_with("Who books trains?", &AskOptions::new().k(3).mode(Mode::Token))?;
    /// assert_eq!(answer.citations()[0].document, "travel.txt");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::EmptyQuestion`]; [`Error::SeveralQuestions`]; as [`AskOptions::check`]; [`Error::Encode`] when the
    /// question is longer than the encoder reads, [`Error::Generate`] when it is longer than the generator does (96 word pieces for the default one),
    /// an option cannot be computed with, or the generator fails; as [`Database::generator`].
    pub fn ask_with(&self, question: &str, options: &AskOptions) -> Result<Answer, Error> {
        self.ask_streaming(question, options, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`Database::ask_with`], telling `watch` each token with its text and its posterior over the
    /// passages, in the order of [`Answer::passages`].
    ///
    /// Where decoding [streams](crate::Decode::streams) each is told as it is chosen, and breaking ends the
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
        answer::ask(self, question, options, watch)
    }

    /// Answers each of the questions that a text asks ([`questions_in`](crate::questions_in)), in their
    /// order, each with the question as it was taken.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let encoder = std::sync::Arc::new(postil::HashEncoder::default());
    /// # let options = postil::Database::options().encoder(encoder).generator_named("quote");
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// # db.ingest(postil::Document::new("travel.txt", "Trains are booked by the front desk."))?;
    /// use postil::AskOptions;
    /// let answers = db.ask_each("Who books trains? What is booked by the front desk?", &AskOptions::new())?;
    /// assert_eq!(answers[0].0, "Who books trains?");
    /// assert_eq!(answers.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Database::ask_with`], for the first question that fails.
    pub fn ask_each(&self, text: &str, options: &AskOptions) -> Result<Vec<(String, Answer)>, Error> {
        answer::ask_each(self, text, options)
    }

    /// Share of `questions` whose passage, the document with the question's `pid`, is among the first 1, 5 and
    /// 10 hits, whatever the k of `options`. Questions without a `pid` are left out; for one too long for the encoder
    /// nothing is found. Cancelled, it is of those asked until then.
    ///
    /// # Errors
    /// As [`Database::retrieve`].
    pub fn evaluate_retrieval(
        &self,
        questions: &[Question],
        options: &RetrieveOptions,
        watch: &Watch<'_>,
    ) -> Result<Recall, Error> {
        evaluate::retrieval(self, questions, options, watch)
    }

    /// Asks every question and scores the answers; `each` is told of every one. A question too long for a
    /// model, or one that is several, counts as one not answered. Cancelled, the scores are of those asked until then.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let encoder = std::sync::Arc::new(postil::HashEncoder::default());
    /// # let options = postil::Database::options().encoder(encoder).generator_named("quote");
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// # db.ingest(postil::Document::new("travel.txt", "Trains are booked by the front desk."))?;
    /// use postil::evaluate::Question;
    /// use postil::{AskOptions, Watch};
    /// let question = Question {
    ///     question: "Who books trains?".to_owned(),
    ///     answers: vec!["the front desk".to_owned()],
    ///     pid: Some("travel.txt".to_owned()),
    ///     kind: None,
    /// };
    /// let scores = db.evaluate(&[question], &AskOptions::new(), &Watch::default(), &mut |_| {})?;
    /// assert_eq!(scores.questions, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Database::ask_with`], for the first question that fails.
    pub fn evaluate(
        &self,
        questions: &[Question],
        options: &AskOptions,
        watch: &Watch<'_>,
        each: &mut dyn FnMut(&Scored<'_>),
    ) -> Result<Scores, Error> {
        evaluate::answers(self, questions, options, watch, each)
    }
}
