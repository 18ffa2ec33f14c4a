//! Rules of the source tree itself: no circles among the files of a crate, no file too long to be read in one
//! sitting, and one home for the questions to the processor.
//!
//! | file | responsibility |
//! |---|---|
//! | source | files, crates and modules |
//! | paths | the names that an item uses and brings in |
//! | names | paths followed to the files of what they name |
//! | circles | files that need each other |

mod circles;
mod names;
mod paths;
mod source;

use circles::circles;
use names::arrows;
use source::{Crate, Files};

/// Lines of the longest file.
const MOST_LINES: usize = 400;

#[test]
fn no_files_of_a_crate_import_each_other_in_a_circle() {
    let files = source::files();
    let crates = source::crates(&files);
    assert!(crates.len() >= 8, "only {} crates were found", crates.len());
    let found = crates.iter().flat_map(|krate| circles(&arrows(krate)));
    let found: String = found.map(|circle| circle.to_string()).collect();
    assert!(found.is_empty(), "files import each other in circles:\n{found}");
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let files = source::files();
    let long: Vec<_> = files
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|&(_, lines)| lines > MOST_LINES)
        .collect();
    assert!(long.is_empty(), "files of more than {MOST_LINES} lines: {long:?}");
}

#[test]
fn one_file_asks_the_processor_one_counts_its_threads_and_one_crate_uses_its_instructions() {
    let files = source::files();
    let with = |text: String| -> Vec<&str> {
        let found = files.iter().filter(|(_, code)| code.contains(&text));
        found.map(|(path, _)| path.as_str()).collect()
    };
    // In two parts, so that this file has none of them.
    assert_eq!(with(["feature_", "detected!"].concat()), ["plugins/kernel/src/cpu.rs"]);
    assert_eq!(with(["available_", "parallelism"].concat()), ["plugins/kernel/src/threads.rs"]);
    let kernels = with(["#[target_", "feature"].concat());
    assert!(
        kernels.len() > 5 && kernels.iter().all(|path| path.starts_with("plugins/kernel/")),
        "{kernels:?}"
    );
}

/// The files of the circles of a crate of these files.
fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let files: Files = files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect();
    circles(&arrows(&Crate::read(&files, "src/lib.rs"))).into_iter().map(|circle| circle.files).collect()
}

#[test]
fn a_parent_that_only_declares_and_hands_on_is_in_no_circle() {
    let files = [
        ("src/lib.rs", "mod a; mod b; pub use a::A;"),
        ("src/a.rs", "use crate::b::B; pub struct A(B);"),
        ("src/b.rs", "pub struct B; #[cfg(test)] mod tests { use super::super::A; fn a(_: A) {} }"),
    ];
    assert_eq!(circles_of(&files), [[""; 0]; 0]);
}

#[test]
fn a_child_and_a_parent_that_use_each_other_are_a_circle() {
    let files = [
        ("src/lib.rs", "mod a; use a::A; pub struct Room(A);"),
        ("src/a.rs", "pub struct A; impl A { fn of(room: super::Room) {} }"),
    ];
    assert_eq!(circles_of(&files), [["src/a.rs", "src/lib.rs"]]);
}

#[test]
fn a_room_is_entered_by_its_door_and_a_function_may_have_the_name_of_its_file() {
    let files = [
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a/mod.rs", "mod f; mod g; pub(crate) use f::f; use crate::b::B; struct A(B);"),
        ("src/a/f.rs", "pub(crate) fn f() {}"),
        ("src/a/g.rs", "use super::f; fn g() { f() }"),
        ("src/b.rs", "use crate::a::f; pub(crate) struct B; fn b() { f() }"),
    ];
    assert_eq!(circles_of(&files), [["src/a/mod.rs", "src/b.rs"]]);
}

#[test]
fn a_name_is_followed_through_those_who_hand_it_on() {
    let files = [
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a/mod.rs", "mod inner; pub(crate) use inner::*; pub(crate) use crate::b as other;"),
        ("src/a/inner.rs", "pub(crate) fn f() { super::other::g(); }"),
        ("src/b.rs", "pub(crate) fn g() { assert_eq!(1, { crate::a::f(); 1 }); }"),
    ];
    assert_eq!(circles_of(&files), [["src/a/inner.rs", "src/b.rs"]]);
}

#[test]
fn a_path_through_a_name_goes_through_the_module_and_not_through_a_function_of_that_name() {
    let files = [
        ("src/lib.rs", "mod door; mod parts; mod reader; pub use door::parts;"),
        ("src/door.rs", "pub fn parts() { crate::reader::read(); }"),
        ("src/parts.rs", "pub struct Part;"),
        ("src/reader.rs", "use crate::parts::Part; pub(crate) fn read() -> Part { Part }"),
    ];
    assert_eq!(circles_of(&files), [[""; 0]; 0]);
}
