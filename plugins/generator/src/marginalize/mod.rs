//! Marginalizes the passage out of the answer: Lewis et al. 2020 (arXiv 2005.11401), section 2.1.
//!
//! Pure functions over slices. One kernel, [`Mixture`], serves both models of the paper: it keeps
//! `a_z = log p(z|x)`, mixes next-token distributions with weights `log_softmax(a)`, and after a
//! token y RAG-Sequence adds `log p(y|x,z,..)` to `a_z` while RAG-Token leaves `a` alone. By the
//! chain rule the first is exactly `p(y|x) = sum_z p(z|x) prod_i p(y_i|x,z,y_<i)`.
//!
//! Log-probabilities come in as f32 (f64 in tests); every sum over tokens or passages is f64. A
//! passage that cannot continue the tokens so far is `None` (its line is wholly -inf): it abstains.
//!
//! file | responsibility
//! ---|---
//! `log_space.rs` | log-sum-exp and its relatives, with their -inf guards
//! `prior.rs` | scores to log p(z\|x), and the passages worth reading by it
//! `mixture.rs` | the kernel, one token at a time
//! `marginal.rs` | a whole answer: log-likelihood, posteriors, per-token shares
//! `leave_one_out.rs` | loss of the answer's log-probability without a passage
//! `disagreement.rs` | entropy split into "every passage unsure" and "passages disagree"
//! `evidence.rs` | the answer against the null passage
//! `abstention.rs` | the score that decides about abstaining
//! `duplicates.rs` | groups of identical passages

mod abstention;
mod disagreement;
mod duplicates;
mod evidence;
mod leave_one_out;
pub(crate) mod log_space;
mod marginal;
mod mixture;
mod prior;

pub use abstention::abstention_score;
pub use disagreement::{Disagreement, disagreement};
pub use duplicates::Groups;
pub use evidence::{evidence_log_ratio, grounded_probability};
pub use leave_one_out::{leave_one_out_sequence, leave_one_out_step};
pub use log_space::{log_softmax, log_sum_exp};
pub use marginal::{Marginal, marginal};
pub use mixture::{Mixture, Mode, ModeError, Step};
pub use prior::{prior, worth_reading};
