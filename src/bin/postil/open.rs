//! Opening a database that must exist, with a helpful error when it does not.

use std::path::Path;

use anyhow::{Context, Result, bail};
use postil::{Database, Filter, Options, ReadOnlyDatabase};

use crate::{flags, render};

/// Opens the database to be read, or its published state.
pub(crate) fn to_read(path: &Path, reading: flags::Reading, options: Options) -> Result<ReadOnlyDatabase> {
    must_be_there(path)?;
    match reading.published {
        true => Ok(options.open_published(path)?),
        false => Ok(options.open_read_only(path)?),
    }
}

/// Opens the database to be read, also in a read-only folder.
pub(crate) fn existing_to_read(path: &Path) -> Result<ReadOnlyDatabase> {
    must_be_there(path)?;
    Ok(Database::options().open_read_only(path)?)
}

/// Opens the database to be changed; for a missing one the error lists the databases beside it.
pub(crate) fn existing(path: &Path) -> Result<Database> {
    must_be_there(path)?;
    Ok(Database::options().must_exist(true).open(path)?)
}

/// Warns of a database without documents, in which nothing can be found.
pub(crate) fn warn_of_emptiness(db: &ReadOnlyDatabase, path: &Path) -> Result<()> {
    if db.stat()?.documents == 0 {
        eprintln!("{}", emptiness(path));
    }
    Ok(())
}

/// Refuses a database without documents, which answers no question.
pub(crate) fn refuse_emptiness(db: &ReadOnlyDatabase, path: &Path) -> Result<()> {
    if db.stat()?.documents == 0 {
        bail!("{}", emptiness(path));
    }
    Ok(())
}

fn emptiness(path: &Path) -> String {
    let path = render::on_one_line(&path.display().to_string());
    format!("{path} is empty; add documents with: postil ingest {path} FOLDER")
}

/// Refuses a path without a database; the error lists the databases beside it.
pub(crate) fn must_be_there(path: &Path) -> Result<()> {
    if path.try_exists().with_context(|| path.display().to_string())? {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let beside = databases_in(folder);
    if beside.is_empty() {
        bail!("there is no database at {0}; make one with: postil ingest {0} FOLDER", path.display());
    }
    bail!(
        "there is no database at {}; in {} there are: {}",
        path.display(),
        folder.display(),
        beside.join(", ")
    );
}

fn databases_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| postil::Store::is_database(entry.path()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The filter of a command line; `None` without one.
pub(crate) fn filter(args: &flags::Filter) -> Result<Option<Filter>> {
    args.filter.as_deref().map(|text| text.parse().context("--filter")).transpose()
}

/// The filter for a database's documents, in which `file` and `path` may stand for `_file`.
pub(crate) fn filter_on(db: &ReadOnlyDatabase, filter: Option<Filter>) -> Result<Option<Filter>> {
    Ok(filter.map(|filter| db.filter_by_file(filter)).transpose()?)
}

/// Names the fields of a filter that found nothing which no document has, and those that there are.
pub(crate) fn tell_missing_fields(db: &ReadOnlyDatabase, filter: Option<&Filter>) -> Result<()> {
    let Some(filter) = filter else { return Ok(()) };
    let missing = db.fields_missing_for(filter)?;
    if missing.is_empty() {
        return Ok(());
    }
    let own = |field: &String| field != postil::ingest::PATH_FIELD;
    let there: Vec<String> = db.fields()?.into_iter().filter(own).collect();
    let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    eprintln!(
        "no document has a field {}; there are: {}",
        render::on_one_line(&missing.join(" or ")),
        render::on_one_line(&there)
    );
    Ok(())
}
