//! Schemas that the descriptions of several paths name.

use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// An object whose fields the documentation of `--json` lists.
#[expect(dead_code, reason = "only its schema is used, which the macro does not count as a use")]
pub(crate) enum Object {}

impl PartialSchema for Object {
    fn schema() -> RefOr<Schema> {
        let open = Some(AdditionalProperties::FreeForm(true));
        ObjectBuilder::new().schema_type(Type::Object).additional_properties(open).into()
    }
}

impl ToSchema for Object {}

/// An error.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Problem {
    error: ProblemText,
}

/// The kind of an error and its message.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct ProblemText {
    kind: String,
    message: String,
}
