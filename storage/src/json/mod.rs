//! Values as JSON text (RFC 8259), and back, with every number unchanged.
//!
//! A JSON reader that puts numbers into floats changes some of them, and one that takes the last of
//! two fields of one name drops the first. This one does neither: it refuses what it cannot keep,
//! and says where.
//!
//! ```
//! use postil_storage::json;
//! let text = r#"{"id":12345678901234567890123,"name":null,"sizes":[1,2.5]}"#;
//! assert_eq!(json::object_text(&json::read_object(text)?), text);
//! # Ok::<(), json::JsonError>(())
//! ```
//!
//! | file | responsibility |
//! |---|---|
//! | read | text to values, with bounded depth |
//! | write | values to text |

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{JsonError, Member, members, read, read_object};
pub use write::object_text;
