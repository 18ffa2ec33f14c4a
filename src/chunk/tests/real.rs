use std::path::{Path, PathBuf};
use std::time::Instant;

use super::{Words, check, chunk};
use crate::chunk::{ChunkOptions, Format};

fn markdown_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            markdown_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// Prints counts and speed with `--nocapture`. Without the shared folder there is nothing to read.
#[test]
fn real_documents_keep_every_invariant() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    for folder in ["retrieval/chunking", "corpus/rust-rfcs"] {
        let mut files = Vec::new();
        markdown_files(&shared.join(folder), &mut files);
        for format in [Format::Plain, Format::Markdown] {
            let (mut bytes, mut chunks, mut tokens, mut seconds) = (0, 0, 0, 0.0);
            let options = ChunkOptions::default();
            for file in &files {
                let text = std::fs::read_to_string(file).unwrap();
                let words = Words::default();
                let start = Instant::now();
                let found = chunk(&text, format, &options, &words).unwrap();
                seconds += start.elapsed().as_secs_f64();
                check(&text, &found, &options, &words);
                bytes += text.len();
                chunks += found.len();
                tokens +=
                    found.iter().map(|c| text[c.range.clone()].split_whitespace().count()).sum::<usize>();
            }
            let speed = bytes as f64 / 1e6 / seconds.max(1e-9);
            let mean = tokens / chunks.max(1);
            let files = files.len();
            println!(
                "{folder} {format:?}: {files} files, {bytes} bytes, {chunks} chunks of {mean} words, \
                 {speed:.1} MB/s"
            );
        }
    }
}
