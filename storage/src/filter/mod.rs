//! Conditions on metadata: `year >= 2020 and lang in ["en", "de"]`.
//!
//! | file | responsibility |
//! |---|---|
//! | ast | the tree, its builders and its text form |
//! | parse | text to tree; never panics, bounded depth |
//! | tokens | what that text is written with |
//! | eval | tree against one document's fields |

mod ast;
mod eval;
mod parse;
mod tokens;

pub(crate) use crate::value::{Metadata, Value};
pub use ast::{Filter, Operator};
