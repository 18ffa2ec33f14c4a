//! A trained model as a folder like its parent's.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use postil_checkpoint::ModelFolder;

use crate::{Parameters, TrainError};

const WEIGHTS: &str = "model.safetensors";
const CARD: &str = "README.md";
/// Files of the parent that say what the parent is, and are not true of its child.
const NOT_COPIED: [&str; 3] = [CARD, "postil-record.json", "model.safetensors.index.json"];

/// Writes a folder like the parent's to `to`, where nothing may be, with the trained weights and
/// `card` as its README. It has its name only once it is complete.
///
/// # Errors
/// [`TrainError::Io`], [`TrainError::Checkpoint`].
pub fn export(
    parent: &ModelFolder,
    parameters: &Parameters,
    card: &str,
    to: &Path,
) -> Result<(), TrainError> {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    // Hidden, so that no list of models shows it.
    let part = to.with_file_name(format!(".unfinished-{name}"));
    if part.exists() {
        fs::remove_dir_all(&part).map_err(TrainError::io(&part))?;
    }
    fs::create_dir_all(&part).map_err(TrainError::io(&part))?;
    copy(parent.path(), &part, &parent.weight_files()?)?;
    let weights = parent.weights()?;
    let mut tensors: HashMap<String, Tensor> = HashMap::new();
    for name in weights.names() {
        let is_floating =
            weights.entry(name).is_some_and(|entry| matches!(&*entry.dtype, "F32" | "F16" | "BF16"));
        if is_floating {
            let tensor = match parameters.has(name) {
                true => parameters.tensor(name)?.detach(),
                false => weights.tensor(name, DType::F32, &Device::Cpu)?,
            };
            tensors.insert(name.to_owned(), tensor);
        }
    }
    let facts = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let path = part.join(WEIGHTS);
    safetensors::serialize_to_file(tensors.iter(), Some(facts), &path)
        .map_err(|error| TrainError::io(&path)(std::io::Error::other(error)))?;
    fs::write(part.join(CARD), card).map_err(TrainError::io(part.join(CARD)))?;
    sync(&part)?;
    fs::rename(&part, to).map_err(TrainError::io(to))?;
    match to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => sync_names(parent),
        None => Ok(()),
    }
}

fn copy(from: &Path, to: &Path, weights: &[PathBuf]) -> Result<(), TrainError> {
    for entry in fs::read_dir(from).map_err(TrainError::io(from))? {
        let path = entry.map_err(TrainError::io(from))?.path();
        let Some(name) = path.file_name() else { continue };
        let target = to.join(name);
        if path.is_dir() {
            if !name.to_string_lossy().starts_with('.') {
                fs::create_dir_all(&target).map_err(TrainError::io(&target))?;
                copy(&path, &target, weights)?;
            }
        } else if !weights.contains(&path) && !NOT_COPIED.iter().any(|file| name == *file) {
            fs::copy(&path, &target).map_err(TrainError::io(&path))?;
        }
    }
    Ok(())
}

fn sync(folder: &Path) -> Result<(), TrainError> {
    for entry in fs::read_dir(folder).map_err(TrainError::io(folder))? {
        let path = entry.map_err(TrainError::io(folder))?.path();
        match path.is_dir() {
            true => sync(&path)?,
            false => File::open(&path).and_then(|file| file.sync_all()).map_err(TrainError::io(&path))?,
        }
    }
    sync_names(folder)
}

/// Makes the names in a folder durable, where the system can.
fn sync_names(folder: &Path) -> Result<(), TrainError> {
    if cfg!(unix) {
        File::open(folder).and_then(|file| file.sync_all()).map_err(TrainError::io(folder))?;
    }
    Ok(())
}
