//! Conditions on metadata: `year >= 2020 and lang in ["en", "de"]`.
//!
//! | file | responsibility |
//! |---|---|
//! | value | what a field can hold, and exact comparison |
//! | ast | the tree, its builders and its text form |
//! | parse | text to tree; never panics, bounded depth |
//! | eval | tree against one document's metadata |

mod ast;
mod eval;
mod parse;
mod value;

pub use ast::{Filter, Operator};
pub use value::{Metadata, Value};
