//! Conditions on metadata: `year >= 2020 and lang in ["en", "de"]`.
//!
//! | file | responsibility |
//! |---|---|
//! | ast | the tree, its builders and its text form |
//! | parse | text to tree; never panics, bounded depth |
//! | tokens | the words, symbols and literals of that text |
//! | eval | the tree evaluated on one document's fields |

mod ast;
mod eval;
mod parse;
mod tokens;

pub(crate) use crate::value::{Metadata, Value};
pub use ast::{Filter, Operator};
