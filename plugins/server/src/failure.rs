//! Errors of requests, by what the caller can do about them.

use axum::http::StatusCode;

/// Reason that a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Kind of the failure, which decides its status.
    pub kind: Kind,
    /// Message for the caller; says what to do next where it can.
    pub message: String,
}

/// Kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request is wrong: give something else.
    Input,
    /// A token is missing or wrong.
    Unauthorized,
    /// The request is not allowed here.
    Forbidden,
    /// Nothing is there.
    NotFound,
    /// The path is known, its method is not.
    Method,
    /// The request took too long to arrive.
    TooSlow,
    /// Something else is in the way.
    Conflict,
    /// The body is too large.
    TooLarge,
    /// The body has a form that is not read.
    Form,
    /// The server is busy: try again.
    Busy,
    /// The work took too long.
    Late,
    /// The server failed.
    System,
}

impl Failure {
    /// A failure of a kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// A wrong request.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(Kind::Input, message)
    }

    /// A failure of the server.
    pub fn system(message: impl Into<String>) -> Self {
        Self::new(Kind::System, message)
    }

    /// The refusal of a key that has no document.
    pub(crate) fn no_document(key: &str) -> Self {
        Self::new(Kind::NotFound, format!("there is no document {key:?}"))
    }

    /// HTTP status of the failure.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.kind {
            Kind::Input => StatusCode::BAD_REQUEST,
            Kind::Unauthorized => StatusCode::UNAUTHORIZED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Method => StatusCode::METHOD_NOT_ALLOWED,
            Kind::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::Form => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Kind::Busy | Kind::Late => StatusCode::SERVICE_UNAVAILABLE,
            Kind::System => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Name of the kind, as it stands in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Input => "input",
            Kind::Unauthorized => "unauthorized",
            Kind::Forbidden => "forbidden",
            Kind::NotFound => "not_found",
            Kind::Method => "method",
            Kind::TooSlow => "too_slow",
            Kind::Conflict => "conflict",
            Kind::TooLarge => "too_large",
            Kind::Form => "form",
            Kind::Busy => "busy",
            Kind::Late => "late",
            Kind::System => "system",
        }
    }

    /// Seconds after which to try again; `None` when that is no use.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u64> {
        matches!(self.kind, Kind::Busy | Kind::Late).then_some(1)
    }
}
