//! The license that a model card states.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes of a card that are read: its front matter stands first.
const MAX_BYTES: u64 = 64 << 10;
/// Longest license that is kept, in bytes; an SPDX expression is far shorter.
const MAX_LICENSE_BYTES: usize = 100;

/// The license in the front matter of the model card at `path`; `None` when it states none.
pub(super) fn stated_in(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    front_matter(&String::from_utf8_lossy(&bytes))
}

fn front_matter(card: &str) -> Option<String> {
    let mut lines = card.lines();
    (lines.next()?.trim_end() == "---").then_some(())?;
    let mut fields = lines.take_while(|line| line.trim_end() != "---");
    let license = fields.find_map(|line| line.strip_prefix("license:"))?;
    let license = license.trim().trim_matches(['"', '\'']);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+ ()".contains(c);
    let fits = !license.is_empty() && license.len() <= MAX_LICENSE_BYTES && license.chars().all(plain);
    fits.then(|| license.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_license_is_read_from_the_front_matter_only() {
        let read = |card: &str| front_matter(card);
        let card = "---\nlanguage: en\nlicense: \"apache-2.0\"\ntags:\n- x\n---\nlicense: mit\n";
        assert_eq!(read(card), Some("apache-2.0".to_owned()));
        for card in [
            "",
            "license: mit",
            "---\n---\nlicense: mit",
            "---\nlicense:\n- mit\n---",
            "---\nlicense: \u{1b}[1m\n",
        ] {
            assert_eq!(read(card), None, "{card:?}");
        }
    }
}
