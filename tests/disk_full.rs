//! A disk that fills up during an ingest: a typed error, nothing acknowledged is lost, and the
//! ingest goes on when there is room again. Needs the right to mount a small file system; says so
//! where it is missing.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

mod command;

use std::path::{Path, PathBuf};
use std::process::Command;

use command::{MODEL, fail, json, run};

const DOCUMENTS: u64 = 20_000;

/// A file system in memory, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let options = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }

    fn grow(&self, size: &str) {
        let options = format!("remount,size={size}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_a_typed_error_and_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&home.path().join("disk"), "30m") else {
        println!("skipped: no right to mount a file system");
        return;
    };
    let lines: String = (0..DOCUMENTS)
        .map(|i| format!("{{\"id\": \"{i:05}\", \"text\": \"Document {i} is about subject {}.\"}}\n", i % 97))
        .collect();
    std::fs::write(home.path().join("many.jsonl"), lines).unwrap();
    let ingest = ["ingest", "disk/d.postil", "many.jsonl", "--model", MODEL, "--json"];

    let said = fail(home.path(), &ingest);
    assert!(said.contains("bytes are free on the disk"), "{said}");
    // Even a disk that others fill to the last byte does no harm to a database that is opened then.
    let _ = std::fs::write(home.path().join("disk/filler"), vec![0u8; 40 << 20]);
    for _ in 0..3 {
        assert!(!run(home.path(), &["stat", "disk/d.postil"]).status.success());
    }

    disk.grow("400m");
    std::fs::remove_file(home.path().join("disk/filler")).unwrap();
    let kept = json(home.path(), &["stat", "disk/d.postil", "--json"])["documents"].as_u64().unwrap();
    assert!(kept > 0 && kept < DOCUMENTS, "{kept}");
    assert_eq!(json(home.path(), &["check", "disk/d.postil", "--json"])["clean"], true);
    let rest = json(home.path(), &ingest);
    assert_eq!(rest["unchanged"].as_u64().unwrap(), kept);
    assert_eq!(rest["added"].as_u64().unwrap() + kept, DOCUMENTS);
}
