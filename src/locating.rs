//! Search for a database's encoder that is not at its recorded place: the fingerprint decides, not
//! the name.
//!
//! A project moved as a whole keeps the relative paths between its folders, so the model is looked
//! for under each end of its old path, beside the database and beside the folders above it. A model
//! installed under another name is accepted too.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use postil_contract::Encoder;
use postil_encoder::BertEncoder;
use postil_storage::Profile;

use crate::Error;
use crate::tried::Tried;

/// File that marks a folder as a model.
const CONFIG: &str = "config.json";
/// Number of folders above a database whose candidates an error names.
const CLOSE: usize = 2;

/// Finds the encoder with the recorded fingerprint: where the record says, beside the database at
/// `database`, beside the folders above it, and among the installed models.
pub(crate) fn find(recorded: &Profile, database: &Path) -> Result<Arc<dyn Encoder>, Error> {
    let name = recorded.encoder.as_str();
    let (mut tried, home) = (Vec::new(), postil_checkpoint::model_home().ok());
    let mut places: Vec<PathBuf> = home.iter().map(|home| home.join(name)).collect();
    places.push(PathBuf::from(name));
    places.extend(near(Path::new(name), database));
    // A list that cannot be read counts as empty: the other places are still named.
    let installed = home.as_deref().and_then(|home| postil_checkpoint::list(home).ok()).unwrap_or_default();
    places.extend(installed.into_iter().map(|model| model.path));
    for place in places {
        if tried.iter().any(|tried: &Tried| tried.place == place) {
            continue;
        }
        if !is_model(&place) {
            tried.push(Tried { place, found: None });
            continue;
        }
        match BertEncoder::open(&place) {
            Ok(encoder) if encoder.profile().fingerprint == recorded.fingerprint => {
                return Ok(Arc::new(encoder.with_name(name.to_owned())));
            }
            Ok(encoder) => {
                let found = format!("another model, fingerprint {}", encoder.profile().fingerprint);
                tried.push(Tried { place, found: Some(found) });
            }
            Err(error) => tried.push(Tried { place, found: Some(error.to_string()) }),
        }
    }
    let (name, fingerprint) = (name.to_owned(), recorded.fingerprint.clone());
    Err(Error::EncoderNotFound { name, fingerprint, tried, home })
}

/// Every end of a model's path under every folder above the database, nearest and longest first:
/// those that hold a model, and of the others only the nearest ones, where a user could put one.
fn near(model: &Path, database: &Path) -> Vec<PathBuf> {
    let names = model.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    let names: Vec<_> = names.collect();
    // The path as given, and the real one if it led through a link.
    let called = [std::path::absolute(database), std::fs::canonicalize(database)];
    let mut near = Vec::new();
    for database in called.into_iter().flatten() {
        for (above, folder) in database.ancestors().enumerate() {
            for from in 0..names.len() {
                let end: PathBuf = names[from..].iter().collect();
                let place = folder.join(end);
                let is_told = from + 1 == names.len() && (1..=CLOSE).contains(&above);
                if (is_told || is_model(&place)) && !near.contains(&place) {
                    near.push(place);
                }
            }
        }
    }
    near
}

fn is_model(place: &Path) -> bool {
    place.join(CONFIG).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_old_path_are_looked_for_under_every_folder_above() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        for model in ["new/models/mini", "new/data/mini", "new/other"] {
            std::fs::create_dir_all(at(model)).unwrap();
            std::fs::write(at(model).join(CONFIG), "{}").unwrap();
        }
        let found = near(Path::new("/old/project/models/mini"), &at("new/data/d.postil"));
        let expected = ["new/data/mini", "new/models/mini", "new/mini"];
        assert_eq!(found, expected.map(at));
        assert!(near(Path::new(""), &at("new/data/d.postil")).is_empty());
    }
}
