//! Tests of the crate from outside: reference values, enumeration, invariants, and the `quote`
//! generator.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail by panic and report what they measured"
)]

mod ahead;
mod answers;
mod enumeration;
mod evidence;
mod families;
mod gguf;
mod golden_decoding;
mod golden_marginal;
mod golden_models;
mod invariants;
mod language;
mod loading;
mod prompts;
mod quoting;
mod support;
mod undecoded;

/// Reading that nobody watches.
pub(crate) const UNWATCHED: postil_contract::ReadWatch<'static> = &|_, _| std::ops::ControlFlow::Continue(());
