//! What a test measured, as one JSON line appended to the file that `POSTIL_FIGURES` names.

use std::io::Write;

/// Appends `{"figure": name, "key": value, ...}`; does nothing where nobody asks for figures.
pub(crate) fn report(name: &str, values: &[(&str, f64)]) {
    let Some(path) = std::env::var_os("POSTIL_FIGURES") else { return };
    let values: String = values.iter().map(|(key, value)| format!(", \"{key}\": {value}")).collect();
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    // One write, so that lines of tests that run at once do not mix.
    file.write_all(format!("{{\"figure\": \"{name}\"{values}}}\n").as_bytes()).unwrap();
}
