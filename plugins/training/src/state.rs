//! The state of a run on disk: everything that a killed run needs to go on.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;

use safetensors::{Dtype, SafeTensors, View};

use crate::{AdamW, Parameters, TrainError};

/// Progress of a run, beside its tensors.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Spent {
    pub(crate) step: u64,
    pub(crate) seconds: f64,
    pub(crate) tokens: u64,
}

struct Values<'a>(&'a [f32], [usize; 1]);

impl View for Values<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.1
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(bytemuck::cast_slice(self.0))
    }

    fn data_len(&self) -> usize {
        size_of_val(self.0)
    }
}

/// Writes the state to `path`: to a temporary file beside it, synced, then renamed, so that `path`
/// has the old state or the new one. `run` identifies the run.
pub(crate) fn save(
    path: &Path,
    run: &str,
    spent: &Spent,
    parameters: &Parameters,
    optimizer: &AdamW,
    average: &[Vec<f32>],
) -> Result<(), TrainError> {
    let values = parameters.values()?;
    let mut tensors = Vec::new();
    for (index, (name, _)) in parameters.iter().enumerate() {
        let (first, second) = &optimizer.moments()[index];
        let parts = [("value", &values[index]), ("average", &average[index]), ("m", first), ("v", second)];
        tensors
            .extend(parts.map(|(part, values)| (format!("{part}/{name}"), Values(values, [values.len()]))));
    }
    let facts = [
        ("run", run.to_owned()),
        ("step", spent.step.to_string()),
        ("seconds", spent.seconds.to_string()),
        ("tokens", spent.tokens.to_string()),
        ("optimizer_steps", optimizer.steps().to_string()),
    ];
    let facts: HashMap<String, String> = facts.map(|(name, value)| (name.to_owned(), value)).into();
    let part = path.with_extension("part");
    safetensors::serialize_to_file(tensors, Some(facts), &part)
        .map_err(|error| TrainError::io(&part)(std::io::Error::other(error)))?;
    File::open(&part).and_then(|file| file.sync_all()).map_err(TrainError::io(&part))?;
    fs::rename(&part, path).map_err(TrainError::io(path))
}

/// A stored run: its progress, and the averages of its tensors.
type Stored = (Spent, Vec<Vec<f32>>);

/// Takes up the state at `path`, and returns the averages; `None` when there is none.
pub(crate) fn load(
    path: &Path,
    run: &str,
    parameters: &Parameters,
    optimizer: &mut AdamW,
) -> Result<Option<Stored>, TrainError> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(TrainError::io(path))?,
    };
    let other = |reason: String| TrainError::State { path: path.to_owned(), reason };
    let unreadable = |error: safetensors::SafeTensorError| other(error.to_string());
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(unreadable)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(unreadable)?;
    let fact = |name: &str| {
        let facts = header.metadata().as_ref();
        facts.and_then(|facts| facts.get(name)).ok_or_else(|| other(format!("it has no {name}")))
    };
    let stored = fact("run")?;
    if stored != run {
        return Err(other(format!("begun with {stored}, not {run}")));
    }
    let number = |name: &str| -> Result<u64, TrainError> {
        fact(name)?.parse().map_err(|_| other(format!("{name} is no number")))
    };
    let seconds = fact("seconds")?.parse().map_err(|_| other("seconds is no number".to_owned()))?;
    let spent = Spent { step: number("step")?, tokens: number("tokens")?, seconds };
    let (mut values, mut averages, mut moments) = (Vec::new(), Vec::new(), Vec::new());
    for (name, var) in parameters.iter() {
        let part = |part: &str| {
            let view = tensors.tensor(&format!("{part}/{name}")).map_err(unreadable)?;
            let bytes = view.data().as_chunks().0.iter();
            let values: Vec<f32> = bytes.map(|bytes| f32::from_le_bytes(*bytes)).collect();
            match values.len() == var.elem_count() {
                true => Ok(values),
                false => Err(other(format!("{name} has {} values", values.len()))),
            }
        };
        values.push(part("value")?);
        averages.push(part("average")?);
        moments.push((part("m")?, part("v")?));
    }
    parameters.set(&values)?;
    optimizer.restore(number("optimizer_steps")?, moments);
    Ok(Some((spent, averages)))
}
