//! Results as Arrow streams, by the C data interface and the C stream interface of Arrow, which pyarrow,
//! polars, pandas and duckdb read. The results are one batch.
//!
//! | file | responsibility |
//! |---|---|
//! | column | columns and their buffers |
//! | layout | the structures of the interface |
//! | schema | a schema for the interface, and its release |
//! | batch | a batch for the interface, and its release |
//! | stream | the stream, in a capsule |

mod batch;
mod column;
mod layout;
mod schema;
mod stream;

pub(crate) use column::{Column, Table};
pub(crate) use stream::stream;
