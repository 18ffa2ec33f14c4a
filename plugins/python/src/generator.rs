//! Generators that are Python functions: they name the possible answers, and say how likely each is under
//! each passage.

use std::ops::Range;
use std::sync::Arc;

use postil::plugin::{AnswerScores, Decoding, GenerateError, LogProbs, Passage, TokenId};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::encoder::Raised;
use crate::errors::{input, input_type, type_name};
use crate::rows::vectors;
use crate::texts::text;

/// The token that ends an answer; the one after it is the first answer.
const END: TokenId = 0;

/// A generator that is a Python function, `(question, passages) -> (answers, log_probs)`.
///
/// `passages` are the texts of the passages read; the last one may be empty, and asks how likely each
/// answer is without reading any. `log_probs` is `[answers, passages]`, natural log; under each passage
/// it is normalized over the answers. An answer `None` stands for "no answer".
#[pyclass(frozen, module = "postil")]
pub(crate) struct Generator {
    function: Py<PyAny>,
    name: String,
}

#[pymethods]
impl Generator {
    #[new]
    #[pyo3(signature = (function, name="python"))]
    fn new(function: &Bound<'_, PyAny>, name: &str) -> PyResult<Self> {
        if !function.is_callable() {
            let message = format!("a generator is {}, it must be a function", type_name(function));
            return Err(input_type(function.py(), message));
        }
        Ok(Self { function: function.clone().unbind(), name: name.to_owned() })
    }

    /// Name for messages.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    fn __repr__(&self) -> String {
        format!("Generator(name={:?})", self.name)
    }
}

impl Generator {
    /// A generator of a function that was given without a name.
    pub(crate) fn of(function: &Bound<'_, PyAny>) -> Self {
        Self { function: function.clone().unbind(), name: "python".to_owned() }
    }

    /// The generator for the library; it keeps exceptions in `raised`.
    pub(crate) fn plugin(&self, py: Python<'_>, raised: Arc<Raised>) -> PythonGenerator {
        PythonGenerator { function: self.function.clone_ref(py), name: self.name.clone(), raised }
    }
}

/// A generator that calls Python.
pub(crate) struct PythonGenerator {
    function: Py<PyAny>,
    name: String,
    raised: Arc<Raised>,
}

impl PythonGenerator {
    fn call(&self, py: Python<'_>, question: &str, passages: &[String]) -> PyResult<Said> {
        let given = self.function.bind(py).call1((question, PyList::new(py, passages)?))?;
        let (answers, log_probs): (Bound<'_, PyAny>, Bound<'_, PyAny>) = given
            .extract()
            .map_err(|_| input_type(py, "a generator gave no pair of answers and log-probabilities"))?;
        let mut texts = Vec::new();
        for answer in answers.try_iter()? {
            let answer = answer?;
            texts.push(if answer.is_none() { None } else { Some(text(&answer, "an answer")?) });
        }
        if texts.is_empty() {
            return Err(input(py, "a generator gave no answers; give None for \"no answer\""));
        }
        if texts.iter().filter(|text| text.is_none()).count() > 1 {
            return Err(input(py, "a generator gave \"no answer\" more than once"));
        }
        let found = vectors(&log_probs)?;
        let k = passages.len();
        if found.rows != Some(texts.len()) || found.dimension != k {
            let message = format!(
                "a generator gave log-probabilities of the shape [{}, {}] for {} answers and {k} passages",
                found.rows.unwrap_or(1),
                found.dimension,
                texts.len()
            );
            return Err(input(py, message));
        }
        let lines = (0..k).map(|z| normalized((0..texts.len()).map(|y| found.values[y * k + z]))).collect();
        Ok(Said { answers: texts, passages: passages.to_vec(), lines, rows: vec![vec![Vec::new(); k]] })
    }
}

/// Log-probabilities, with that of the end token, 0, before them; all -inf where none is possible.
fn normalized(line: impl Iterator<Item = f32>) -> Vec<f32> {
    let line: Vec<f32> = line.collect();
    let most = line.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = line.iter().map(|value| f64::from(value - most).exp()).sum();
    let total = most + sum.ln() as f32;
    let shifted = line.iter().map(|value| if most == f32::NEG_INFINITY { *value } else { value - total });
    std::iter::once(f32::NEG_INFINITY).chain(shifted).collect()
}

impl postil::plugin::Generator for PythonGenerator {
    fn name(&self) -> &str {
        &self.name
    }

    fn vocabulary_is_fixed(&self) -> bool {
        false
    }

    fn start<'a>(
        &'a self,
        question: &str,
        passages: &[Passage<'_>],
    ) -> Result<Box<dyn Decoding + 'a>, GenerateError> {
        if passages.is_empty() {
            return Err(GenerateError::NoPassages);
        }
        let texts: Vec<String> = passages.iter().map(|passage| passage.text.to_owned()).collect();
        let said = Python::attach(|py| {
            self.call(py, question, &texts).map_err(|error| {
                let reason = error.to_string();
                self.raised.keep(error);
                reason
            })
        });
        let said = said.map_err(|reason| GenerateError::Model { model: self.name.clone(), reason })?;
        for (passage, line) in said.lines.iter().enumerate() {
            if let Some(token) = line.iter().position(|value| value.is_nan() || *value == f32::INFINITY) {
                return Err(GenerateError::NotFinite { passage, token });
            }
        }
        Ok(Box::new(said))
    }
}

/// A decoding of an answer, which is one token, and the end token.
struct Said {
    answers: Vec<Option<String>>,
    passages: Vec<String>,
    /// Log-probabilities of the first token, by passage.
    lines: Vec<Vec<f32>>,
    /// The tokens of each row, by passage.
    rows: Vec<Vec<Vec<TokenId>>>,
}

impl Said {
    fn line(&self, passage: usize, said: &[TokenId]) -> Vec<f32> {
        let mut line = vec![f32::NEG_INFINITY; self.vocabulary()];
        match said {
            [] => line.copy_from_slice(&self.lines[passage]),
            // It cannot have said what is impossible under it.
            [token] if self.lines[passage][*token as usize] > f32::NEG_INFINITY => line[END as usize] = 0.0,
            _ => {}
        }
        line
    }

    fn check(&self, tokens: &[TokenId]) -> Result<(), GenerateError> {
        match tokens.iter().find(|token| **token as usize >= self.vocabulary()) {
            Some(token) => {
                let (got, expected) = (*token as usize, self.vocabulary());
                Err(GenerateError::Shape { what: "token", got, expected })
            }
            None => Ok(()),
        }
    }
}

impl Decoding for Said {
    fn passages(&self) -> usize {
        self.passages.len()
    }

    fn vocabulary(&self) -> usize {
        self.answers.len() + 1
    }

    fn log_probs(&mut self) -> Result<LogProbs, GenerateError> {
        let lines = self.rows.iter().flat_map(|row| row.iter().enumerate());
        let values = lines.flat_map(|(passage, said)| self.line(passage, said)).collect();
        LogProbs::new(self.passages(), self.vocabulary(), values)
    }

    fn advance_each(&mut self, parents: &[usize], tokens: &[TokenId]) -> Result<(), GenerateError> {
        let k = self.passages();
        self.check(tokens)?;
        let is_whole = !tokens.is_empty() && tokens.len().is_multiple_of(k) && parents.len() == tokens.len();
        if !is_whole || parents.iter().any(|parent| *parent >= self.rows.len()) {
            return Err(GenerateError::Shape { what: "rows of a decoding", got: tokens.len(), expected: k });
        }
        let next = |at: usize| {
            let mut said = self.rows[parents[at]][at % k].clone();
            said.push(tokens[at]);
            said
        };
        self.rows = (0..tokens.len() / k).map(|row| (row * k..(row + 1) * k).map(next).collect()).collect();
        Ok(())
    }

    fn restart(&mut self) {
        self.rows = vec![vec![Vec::new(); self.passages()]];
    }

    fn score(&mut self, answers: &[Vec<TokenId>]) -> Result<Vec<AnswerScores>, GenerateError> {
        let k = self.passages();
        answers
            .iter()
            .map(|answer| {
                self.check(answer)?;
                if answer.is_empty() {
                    return Err(GenerateError::Shape { what: "tokens of an answer", got: 0, expected: 1 });
                }
                let at = |i: usize, z: usize| {
                    let line = self.line(z, &answer[..i]);
                    let abstains = line.iter().all(|value| *value == f32::NEG_INFINITY);
                    if abstains { None } else { Some(line[answer[i] as usize]) }
                };
                let values = (0..answer.len()).flat_map(|i| (0..k).map(move |z| (i, z)));
                AnswerScores::new(k, values.map(|(i, z)| at(i, z)).collect())
            })
            .collect()
    }

    fn is_end(&self, token: TokenId) -> bool {
        token == END
    }

    fn no_answer(&self) -> Option<TokenId> {
        self.answers.iter().position(Option::is_none).map(|at| at as TokenId + 1)
    }

    fn candidates(&self) -> Option<Vec<Vec<TokenId>>> {
        Some((1..self.vocabulary() as TokenId).map(|answer| vec![answer, END]).collect())
    }

    fn text(&self, tokens: &[TokenId]) -> String {
        let said = tokens.iter().filter(|token| **token != END);
        said.filter_map(|token| self.answers.get(*token as usize - 1)?.as_deref()).collect()
    }

    fn origin(&self, passage: usize, tokens: &[TokenId]) -> Option<Range<usize>> {
        let text = self.text(tokens);
        let start = self.passages[passage].find(&text).filter(|_| !text.is_empty())?;
        Some(start..start + text.len())
    }
}
