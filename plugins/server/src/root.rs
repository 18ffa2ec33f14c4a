//! Paths of requests, kept under the one folder that they may reach.

use std::path::{Component, Path, PathBuf};

use crate::{Failure, Kind};

/// The place of `path` under `root`; refuses any path that leads or might lead out of it.
pub(crate) fn under(root: Option<&PathBuf>, path: &str) -> Result<PathBuf, Failure> {
    let forbidden = |message: &str| Failure::new(Kind::Forbidden, message);
    let Some(root) = root else {
        return Err(forbidden("this server reaches no files; start it with --write --root FOLDER"));
    };
    let parts: Vec<Component<'_>> = Path::new(path).components().collect();
    let is_plain = !parts.is_empty()
        && !path.contains(['\0', '\\'])
        && parts.iter().all(|part| matches!(part, Component::Normal(_)));
    if !is_plain {
        return Err(forbidden("a path is relative to the server's folder and has no .. in it"));
    }
    let mut place =
        root.canonicalize().map_err(|error| Failure::system(format!("the server's folder: {error}")))?;
    for part in parts {
        place.push(part);
        if place.is_symlink() {
            return Err(forbidden("links are not followed"));
        }
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_under_the_folder() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("root");
        std::fs::create_dir_all(root.join("inner")).unwrap();
        let root = Some(root);
        assert!(under(root.as_ref(), "inner/new").unwrap().ends_with("root/inner/new"));
        for bad in ["", "..", "../x", "inner/../../x", "/etc/passwd", "a\0b", "./x", "a\\..\\b"] {
            assert_eq!(under(root.as_ref(), bad).unwrap_err().kind, Kind::Forbidden, "{bad:?}");
        }
        assert_eq!(under(None, "x").unwrap_err().kind, Kind::Forbidden);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed_wherever_it_stands() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("root");
        std::fs::create_dir_all(&root).unwrap();
        std::os::unix::fs::symlink(home.path(), root.join("out")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("dangling")).unwrap();
        let root = Some(root);
        for bad in ["out", "out/secret", "dangling"] {
            assert_eq!(under(root.as_ref(), bad).unwrap_err().kind, Kind::Forbidden, "{bad:?}");
        }
    }
}
