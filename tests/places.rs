//! Databases that were moved, with their model or without, and databases where nothing may be
//! written.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

mod command;

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use command::{MODEL, fail, json, succeed};

const PIECES: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\napples\nare\nred\nbananas\nyellow\n.\n";
const CONFIG: &str = r#"{"model_type": "bert", "vocab_size": 10, "hidden_size": 8, "num_hidden_layers": 1,
    "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 32}"#;

/// Writes a small BERT to `folder`; each `seed` is another model.
fn model(folder: &Path, seed: usize) {
    let layer = "encoder.layer.0.";
    let mut tensors = HashMap::new();
    let mut put = |name: String, shape: &[usize]| {
        let count = shape.iter().product();
        let values: Vec<f32> =
            (0..count).map(|i: usize| ((i * 7 + seed * 5 + name.len()) % 11) as f32 / 11.0 - 0.4).collect();
        tensors.insert(name, Tensor::from_vec(values, shape, &Device::Cpu).unwrap());
    };
    for (name, rows) in [("word", 10), ("position", 32), ("token_type", 2)] {
        put(format!("embeddings.{name}_embeddings.weight"), &[rows, 8]);
    }
    for (name, outputs, inputs) in [
        ("attention.self.query", 8, 8),
        ("attention.self.key", 8, 8),
        ("attention.self.value", 8, 8),
        ("attention.output.dense", 8, 8),
        ("intermediate.dense", 16, 8),
        ("output.dense", 8, 16),
    ] {
        put(format!("{layer}{name}.weight"), &[outputs, inputs]);
        put(format!("{layer}{name}.bias"), &[outputs]);
    }
    for name in ["embeddings.", "encoder.layer.0.attention.output.", "encoder.layer.0.output."] {
        put(format!("{name}LayerNorm.weight"), &[8]);
        put(format!("{name}LayerNorm.bias"), &[8]);
    }
    std::fs::create_dir_all(folder).unwrap();
    candle_core::safetensors::save(&tensors, folder.join("model.safetensors")).unwrap();
    std::fs::write(folder.join("config.json"), CONFIG).unwrap();
    std::fs::write(folder.join("vocab.txt"), PIECES).unwrap();
}

/// A folder `old` with a database in `data`, and its model in `models`.
fn project() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let old = home.path().join("old");
    model(&old.join("models/mini"), 1);
    std::fs::create_dir(old.join("data")).unwrap();
    std::fs::write(old.join("data/red.txt"), "Apples are red.").unwrap();
    std::fs::write(old.join("data/yellow.txt"), "Bananas are yellow.").unwrap();
    let ingest = ["ingest", "data/d.postil", "data/red.txt", "data/yellow.txt", "--model", "models/mini"];
    succeed(&old, &ingest);
    home
}

fn hits(folder: &Path, database: &str) -> String {
    succeed(folder, &["search", database, "apples are red", "--json"])
}

#[test]
fn a_project_that_is_moved_as_a_whole_finds_its_model() {
    let home = project();
    let (old, new) = (home.path().join("old"), home.path().join("moved/here"));
    let before = hits(&old, "data/d.postil");
    std::fs::create_dir(home.path().join("moved")).unwrap();
    std::fs::rename(&old, &new).unwrap();
    assert_eq!(hits(&new, "data/d.postil"), before);
    assert_eq!(hits(home.path(), "moved/here/data/d.postil"), before);
    // Copies, wherever they are in it, and what is made of an export.
    succeed(&new, &["backup", "data/d.postil", "copy.postil"]);
    succeed(&new, &["restore", "copy.postil", "data/back.postil"]);
    succeed(&new, &["rebuild", "data/d.postil", "rebuilt.postil"]);
    succeed(&new, &["export", "data/d.postil", "exported", "--no-vectors"]);
    std::fs::create_dir(home.path().join("elsewhere")).unwrap();
    succeed(&new, &["import", "data/imported.postil", "exported"]);
    succeed(&new, &["import", "../../elsewhere/imported.postil", "exported"]);
    for copy in ["copy.postil", "data/back.postil", "rebuilt.postil", "data/imported.postil"] {
        assert_eq!(hits(&new, copy), before, "{copy}");
    }
    // The model beside the database, without the folder between.
    std::fs::rename(new.join("models/mini"), new.join("data/mini")).unwrap();
    assert_eq!(hits(&new, "data/d.postil"), before);
    // Under any name among the installed ones.
    let installed = new.join("no-models-here/other-name");
    std::fs::create_dir(new.join("no-models-here")).unwrap();
    std::fs::rename(new.join("data/mini"), installed).unwrap();
    assert_eq!(hits(&new, "data/d.postil"), before);
}

#[test]
fn another_model_of_the_same_name_is_named_and_not_taken() {
    let home = project();
    let (old, new) = (home.path().join("old"), home.path().join("new"));
    let before = hits(&old, "data/d.postil");
    std::fs::rename(&old, &new).unwrap();
    std::fs::rename(new.join("models/mini"), home.path().join("kept")).unwrap();
    model(&new.join("data/mini"), 2);
    let said = fail(&new, &["search", "data/d.postil", "apples"]);
    let place = new.join("data/mini").display().to_string();
    assert!(said.contains(&format!("{place} (another model, fingerprint ")), "{said}");
    assert!(said.contains("none of these places") && said.contains("no-models-here"), "{said}");
    assert!(said.contains(&new.join("mini").display().to_string()) && !said.contains("model add"), "{said}");
    // The right one farther away is found all the same.
    std::fs::rename(home.path().join("kept"), new.join("models/mini")).unwrap();
    assert_eq!(hits(&new, "data/d.postil"), before);
}

#[test]
fn a_question_without_a_word_has_no_answer_and_is_told_so() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("a.txt"), "The depot is large.").unwrap();
    succeed(home.path(), &["ingest", "d.postil", "a.txt", "--model", MODEL]);
    for question in ["???", "*", "\u{1f600}", "\u{200b}", "\u{301}", "\u{fe0f}"] {
        for stream in [&[][..], &["--stream"]] {
            let args = [&["ask", "d.postil", question], stream].concat();
            let output = command::run(home.path(), &args);
            let (out, err) =
                (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
            assert!(output.status.success() && out.starts_with("No answer"), "{question:?}: {out} {err}");
            assert!(err.contains("no word") && !out.contains("nearest passage"), "{question:?}: {out} {err}");
        }
        let answer = json(home.path(), &["ask", "d.postil", question, "--json"]);
        assert_eq!((&answer["no_answer"], &answer["answer"]), (&true.into(), &"".into()), "{question:?}");
    }
    let asked = json(home.path(), &["ask", "d.postil", "Is the depot large?", "--json"]);
    assert!(asked["passages"].as_array().is_some_and(|passages| passages.len() == 1));
}

#[cfg(unix)]
mod read_only {
    use std::collections::BTreeMap;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    use std::path::{Path, PathBuf};

    use super::command::{MODEL, postil, succeed};

    /// A user whom no file belongs to.
    const NOBODY: u32 = 65_534;

    /// All files and folders at a path, with their bytes.
    fn content(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut paths = vec![path.to_owned()];
        while let Some(path) = paths.pop() {
            if path.is_dir() {
                paths.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                found.insert(path, Vec::new());
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path, bytes);
            }
        }
        found
    }

    fn permit(path: &Path, folders: u32, files: u32) {
        for path in content(path).keys() {
            let mode = if path.is_dir() { folders } else { files };
            std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
    }

    /// Runs the command as a user without rights where this is the one with all of them; `None`
    /// where that cannot be.
    fn run(folder: &Path, args: &[&str]) -> Option<(bool, String)> {
        let mut command = postil(folder, args);
        command.env("HOME", "/nonexistent");
        if std::fs::File::create(folder.join("a.postil/try")).is_ok() {
            std::fs::remove_file(folder.join("a.postil/try")).unwrap();
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().ok()?;
        let said = [output.stdout, output.stderr].concat();
        Some((output.status.success(), String::from_utf8(said).unwrap()))
    }

    #[test]
    fn where_nothing_may_be_written_a_database_is_read_and_says_why_it_is_not_changed() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        std::fs::write(home.join("a.txt"), "The depot is large.").unwrap();
        std::fs::write(home.join("q.jsonl"), r#"{"question": "Is the depot large?", "answers": ["large"]}"#)
            .unwrap();
        succeed(home, &["ingest", "a.postil", "a.txt", "--model", MODEL]);
        let (database, open) = (home.join("a.postil"), Permissions::from_mode(0o755));
        std::fs::set_permissions(home, open).unwrap();
        permit(&database, 0o555, 0o444);
        let before = content(&database);
        for read in [
            &["search", "a.postil", "depot"][..],
            &["ask", "a.postil", "Is the depot large?"],
            &["get", "a.postil", "a.txt"],
            &["stat", "a.postil"],
            &["check", "a.postil"],
            &["export", "a.postil"],
            &["eval", "a.postil", "q.jsonl"],
        ] {
            let Some((done, said)) = run(home, read) else { return };
            assert!(done, "{read:?}: {said}");
        }
        for write in [
            &["ingest", "a.postil", "a.txt"][..],
            &["rm", "a.postil", "a.txt"],
            &["compact", "a.postil"],
            &["publish", "a.postil"],
        ] {
            let (done, said) = run(home, write).unwrap();
            assert!(
                !done && said.contains("a.postil: nothing may be written in this folder"),
                "{write:?}: {said}"
            );
            assert_eq!(said.matches("os error").count(), 1, "{said}");
        }
        assert!(content(&database) == before);
        permit(&database, 0o555, 0o000);
        let (done, said) = run(home, &["search", "a.postil", "depot"]).unwrap();
        assert!(!done && said.contains("postil publish a.postil"), "{said}");
        assert_eq!(said.matches("os error").count(), 1, "{said}");
        permit(&database, 0o755, 0o644);
    }
}
