use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::{GgufFile, Installed, ModelFolder, ModelKind, Record, known_model};

/// Facts about an installed model that a list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The part it plays.
    pub kind: ModelKind,
    /// Family of the network, as `config.json` or the GGUF file names it, such as `bert` or
    /// `llama`; `None` when neither can be read.
    pub family: Option<String>,
    /// Length of all of its files, in bytes.
    pub bytes: u64,
    /// License as pinned, recorded or stated in the GGUF file; `None` when it is unknown.
    pub license: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Family {
    model_type: Option<String>,
}

impl Installed {
    /// Reads the facts about the model. What cannot be read is left out.
    pub fn describe(&self) -> Description {
        let (folder, known) = (self.folder(), known_model(&self.name));
        let record = Record::read(folder).ok().flatten();
        let mut stated = record.and_then(|record| record.license);
        let (kind, family) = if self.path.is_dir() {
            let model = ModelFolder::open(&self.path).ok();
            let config = model.and_then(|model| model.settings::<Family>("config.json").ok());
            let family = config.and_then(|config| config.model_type);
            (kind_of(&self.path, family.as_deref()), family)
        } else {
            let file = GgufFile::open(&self.path).ok();
            let text = |key| file.as_ref().and_then(|file| file.text(key)).map(str::to_owned);
            stated = stated.or_else(|| text("general.license"));
            (ModelKind::Generator, text("general.architecture"))
        };
        let license = known.map(|known| known.license.to_owned()).or(stated);
        let kind = known.map_or(kind, |known| known.kind);
        Description { kind, family, bytes: length(folder), license }
    }
}

/// The kind of the model in `folder`: the encoders that there is code for are BERTs, and models of
/// sentence-transformers have a list of modules.
fn kind_of(folder: &Path, family: Option<&str>) -> ModelKind {
    let is_encoder = family == Some("bert") || family == Some("dpr") || folder.join("modules.json").is_file();
    if is_encoder { ModelKind::Encoder } else { ModelKind::Generator }
}

/// Length of all files in `folder` and below it, in bytes; what cannot be read counts as empty.
fn length(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let lengths = entries.map(|entry| match fs::metadata(entry.path()) {
        Ok(metadata) if metadata.is_dir() => length(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    lengths.sum()
}
