use std::ops::ControlFlow;
use std::sync::Arc;

use postil_contract::Generator;

use super::ReadOnlyDatabase;
use crate::evaluate::{self, Question, Recall, Scored, Scores};
use crate::{Answer, AnswerToken, AskOptions, Error, RetrieveOptions, Warmed, Watch, answer, warm};

impl ReadOnlyDatabase {
    /// Answers a question from the documents, with citations.
    ///
    /// # Errors
    /// As [`ask_with`](Self::ask_with).
    pub fn ask(&self, question: &str) -> Result<Answer, Error> {
        self.ask_with(question, &AskOptions::default())
    }

    /// Answers a question from the documents, with citations.
    ///
    /// A database without documents gives an [`Answer`] that says so, not an error; so does a
    /// question without a word ([`has_word`](crate::has_word)).
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let encoder = std::sync::Arc::new(postil::HashEncoder::default());
    /// # let options = postil::Database::options().encoder(encoder).generator_named("quote");
    /// # let db = options.open(home.path().join("d.postil"))?;
    /// # db.ingest(postil::Document::new("travel.txt", "Trains are booked by the front desk."))?;
    /// use postil::{AskOptions, Mode};
    /// let answer = db.ask_with("Who booked the trains?", &AskOptions::new().k(3).mode(Mode::Token))?;
    /// assert_eq!(answer.citations()[0].document, "travel.txt");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::EmptyQuestion`]; [`Error::QuestionTooLong`]; [`Error::SeveralQuestions`]; as
    /// [`AskOptions::check`]; [`Error::Encode`] when the question is longer than the encoder reads, [`Error::Generate`]
    /// when it is longer than the generator reads (96 word pieces for the default one), an option
    /// is out of range, or the generator fails; as [`generator`](Self::generator).
    pub fn ask_with(&self, question: &str, options: &AskOptions) -> Result<Answer, Error> {
        self.ask_streaming(question, options, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`ask_with`](Self::ask_with), and passes each token to `watch`, with its text and its posterior
    /// over the passages, in the order of [`Answer::passages`].
    ///
    /// When decoding [streams](crate::Decode::streams), each token is passed as it is chosen, and
    /// `Break` ends the answer there: the part so far is returned, not
    /// [finished](crate::Conclusion::finished). Otherwise all tokens are passed at the end. An answer that was
    /// streamed may still be withheld, since its evidence is weighed when it is complete.
    ///
    /// # Errors
    /// As [`ask_with`](Self::ask_with).
    pub fn ask_streaming(
        &self,
        question: &str,
        options: &AskOptions,
        watch: &mut dyn FnMut(&AnswerToken) -> ControlFlow<()>,
    ) -> Result<Answer, Error> {
        answer::ask(self, None, question, options, &Watch::default(), watch)
    }

    /// As [`ask_streaming`](Self::ask_streaming), with the progress of reading the passages, as
    /// [`Progress::tokens_read`](crate::Progress::tokens_read), of a generator that takes long for it:
    /// a language model. A cancel while they are read is [`Error::Cancelled`]; later it ends the
    /// answer as `Break` of `each` does.
    ///
    /// # Errors
    /// As [`ask_with`](Self::ask_with); [`Error::Cancelled`].
    pub fn ask_watched(
        &self,
        question: &str,
        options: &AskOptions,
        watch: &Watch<'_>,
        each: &mut dyn FnMut(&AnswerToken) -> ControlFlow<()>,
    ) -> Result<Answer, Error> {
        answer::ask(self, None, question, options, watch, each)
    }

    /// Reads all passages with the generator, a decoder-only language model, and keeps what it computed
    /// beside the database, up to `limit_bytes`: a question about them is then answered as soon as it is
    /// read itself, in this process and in later ones. Nothing needs it: what is missing, damaged or
    /// of another model is computed again. Files of passages that are no longer in the database are
    /// deleted. After a cancel, what was read so far is kept.
    ///
    /// The files lie in a folder named after the database's with `.read` appended, and take far more
    /// room than texts: see [`Warmed::bytes`].
    ///
    /// # Errors
    /// [`Error::NothingToKeep`] for any other generator; [`Error::Read`] when the folder cannot be used;
    /// [`Error::Generate`] when a file cannot be written or the model fails; as
    /// [`generator`](Self::generator).
    pub fn warm(&self, limit_bytes: u64, watch: &Watch<'_>) -> Result<Warmed, Error> {
        warm::warm(self, limit_bytes, watch)
    }

    /// As [`ask_streaming`](Self::ask_streaming), answered by another generator than the database's
    /// own.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let encoder = std::sync::Arc::new(postil::HashEncoder::default());
    /// # let db = postil::Database::options().encoder(encoder).open(home.path().join("d.postil"))?;
    /// # db.ingest(postil::Document::new("travel.txt", "Trains are booked by the front desk."))?;
    /// use postil::{AskOptions, open_generator};
    /// use std::ops::ControlFlow::Continue;
    /// let quote = open_generator("quote", &db.encoder()?)?;
    /// let answer = db.ask_by(&quote, "Who books trains?", &AskOptions::new(), &mut |_| Continue(()))?;
    /// assert_eq!(answer.generator, "quote");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`ask_with`](Self::ask_with).
    pub fn ask_by(
        &self,
        generator: &Arc<dyn Generator>,
        question: &str,
        options: &AskOptions,
        watch: &mut dyn FnMut(&AnswerToken) -> ControlFlow<()>,
    ) -> Result<Answer, Error> {
        answer::ask(self, Some(generator), question, options, &Watch::default(), watch)
    }

    /// Answers each of the questions that a text asks ([`questions_in`](crate::questions_in)), in
    /// their order; returns each answer with its question.
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
    /// As [`ask_with`](Self::ask_with), for the first question that fails.
    pub fn ask_each(&self, text: &str, options: &AskOptions) -> Result<Vec<(String, Answer)>, Error> {
        answer::ask_each(self, text, options)
    }

    /// Share of `questions` whose passage, the document with the question's `pid`, is among the
    /// first 1, 5 and 10 hits, whatever the k of `options`. Questions without a `pid` are left out;
    /// one too long for the encoder counts as not found. After a cancel, only the questions asked
    /// so far count.
    ///
    /// # Errors
    /// As [`retrieve`](Self::retrieve).
    pub fn evaluate_retrieval(
        &self,
        questions: &[Question],
        options: &RetrieveOptions,
        watch: &Watch<'_>,
    ) -> Result<Recall, Error> {
        evaluate::retrieval(self, questions, options, watch)
    }

    /// Asks every question and scores the answers; `each` receives every scored answer. A question
    /// too long for a model counts as not answered; the answers to one that asks several things are
    /// scored joined, see [`Scored`]. After a cancel, the scores cover the questions asked so far.
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
    /// As [`ask_with`](Self::ask_with), for the first question that fails.
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
