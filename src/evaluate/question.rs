use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use postil_storage::{Value, json};

/// A question with its known answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Question {
    /// The text of the question.
    pub question: String,
    /// Every answer that counts as right; empty when the documents do not answer it.
    pub answers: Vec<String>,
    /// Key of the document that holds the answer; `None` when the set does not say.
    pub pid: Option<String>,
    /// The question's kind, as the set names it; each kind is also scored separately. `None`
    /// without one.
    pub kind: Option<String>,
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
        /// The system's error.
        source: std::io::Error,
    },
    /// A line is no question.
    #[error(
        "{path}, line {line}: {reason}; each line is an object with question, answers and pid",
        path = path.display()
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// The reason.
        reason: String,
    },
}

/// Reads a question set, one JSON object a line: `question`, `answers` (a list, empty when
/// unanswerable) and, if known, `pid`, the key of the document that answers it; `kind` is any text.
/// Other fields are ignored.
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
    let members = json::members(line).map_err(|error| error.to_string())?;
    let member = |name: &str| members.iter().find(|member| member.name == name);
    let value = |name: &str| member(name).map(|member| &member.value);
    let question = value("question").and_then(Value::as_str).ok_or("it has no question")?;
    let answers = value("answers").and_then(Value::as_list).ok_or("it has no list of answers")?;
    let text = |answer: &Value| answer.as_str().map(str::to_owned).ok_or("an answer is not a string");
    let pid = match member("pid").map(|member| (&member.value, member.text)) {
        None | Some((Value::Null, _)) => None,
        Some((Value::String(key), _)) => Some(key.clone()),
        // As a record's key: the number as it is written.
        Some((Value::Integer(_) | Value::Unsigned(_) | Value::Float(_) | Value::Decimal(_), written)) => {
            Some(written.to_owned())
        }
        Some(_) => return Err("its pid is neither a string nor a number".into()),
    };
    Ok(Question {
        question: question.to_owned(),
        answers: answers.iter().map(text).collect::<Result<_, _>>()?,
        pid,
        kind: value("kind").and_then(Value::as_str).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_read_and_a_bad_line_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let good = r#"{"id": 1, "question": "Who?", "answers": ["she"], "pid": "p", "kind": "table"}"#;
        std::fs::write(file.path(), format!("{good}\n\n{{\"question\": \"Why?\", \"answers\": []}}\n"))
            .unwrap();
        let read = questions(file.path()).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].pid.as_deref(), read[0].kind.as_deref()), (Some("p"), Some("table")));
        assert!(read[1].answers.is_empty() && read[1].pid.is_none() && read[1].kind.is_none());

        for (pid, key) in [("null", None), ("12345678901234567890123", Some("12345678901234567890123"))] {
            let line = format!("{{\"question\": \"Who?\", \"answers\": [], \"pid\": {pid}}}");
            assert_eq!(question(&line).unwrap().pid.as_deref(), key);
        }
        for bad in [
            "{",
            r#"{"question": "Who?", "answers": [], "pid": true}"#,
            "{}",
            r#"{"question": "Who?"}"#,
            r#"{"question": "Who?", "answers": [1]}"#,
        ] {
            std::fs::write(file.path(), format!("{good}\n{bad}\n")).unwrap();
            assert!(questions(file.path()).unwrap_err().to_string().contains("line 2"), "{bad}");
        }
    }
}
