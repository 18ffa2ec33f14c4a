//! The demonstration that a newcomer sees first, with the default encoder and generator.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first failure, and says when it is skipped"
)]

mod command;

use command::postil;
use postil::DEFAULT_MODEL;
use postil::models::{locate, model_home};

#[test]
fn the_demonstration_answers_what_its_handbook_says_and_withholds_what_it_does_not() {
    let home = tempfile::tempdir().unwrap();
    let models = model_home().unwrap();
    if locate(DEFAULT_MODEL, &models).is_err() {
        println!("skipped: no {DEFAULT_MODEL}, set POSTIL_MODELS to the folder that holds it");
        return;
    }
    let output = postil(home.path(), &["demo"]).env("POSTIL_MODELS", models).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<&str> =
        printed.split("\n> ").skip(1).map(|asked| asked.lines().nth(2).unwrap_or_default()).collect();
    let expected =
        ["20 weeks [1]", "build a toy train in the workshop [1]", "125 euros [1]", "No answer found"];
    assert_eq!(answers.len(), expected.len(), "{printed}");
    for (answer, expected) in answers.iter().zip(expected) {
        assert!(answer.starts_with(expected), "{answer:?} instead of {expected:?}:\n{printed}");
    }
}
