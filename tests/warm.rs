//! Passages read before a question is asked, and kept beside the database; a language model asked
//! where the default generator does not answer.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use postil::plugin::{Decoding, GenerateError, Generator, KeptFile, Passage, ReadAhead, ReadWatch};
use postil::{Cancel, Database, Document, Error, HashEncoder, Watch};

/// Size of each file that [`Keeper`] keeps.
const FILE_BYTES: u64 = 10;

/// Keeps a file for each passage, named after its subject and length.
#[derive(Default)]
struct Keeper {
    folder: Mutex<Option<PathBuf>>,
}

impl Generator for Keeper {
    fn name(&self) -> &str {
        "keeper/1"
    }

    fn start<'a>(&'a self, _: &str, _: &[Passage<'_>]) -> Result<Box<dyn Decoding + 'a>, GenerateError> {
        Err(GenerateError::NoPassages)
    }

    fn ahead(&self) -> Option<&dyn ReadAhead> {
        Some(self)
    }
}

impl ReadAhead for Keeper {
    fn use_folder(&self, folder: &Path) -> Result<(), GenerateError> {
        *self.folder.lock().unwrap() = Some(folder.to_owned());
        Ok(())
    }

    fn files(&self, passages: &[Passage<'_>]) -> Result<Vec<KeptFile>, GenerateError> {
        let names = passages.iter().map(|passage| format!("{}-{}", passage.title, passage.text.len()));
        let names = std::iter::once("common".to_owned()).chain(names);
        Ok(names.map(|name| KeptFile { name, bytes: FILE_BYTES }).collect())
    }

    fn read_ahead(&self, passages: &[Passage<'_>], watch: ReadWatch<'_>) -> Result<usize, GenerateError> {
        if watch(0, 1).is_break() {
            return Err(GenerateError::Cancelled);
        }
        let folder = self.folder.lock().unwrap().clone().unwrap();
        let mut written = 0;
        for file in self.files(passages)? {
            if !folder.join(&file.name).exists() {
                std::fs::write(folder.join(&file.name), vec![0; FILE_BYTES as usize]).unwrap();
                written += usize::from(file.name != "common");
            }
        }
        Ok(written)
    }
}

fn filled(home: &Path, generator: Arc<dyn Generator>) -> Database {
    let options = Database::options().encoder(Arc::new(HashEncoder::default())).generator(generator);
    let db = options.open(home.join("d.postil")).unwrap();
    for (key, text) in
        [("a.txt", "Forty days of leave."), ("b.txt", "Trains."), ("c.txt", "Paid twice a year.")]
    {
        db.ingest(Document::new(key, text)).unwrap();
    }
    db
}

#[test]
fn passages_are_kept_beside_the_database_up_to_the_limit_and_no_longer_than_they_are_there() {
    let home = tempfile::tempdir().unwrap();
    let db = filled(home.path(), Arc::new(Keeper::default()));
    let warm = |limit| db.warm(limit, &Watch::default()).unwrap();
    let warmed = warm(1_000);
    assert_eq!((warmed.passages, warmed.kept, warmed.read, warmed.removed), (3, 3, 3, 0));
    assert_eq!(warmed.bytes, 4 * FILE_BYTES, "the common beginning is there once");
    assert!(home.path().join("d.postil.read/keeper_1/a-20").is_file());
    assert_eq!(warm(1_000).read, 0);
    db.remove(["a.txt"]).unwrap();
    let warmed = warm(1_000);
    assert_eq!((warmed.passages, warmed.kept, warmed.read, warmed.removed), (2, 2, 0, 1));
    let warmed = warm(2 * FILE_BYTES);
    assert_eq!((warmed.passages, warmed.kept, warmed.removed, warmed.bytes), (2, 1, 1, 2 * FILE_BYTES));
    assert_eq!(warm(0).bytes, 0);
    assert!(db.check(&Watch::default()).unwrap().is_empty(), "the files are none of the database's");
}

#[test]
fn reading_ahead_keeps_what_was_read_before_a_cancel() {
    let home = tempfile::tempdir().unwrap();
    let db = filled(home.path(), Arc::new(Keeper::default()));
    let cancel = Cancel::default();
    let progress = |progress: &postil::Progress| {
        assert_eq!(progress.total_passages, Some(3));
        if progress.passages_read == 2 {
            cancel.cancel();
        }
    };
    let warmed = db.warm(1_000, &Watch::new().progress(&progress).cancel(&cancel)).unwrap();
    assert_eq!((warmed.interrupted, warmed.kept, warmed.bytes), (true, 2, 3 * FILE_BYTES));
    assert_eq!(db.warm(1_000, &Watch::default()).unwrap().read, 1);
}

#[test]
fn a_generator_that_keeps_nothing_says_so() {
    let home = tempfile::tempdir().unwrap();
    let encoder = Arc::new(HashEncoder::default());
    let options = Database::options().encoder(encoder).generator_named("quote");
    let db = options.open(home.path().join("d.postil")).unwrap();
    let refused = db.warm(1_000, &Watch::default());
    assert!(matches!(refused, Err(Error::NothingToKeep { .. })), "{refused:?}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "nothing was made");
}

#[test]
fn reader_answers_for_auto_what_a_phrase_answers_and_a_language_model_the_rest() {
    let home = tempfile::tempdir().unwrap();
    let encoder = Arc::new(HashEncoder::default());
    let options = Database::options().encoder(encoder).generator_named("auto:no-such-model");
    let db = options.open(home.path().join("d.postil")).unwrap();
    db.ingest(Document::new("leave.txt", "Employees have forty days of leave a year.")).unwrap();
    let mut told = String::new();
    let answer = db.ask_streaming(
        "How many days of leave do employees have?",
        &postil::AskOptions::new(),
        &mut |token| {
            told += &token.text;
            ControlFlow::Continue(())
        },
    );
    let answer = answer.unwrap();
    assert!(!answer.no_answer && answer.text.contains("forty"), "{}", answer.text);
    assert_eq!((answer.generator.as_str(), told.trim()), ("reader", answer.text.as_str()));
    assert!(answer.explain().contains("Generator: reader."));
    let asked = db.ask("Why do employees have forty days of leave?");
    assert!(matches!(asked, Err(Error::UnknownGenerator { .. })), "{asked:?}");
}
