//! Counts for the reliability table: one JSON line each, appended to the file that `POSTIL_FIGURES` names.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;

/// A field of a figure.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// A name.
    Text(&'a str),
    /// A count.
    Count(u64),
    /// A measurement.
    Number(f64),
}

impl<'a> From<&'a str> for Field<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Field<'_> {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for Field<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// Appends `{"figure": NAME, ...}`; does nothing where nobody collects figures.
///
/// # Panics
/// When the file cannot be written: a figure that is missing would be taken for one that was not measured.
pub fn report(figure: &str, fields: &[(&str, Field<'_>)]) {
    let Some(path) = std::env::var_os("POSTIL_FIGURES") else { return };
    let line = line(figure, fields);
    let file = OpenOptions::new().create(true).append(true).open(&path);
    // One write, so that lines of tests that run side by side do not mix.
    let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
    written.unwrap_or_else(|error| panic!("{}: {error}", std::path::Path::new(&path).display()));
}

fn line(figure: &str, fields: &[(&str, Field<'_>)]) -> String {
    let mut line = format!("{{\"figure\":{figure:?}");
    for (name, field) in fields {
        // Names are ours: nothing in them needs JSON's own escapes.
        let _ = match field {
            Field::Text(text) => write!(line, ",{name:?}:{text:?}"),
            Field::Count(count) => write!(line, ",{name:?}:{count}"),
            Field::Number(number) => write!(line, ",{name:?}:{number}"),
        };
    }
    line.push_str("}\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_a_line_of_json() {
        let line = line("fuzz", &[("target", "filter".into()), ("cases", 9.into())]);
        assert_eq!(line, "{\"figure\":\"fuzz\",\"target\":\"filter\",\"cases\":9}\n");
    }
}
