//! A target of the project under libFuzzer: the cases that mutate finds blindly, found by the code that they reach.
//!
//! `POSTIL_TARGET` names it; before the first case, its valid inputs are written to the folder that `POSTIL_SEEDS` names
//! and the words of its format to `POSTIL_WORDS`, from where libFuzzer reads them.
#![no_main]
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

#[path = "../../fuzz/targets/mod.rs"]
mod targets;

use libfuzzer_sys::fuzz_target;
use postil_hostile::Target;
use postil_storage::targets as storage;
use std::path::{Path, PathBuf};
use targets::{language, models, texts};

/// Every target by its name.
fn target(name: &str) -> Target<'static> {
    let targets: [fn() -> Target<'static>; 15] = [
        language::filter,
        texts::html,
        texts::markdown,
        texts::chunker,
        texts::json_lines,
        texts::offset_map,
        models::config,
        models::tokenizer,
        models::safetensors,
        models::gguf,
        storage::base,
        storage::records,
        storage::run,
        storage::segment_header,
        storage::segment,
    ];
    let mut targets = targets.iter().map(|target| target());
    let target = targets.find(|target| target.name() == name);
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/found");
    target.unwrap_or_else(|| panic!("there is no target {name:?}")).found_in(found)
}

thread_local! {
    // libFuzzer has one thread.
    static TARGET: Target<'static> = target(&std::env::var("POSTIL_TARGET").expect("POSTIL_TARGET names one"));
}

/// Writes what libFuzzer starts from.
fn seed(target: &Target<'_>) {
    let path =
        |name: &str| PathBuf::from(std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set")));
    let (valid, words) = target.seeds();
    for (number, input) in valid.iter().enumerate() {
        std::fs::write(path("POSTIL_SEEDS").join(number.to_string()), input).unwrap();
    }
    let escaped = |word: &&str| {
        let bytes: String = word.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("\"{bytes}\"\n")
    };
    // libFuzzer refuses an empty file.
    let dictionary = ["# Words of the format\n".to_owned()].into_iter().chain(words.iter().map(escaped));
    std::fs::write(path("POSTIL_WORDS"), dictionary.collect::<String>()).unwrap();
}

fuzz_target!(
    init: {
        // In the place of the hook that ends the process: a panic that the code under test catches is no finding.
        std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
        TARGET.with(seed);
    },
    |bytes: &[u8]| TARGET.with(|target| target.case(bytes))
);
