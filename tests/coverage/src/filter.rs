//! Filters: what parses is displayed as text that parses to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postil_storage::Filter;

fuzz_target!(|text: &str| {
    let Ok(filter) = text.parse::<Filter>() else { return };
    let said = filter.to_string();
    let again: Filter = said.parse().expect("a displayed filter parses");
    assert_eq!(said, again.to_string());
});
