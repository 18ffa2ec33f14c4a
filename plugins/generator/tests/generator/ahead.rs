//! Passages read before the question, and what is kept of them in files; progress and cancellation.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use postil_contract::{GenerateError, Generator, Passage};
use postil_generator::LanguageGenerator;

use crate::UNWATCHED;
use crate::support::folder::{CHATML, Folder};

const TEXTS: [&str; 3] = ["Twenty days of leave.", "None at all. Trains are booked.", ""];

/// Makes a damaged file of a whole one.
type Damage = fn(&[u8]) -> Vec<u8>;

fn passages() -> Vec<Passage<'static>> {
    TEXTS.map(Passage::untitled).to_vec()
}

fn open(folder: &Folder) -> LanguageGenerator {
    LanguageGenerator::open(folder.path()).unwrap()
}

/// A generator that uses the folder.
fn using(folder: &Folder, files: &Path) -> LanguageGenerator {
    let generator = open(folder);
    generator.ahead().unwrap().use_folder(files).unwrap();
    generator
}

/// Log-probabilities of the first token, and the number of tokens that were read for them.
fn asked(generator: &LanguageGenerator) -> (Vec<f32>, usize) {
    let total = Mutex::new(0);
    let watch = |_, of| {
        *total.lock().unwrap() = of;
        ControlFlow::Continue(())
    };
    let mut decoding = generator.start_watched("How many?", &passages(), &watch).unwrap();
    let lines = decoding.log_probs().unwrap().row(0).to_vec();
    (lines, total.into_inner().unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn assert_same(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).for_each(|(a, b)| assert!((a - b).abs() < 1e-4, "{a} {b}"));
}

#[test]
fn passages_kept_in_files_are_not_read_again_and_change_no_probability() {
    let (folder, home) = (Folder::llama(900, Some(CHATML)), tempfile::tempdir().unwrap());
    let (expected, all) = asked(&open(&folder));
    let generator = using(&folder, home.path());
    let ahead = generator.ahead().unwrap();
    let named = ahead.files(&passages()).unwrap();
    assert_eq!(named.len(), 1 + TEXTS.len());
    assert_eq!(asked(&generator), (expected.clone(), all), "nothing is kept yet");
    assert_eq!(ahead.read_ahead(&passages(), UNWATCHED).unwrap(), TEXTS.len());
    assert_eq!(ahead.read_ahead(&passages(), UNWATCHED).unwrap(), 0, "they are there");
    for file in &named {
        assert_eq!(std::fs::metadata(home.path().join(&file.name)).unwrap().len(), file.bytes);
    }
    assert_eq!(files(home.path()).len(), named.len());
    let (found, few) = asked(&using(&folder, home.path()));
    // Its tokens are bytes.
    let bytes: usize = TEXTS.iter().map(|text| text.len()).sum();
    assert!(few + bytes <= all, "{few} of {all}");
    assert_same(&found, &expected);
    let smaller = Folder::llama(700, Some(CHATML));
    assert_eq!(
        using(&smaller, home.path()).ahead().unwrap().files(&passages()).unwrap(),
        named,
        "the same weights"
    );
    let mut tensors = crate::support::folder::llama_tensors();
    let changed = tensors.get_mut("model.layers.0.mlp.up_proj.weight").unwrap();
    *changed = (changed.clone() * 1.0625).unwrap();
    candle_core::safetensors::save(&tensors, smaller.path().join("model.safetensors")).unwrap();
    let other = using(&smaller, home.path()).ahead().unwrap().files(&passages()).unwrap();
    assert!(other.iter().all(|file| !named.contains(file)), "another model has other files");
}

#[test]
fn damaged_files_are_read_anew_and_never_believed() {
    let (folder, home) = (Folder::llama(900, Some(CHATML)), tempfile::tempdir().unwrap());
    let (expected, all) = asked(&open(&folder));
    using(&folder, home.path()).ahead().unwrap().read_ahead(&passages(), UNWATCHED).unwrap();
    let whole: Vec<(PathBuf, Vec<u8>)> =
        files(home.path()).into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    let damages: [Damage; 5] = [
        |_| Vec::new(),
        |bytes| bytes[..bytes.len() - 1].to_vec(),
        |bytes| [bytes, &[0]].concat(),
        |bytes| bytes.iter().enumerate().map(|(i, b)| b ^ u8::from(i == bytes.len() / 2)).collect(),
        |bytes| vec![0; bytes.len()],
    ];
    for damage in damages {
        for (path, bytes) in &whole {
            std::fs::write(path, damage(bytes)).unwrap();
        }
        let generator = using(&folder, home.path());
        assert_eq!(asked(&generator), (expected.clone(), all));
        assert_eq!(generator.ahead().unwrap().read_ahead(&passages(), UNWATCHED).unwrap(), TEXTS.len());
        for (path, bytes) in &whole {
            assert_eq!(&std::fs::read(path).unwrap(), bytes, "mended");
        }
    }
    // A folder in place of each file.
    for (path, _) in &whole {
        std::fs::remove_file(path).unwrap();
        std::fs::create_dir(path).unwrap();
    }
    let generator = using(&folder, home.path());
    assert_eq!(asked(&generator), (expected, all));
    let failed = generator.ahead().unwrap().read_ahead(&passages(), UNWATCHED);
    assert!(matches!(failed, Err(GenerateError::Keep { .. })), "{failed:?}");
}

#[test]
fn reading_tells_its_progress_and_stops_when_it_is_told() {
    let folder = Folder::llama(900, Some(CHATML));
    let seen = Mutex::new(Vec::new());
    let note = |done, total| {
        seen.lock().unwrap().push((done, total));
        ControlFlow::Continue(())
    };
    drop(open(&folder).start_watched("How many?", &passages(), &note).unwrap());
    let seen = seen.into_inner().unwrap();
    let total = seen[0].1;
    assert!(seen.len() >= 2 && total > 0, "{seen:?}");
    assert!(seen.is_sorted() && seen.iter().all(|(_, of)| *of == total), "{seen:?}");
    assert_eq!((seen[0].0, seen.last().unwrap().0), (0, total));
    let stop = |done, total: usize| {
        assert!(done < total, "nothing is read after the stop");
        ControlFlow::Break(())
    };
    for folder in [folder, Folder::bart()] {
        let generator = open(&folder);
        let stopped = generator.start_watched("How many?", &passages(), &stop);
        assert!(matches!(stopped, Err(GenerateError::Cancelled)));
        assert!(generator.start("How many?", &passages()).is_ok(), "and can be asked again");
    }
    let home = tempfile::tempdir().unwrap();
    let generator = using(&Folder::llama(900, Some(CHATML)), home.path());
    let stopped = generator.ahead().unwrap().read_ahead(&passages(), &stop);
    assert!(matches!(stopped, Err(GenerateError::Cancelled)));
    assert!(open(&Folder::bart()).ahead().is_none(), "its encoder reads the question with the passage");
}
