use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A question with its known answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub question: String,
    /// Every answer that counts as right; none when the documents do not answer it.
    pub answers: Vec<String>,
    /// Key of the document that holds the answer.
    pub pid: Option<String>,
}

/// Why a question set cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuestionError {
    /// The file cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is no question.
    #[error("{path}, line {line}: {reason}; each line is an object with question, answers and pid", path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// Reads a question set, one JSON object a line: `question`, `answers` (a list, empty when unanswerable) and,
/// if known, `pid`, the key of the document that answers it. Other fields are ignored.
///
/// # Errors
/// [`QuestionError`] naming the file and line.
pub fn questions(path: impl AsRef<Path>) -> Result<Vec<Question>, QuestionError> {
    let path = path.as_ref();
    let read = |source| QuestionError::Read { path: path.to_owned(), source };
    let mut questions = Vec::new();
    for (number, line) in BufReader::new(File::open(path).map_err(read)?).lines().enumerate() {
        let line = line.map_err(read)?;
        if !line.trim().is_empty() {
            questions.push(question(&line).map_err(|reason| QuestionError::Line {
                path: path.to_owned(),
                line: number + 1,
                reason,
            })?);
        }
    }
    Ok(questions)
}

fn question(line: &str) -> Result<Question, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let question = value.get("question").and_then(Value::as_str).ok_or("it has no question")?;
    let answers = value.get("answers").and_then(Value::as_array).ok_or("it has no list of answers")?;
    let text = |answer: &Value| answer.as_str().map(str::to_owned).ok_or("an answer is not a string");
    Ok(Question {
        question: question.to_owned(),
        answers: answers.iter().map(text).collect::<Result<_, _>>()?,
        pid: value.get("pid").and_then(Value::as_str).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_read_and_a_bad_line_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let good = r#"{"id": 1, "question": "Who?", "answers": ["she"], "pid": "p"}"#;
        std::fs::write(file.path(), format!("{good}\n\n{{\"question\": \"Why?\", \"answers\": []}}\n"))
            .unwrap();
        let read = questions(file.path()).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].pid.as_deref(), Some("p"));
        assert!(read[1].answers.is_empty() && read[1].pid.is_none());

        for bad in ["{", "{}", r#"{"question": "Who?"}"#, r#"{"question": "Who?", "answers": [1]}"#] {
            std::fs::write(file.path(), format!("{good}\n{bad}\n")).unwrap();
            assert!(questions(file.path()).unwrap_err().to_string().contains("line 2"), "{bad}");
        }
    }
}
