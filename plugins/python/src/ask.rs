//! Asking: options, generators by name, and tokens passed on as they are chosen.

use std::ops::ControlFlow;
use std::sync::Arc;

use postil::plugin::Generator as Plugin;
use postil::{AnswerToken, AskOptions, Cancel, Error};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString};

use crate::answers::Answer;
use crate::call::{long, short};
use crate::errors::{Failure, input_type, type_name};
use crate::generator::Generator;
use crate::json::dictionary;
use crate::opened::{Either, Handle};
use crate::texts::text;

/// Answers `question`; see [`crate::database::Database`].
pub(crate) fn ask(
    py: Python<'_>,
    handle: &Handle,
    question: &str,
    options: &AskOptions,
    generator: Option<&Bound<'_, PyAny>>,
    stream: Option<&Py<PyAny>>,
) -> PyResult<Answer> {
    let database = handle.get(py)?;
    let generator = generator.map(|value| chosen(py, handle, &database, value)).transpose()?;
    let answered = long(py, |cancel| {
        let mut raised = None;
        let mut watch = |token: &AnswerToken| pass_on(token, stream, cancel, &mut raised);
        let answer = match &generator {
            Some(generator) => database.ask_by(generator, question, options, &mut watch),
            None => database.ask_streaming(question, options, &mut watch),
        };
        match raised {
            Some(raised) => Err(Failure::Python(raised)),
            None if cancel.is_cancelled() => Err(Error::Cancelled.into()),
            None => Ok(Answer::from(answer?)),
        }
    });
    answered.map_err(|failure| handle.raise(py, failure))
}

/// Passes a token to the function; it ends the answer by returning `False`.
fn pass_on(
    token: &AnswerToken,
    stream: Option<&Py<PyAny>>,
    cancel: &Cancel,
    raised: &mut Option<PyErr>,
) -> ControlFlow<()> {
    if cancel.is_cancelled() {
        return ControlFlow::Break(());
    }
    let Some(stream) = stream else { return ControlFlow::Continue(()) };
    let went = Python::attach(|py| {
        let said = stream.bind(py).call1((&token.text, dictionary(py, token)?))?;
        Ok::<_, PyErr>(!said.cast::<PyBool>().is_ok_and(|said| !said.is_true()))
    });
    match went {
        Ok(true) => ControlFlow::Continue(()),
        Ok(false) => ControlFlow::Break(()),
        Err(error) => {
            *raised = Some(error);
            ControlFlow::Break(())
        }
    }
}

/// The generator that was asked for; one opened by name is kept for the next question.
fn chosen(
    py: Python<'_>,
    handle: &Handle,
    database: &Either,
    value: &Bound<'_, PyAny>,
) -> PyResult<Arc<dyn Plugin>> {
    if let Ok(generator) = value.cast::<Generator>() {
        return Ok(Arc::new(generator.get().plugin(py, Arc::clone(&handle.raised))));
    }
    if value.is_callable() && !value.is_instance_of::<PyString>() {
        let generator = Generator::of(value);
        return Ok(Arc::new(generator.plugin(py, Arc::clone(&handle.raised))));
    }
    let name = if value.hasattr("__fspath__")? {
        crate::arguments::path(value)?.display().to_string()
    } else if value.is_instance_of::<PyString>() {
        text(value, "generator")?
    } else {
        let message = format!("generator is {}, it must be a name, a path or a function", type_name(value));
        return Err(input_type(py, message));
    };
    if let Some(generator) = handle.generators.lock().get(&name) {
        return Ok(Arc::clone(generator));
    }
    let opened = short(py, || Ok(postil::open_generator(&name, &database.encoder()?)?));
    let generator = opened.map_err(|failure| handle.raise(py, failure))?;
    handle.generators.lock().insert(name, Arc::clone(&generator));
    Ok(generator)
}
