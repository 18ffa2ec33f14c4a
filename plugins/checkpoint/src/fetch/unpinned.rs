//! Selection of files from a source whose digests are not known.

/// Maximum bytes of one file from an unpinned source.
pub(super) const MAX_FILE_BYTES: u64 = 64 << 30;

/// True when a file of this name can matter to a model here: configuration, vocabulary, weights,
/// license.
pub(super) fn is_model_file(name: &str) -> bool {
    let plain =
        name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.contains('\\'));
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let module = folder.is_empty() || folder.starts_with(|first: char| first.is_ascii_digit());
    let wanted = [".json", ".safetensors", ".txt", ".model"].iter().any(|ending| file.ends_with(ending));
    plain && folder.matches('/').count() == 0 && module && (wanted || file.starts_with("LICENSE"))
}
