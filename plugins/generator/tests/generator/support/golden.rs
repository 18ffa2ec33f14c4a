use std::path::PathBuf;

use serde::de::DeserializeOwned;

/// The folder of reference values, or `None` with a message that the test is skipped.
pub(crate) fn folder() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/golden");
    let folder = std::env::var_os("POSTIL_GOLDEN").map_or_else(|| PathBuf::from(default), PathBuf::from);
    if !folder.is_dir() {
        eprintln!("skipped: no reference values at {}; set POSTIL_GOLDEN", folder.display());
        return None;
    }
    Some(folder)
}

/// One file of it, or `None` with a message when it is absent.
pub(crate) fn read<T: DeserializeOwned>(name: &str) -> Option<T> {
    let path = folder()?.join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is absent", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}
