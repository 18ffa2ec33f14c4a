use std::ops::ControlFlow;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;

use super::Db;
use crate::body::JsonBody;
use crate::events::{Events, event};
use crate::served::{Answered, Ask};
use crate::work::Work;
use crate::{Failure, respond};

/// Events that may wait for a slow reader.
const WAITING_EVENTS: usize = 64;

/// A question.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskRequest {
    /// One question, or several.
    query: String,
    /// Passages that the answer is marginalized over.
    #[schema(minimum = 1, maximum = 1000)]
    k: Option<usize>,
    /// Filter over metadata, such as `year >= 2020`.
    filter: Option<String>,
    /// `sequence`: one passage behind the whole answer; `token`: one behind each token.
    mode: Option<String>,
    /// Decoding, as `--decode` has it.
    decode: Option<String>,
    /// Longest answer, in tokens.
    #[schema(minimum = 1)]
    max_tokens: Option<usize>,
    /// Abstention score above which an answer is withheld.
    no_answer_threshold: Option<f64>,
    /// Probability of being right below which an answer is withheld.
    min_probability: Option<f64>,
    /// Nats by which the passages must make an answer likelier than reading nothing does.
    min_evidence: Option<f64>,
}

/// Answers a question, with citations. With `Accept: text/event-stream` events come as the answer
/// is written: `token` for each token with its posterior, then `answer`, or `error`.
#[utoipa::path(post, path = "/ask", request_body = AskRequest, responses(
    (status = 200, description = "The answer, or `answers` to several questions", body = super::schemas::Object),
    (status = "4XX", description = "The request is wrong", body = super::schemas::Problem),
    (status = 503, description = "The server is busy", body = super::schemas::Problem),
))]
pub(crate) async fn ask(
    db: Db,
    headers: HeaderMap,
    JsonBody(request): JsonBody<AskRequest>,
) -> Result<Response<Body>, Failure> {
    let AskRequest { query, k, filter, mode, decode, max_tokens, .. } = request;
    let AskRequest { no_answer_threshold, min_probability, min_evidence, .. } = request;
    if let Some(k) = k.filter(|&k| k > db.app.settings.limits.k) {
        return Err(Failure::input(format!(
            "k is {k}, at most {} passages are read",
            db.app.settings.limits.k
        )));
    }
    if db.app.settings.logs_text {
        tracing::info!(question = query);
    }
    let streams = accepts_events(&headers);
    let question = query;
    let ask = Ask {
        question,
        k,
        filter,
        mode,
        decode,
        max_tokens,
        no_answer_threshold,
        min_probability,
        min_evidence,
        streams,
    };
    if streams {
        return stream(db, ask).await;
    }
    let answered =
        db.run(Work::Question, move |served| served.ask(&ask, &mut |_| ControlFlow::Continue(()))).await?;
    respond::json(&several(&answered)?)
}

/// True when a request asks for events.
pub(crate) fn accepts_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|entry| entry.split(';').next().unwrap_or_default().trim() == "text/event-stream")
}

/// The answer as `ask --json` prints it.
fn several(answered: &[Answered]) -> Result<crate::served::Json, Failure> {
    if let [only] = answered {
        return Ok(only.json.clone());
    }
    let text = |answered: &Answered| {
        let question =
            serde_json::to_string(&answered.question).map_err(|error| Failure::system(error.to_string()))?;
        let fields = answered.json.get().trim_start().trim_start_matches('{');
        Ok(format!("{{\"question\":{question},{fields}"))
    };
    let all = answered.iter().map(text).collect::<Result<Vec<String>, Failure>>()?.join(",");
    serde_json::value::RawValue::from_string(format!("{{\"answers\":[{all}]}}"))
        .map_err(|error| Failure::system(error.to_string()))
}

/// An answer as it is written. A reader who goes away ends it.
async fn stream(db: Db, ask: Ask) -> Result<Response<Body>, Failure> {
    let turn = db.app.turns.turn(Work::Question).await?;
    let (send, events) = mpsc::channel::<Bytes>(WAITING_EVENTS);
    let served = Arc::clone(&db.named.served);
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let told = served.ask(&ask, &mut |token| {
            let token = json!({
                "question": token.question, "text": token.text, "log_prob": token.log_prob,
                "posterior": token.posterior,
            });
            match send.blocking_send(event(Some("token"), &token)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        });
        let last = match told.and_then(|answered| several(&answered)) {
            Ok(json) => event(Some("answer"), &json),
            Err(failure) => event(Some("error"), &respond::native_form(&failure)),
        };
        // A reader who went away needs no last event.
        let _ = send.blocking_send(last);
    });
    Ok(Events::response(events))
}
