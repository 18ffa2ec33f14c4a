//! Models whose files no release of this program pins: their digests are recorded when they are
//! first added, and checked when they are added again.

use std::path::{Path, PathBuf};

use super::error::{FetchError, Reason};
use super::progress::Progress;
use super::stage::Stage;
use super::{hub, local};
use crate::naming::{HubName, only_gguf};
use crate::record::RECORD;
use crate::{CheckpointError, GgufFile, ModelFolder, Record, locate};

/// Copies the model folder or GGUF file at `path` into `home`; replaces an earlier copy.
pub(super) fn add_local(
    path: &Path,
    home: &Path,
    progress: &mut dyn FnMut(&Progress),
) -> Result<PathBuf, FetchError> {
    progress(&Progress::Trying { source: path.display().to_string() });
    let stage;
    let name = if path.is_dir() {
        let source = ModelFolder::open(path)?;
        stage = Stage::new(home)?;
        local::copy(&source, &stage, progress)?;
        source.name()
    } else {
        let source = GgufFile::open(path)?;
        stage = Stage::new(home)?;
        local::copy_gguf(path, &stage, progress)?;
        source.name()
    };
    progress(&Progress::Checking);
    check(stage.path())?;
    write_record(&stage, &Record::of(stage.path())?)?;
    Ok(stage.adopt(&home.join(name))?)
}

/// Downloads a model from the hub. One that is there as recorded is left unchanged; a damaged one is
/// fetched again at the recorded revision, and has to match the record.
pub(super) fn add_from_hub(
    name: &HubName,
    home: &Path,
    progress: &mut dyn FnMut(&Progress),
) -> Result<PathBuf, FetchError> {
    let installed = installed(name, home);
    let earlier = match &installed {
        Some(folder) => Record::read(folder)?.map(|record| (folder, record)),
        None => None,
    };
    if let Some((folder, record)) = &earlier
        && record.verify(folder)?.is_empty()
    {
        return Ok((*folder).clone());
    }
    let record = earlier.map(|(_, record)| record);
    let stage = Stage::new(home)?;
    progress(&Progress::Trying { source: format!("hub {}", name.name()) });
    match fetch(name, record.as_ref(), &stage, progress) {
        Ok(name) => Ok(stage.adopt(&home.join(name.folder()))?),
        Err(reason) => Err(FetchError::Hub { name: name.name(), reason }),
    }
}

/// The folder of the model called `name`, or of the only GGUF file of that repository.
fn installed(name: &HubName, home: &Path) -> Option<PathBuf> {
    let exact = home.join(name.folder());
    if exact.join(RECORD).is_file() {
        return Some(exact);
    }
    let path = locate(&name.name(), home).ok().filter(|path| path.starts_with(home))?;
    if path.is_dir() { Some(path) } else { path.parent().map(Path::to_owned) }
}

/// Fetches the files into `stage` and checks and records them; returns the name under which the
/// model is to be installed.
fn fetch(
    name: &HubName,
    earlier: Option<&Record>,
    stage: &Stage,
    progress: &mut dyn FnMut(&Progress),
) -> Result<HubName, Reason> {
    let recorded = earlier.and_then(|record| record.source.as_deref()).and_then(HubName::parse);
    let revision = earlier.and_then(|record| record.revision.as_deref());
    let fetched = hub::fetch_named(recorded.as_ref().unwrap_or(name), revision, stage, progress)?;
    progress(&Progress::Checking);
    if let Some(record) = earlier {
        let found = record.verify(stage.path())?;
        if !found.is_empty() {
            return Err(Reason::Mismatch(found));
        }
    }
    check(stage.path())?;
    let (source, revision) = (Some(fetched.name.name()), Some(fetched.revision));
    write_record(stage, &Record { source, revision, license: fetched.license, ..Record::of(stage.path())? })?;
    Ok(fetched.name)
}

/// Checks that a model of unknown content can be loaded.
fn check(path: &Path) -> Result<(), CheckpointError> {
    if let Some(file) = only_gguf(path).filter(|_| !path.join("config.json").is_file()) {
        GgufFile::open(&file)?;
        return Ok(());
    }
    let folder = ModelFolder::open(path)?;
    folder.weights()?;
    Ok(())
}

fn write_record(stage: &Stage, record: &Record) -> Result<(), CheckpointError> {
    let mut text = serde_json::to_vec_pretty(record)
        .map_err(|source| CheckpointError::io(&stage.path().join(RECORD), std::io::Error::other(source)))?;
    text.push(b'\n');
    stage.write(RECORD, &mut text.as_slice(), text.len() as u64)?;
    Ok(())
}
