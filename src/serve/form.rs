use postil_server::{Failure, Json, Kind};
use postil_storage::ErrorKind;
use serde::Serialize;

use crate::{Error, with_causes};

/// A failure with the kind of the error and all its causes.
#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
pub(super) fn failed(error: Error) -> Failure {
    let kind = match error.kind() {
        ErrorKind::Input | ErrorKind::Unsupported => Kind::Input,
        ErrorKind::NotFound => Kind::NotFound,
        ErrorKind::InUse | ErrorKind::Cancelled => Kind::Conflict,
        ErrorKind::NotPermitted => Kind::Forbidden,
        _ => Kind::System,
    };
    Failure::new(kind, with_causes(&error))
}

/// JSON as the command prints it, with every number of metadata exact.
pub(super) fn json(value: &impl Serialize) -> Result<Json, Failure> {
    serde_json::value::to_raw_value(value).map_err(|error| Failure::system(error.to_string()))
}
