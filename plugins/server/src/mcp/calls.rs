//! Calls of tools: arguments in, structured results out.

use std::ops::ControlFlow;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rmcp::model::JsonObject;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::lines::part;
use super::tools::{DEFAULT_HITS, DEFAULT_LINES, MOST_BYTES, MOST_HITS};
use crate::app::{App, Named};
use crate::native::form_of;
use crate::served::{Answered, Ask, Cited, Found, Incoming, Query, Search, Stored};
use crate::uri::uri;
use crate::work::Work;
use crate::{Failure, Kind};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SearchCall {
    query: String,
    k: Option<f64>,
    filter: Option<String>,
    cursor: Option<String>,
    database: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FetchCall {
    id: String,
    database: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskCall {
    question: String,
    k: Option<f64>,
    filter: Option<String>,
    database: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GetCall {
    id: String,
    line: Option<f64>,
    lines: Option<f64>,
    database: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IngestCall {
    id: String,
    text: String,
    title: Option<String>,
    format: Option<String>,
    database: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RemoveCall {
    ids: Vec<String>,
    database: Option<String>,
}

fn arguments<T: DeserializeOwned>(given: Option<JsonObject>) -> Result<T, Failure> {
    serde_json::from_value(Value::Object(given.unwrap_or_default()))
        .map_err(|error| Failure::input(format!("the arguments: {error}")))
}

/// A whole number from 1 to `most` of an argument, which some agents write as `8.0`.
fn whole(name: &str, given: Option<f64>, default: usize, most: usize) -> Result<usize, Failure> {
    let Some(given) = given else { return Ok(default) };
    #[expect(clippy::cast_precision_loss, reason = "bounds are small")]
    if given.fract() != 0.0 || !(1.0..=most as f64).contains(&given) {
        return Err(Failure::input(format!("{name} is {given}, expected a whole number from 1 to {most}")));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole and within bounds"
    )]
    Ok(given as usize)
}

/// Runs a tool that only reads, or `remove`.
pub(crate) async fn call(app: &Arc<App>, name: &str, given: Option<JsonObject>) -> Result<Value, Failure> {
    match name {
        "search" => search(app, arguments(given)?).await,
        "fetch" => fetch(app, arguments(given)?).await,
        "ask" => ask(app, arguments(given)?).await,
        "get" => get(app, arguments(given)?).await,
        "status" => status(app).await,
        "remove" => remove(app, arguments(given)?).await,
        _ => Err(Failure::new(Kind::NotFound, format!("there is no tool {name:?}"))),
    }
}

async fn search(app: &Arc<App>, call: SearchCall) -> Result<Value, Failure> {
    let k = whole("k", call.k, DEFAULT_HITS, MOST_HITS)?;
    let bad = || Failure::input("this cursor was not given by this server");
    let skip = match &call.cursor {
        None => 0,
        Some(cursor) => {
            let text = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
            let text = String::from_utf8(text).map_err(|_| bad())?;
            text.parse::<usize>().ok().filter(|&skip| skip <= app.settings.limits.k).ok_or_else(bad)?
        }
    };
    let served = Arc::clone(&app.database(call.database.as_deref())?.served);
    let wanted = Some((skip + k + 1).min(app.settings.limits.k));
    let search = Search { k: wanted, filter: call.filter, ..Search::new(Query::Text(call.query)) };
    let found = app.turns.run(Work::Question, move || served.search(&search)).await?;
    let (mut results, mut bytes, total) = (Vec::new(), 0, found.len());
    for Found { document, title, text, score, range, .. } in found.into_iter().skip(skip).take(k) {
        bytes += text.len();
        // The first one comes in any case, so that a cursor always leads on.
        if bytes > MOST_BYTES && !results.is_empty() {
            break;
        }
        let text = &text[..text.floor_char_boundary(MOST_BYTES)];
        let title = if title.is_empty() { &document } else { &title };
        results.push(json!({
            "id": document, "title": title, "url": uri(&document), "text": text, "score": score,
            "range": [range.start, range.end],
        }));
    }
    let end = skip + results.len();
    let next = (end < total && !results.is_empty()).then(|| URL_SAFE_NO_PAD.encode(end.to_string()));
    Ok(json!({ "results": results, "next": next }))
}

async fn stored(app: &Arc<App>, database: Option<&str>, key: &str) -> Result<Stored, Failure> {
    let (served, wanted) = (Arc::clone(&app.database(database)?.served), key.to_owned());
    let found = app.turns.run(Work::Search, move || served.document(&wanted)).await?;
    found.ok_or_else(|| Failure::no_document(key))
}

async fn fetch(app: &Arc<App>, FetchCall { id, database }: FetchCall) -> Result<Value, Failure> {
    let Stored { title, text, metadata, .. } = stored(app, database.as_deref(), &id).await?;
    let part = part(&text, 1, usize::MAX);
    let own: Value = crate::body::parse(metadata.get().as_bytes())?;
    let title = if title.is_empty() { &id } else { &title };
    Ok(json!({
        "id": id, "title": title, "text": part.text, "url": uri(&id),
        "metadata": { "fields": own, "next_line": part.next, "lines": part.lines },
    }))
}

async fn get(app: &Arc<App>, call: GetCall) -> Result<Value, Failure> {
    let line = whole("line", call.line, 1, 1 << 32)?;
    let count = whole("lines", call.lines, DEFAULT_LINES, 1 << 32)?;
    let Stored { text, .. } = stored(app, call.database.as_deref(), &call.id).await?;
    let part = part(&text, line, count);
    Ok(json!({ "id": call.id, "text": part.text, "line": line, "lines": part.lines, "next_line": part.next }))
}

async fn ask(app: &Arc<App>, call: AskCall) -> Result<Value, Failure> {
    let k = call.k.map(|k| whole("k", Some(k), 1, app.settings.limits.k)).transpose()?;
    let served = Arc::clone(&app.database(call.database.as_deref())?.served);
    let ask = Ask { question: call.question, k, filter: call.filter, ..Ask::default() };
    let answered =
        app.turns.run(Work::Question, move || served.ask(&ask, &mut |_| ControlFlow::Continue(()))).await?;
    let answers: Vec<Value> = answered
        .into_iter()
        .map(|Answered { question, text, withheld, citations, .. }| {
            let citations: Vec<Value> = citations.into_iter().map(cited).collect();
            json!({
                "question": question, "answer": text, "no_answer": withheld.is_some(), "reason": withheld,
                "citations": citations,
            })
        })
        .collect();
    Ok(json!({ "answers": answers }))
}

fn cited(Cited { document, title, quote, range, posterior, .. }: Cited) -> Value {
    json!({
        "url": uri(&document), "id": document, "title": title, "quote": quote, "range": [range.start, range.end],
        "posterior": posterior,
    })
}

async fn status(app: &Arc<App>) -> Result<Value, Failure> {
    let mut databases = Vec::new();
    for named in app.databases() {
        let served = Arc::clone(&named.served);
        let stat = app.turns.run(Work::Search, move || served.stat()).await?;
        let stat: Value = crate::body::parse(stat.get().as_bytes())?;
        let about = named.served.about();
        databases.push(json!({
            "name": &*named.name, "stat": stat, "generator": about.generator, "published": about.is_published,
            "writable": app.settings.may_write && about.is_writable,
        }));
    }
    Ok(json!({ "databases": databases }))
}

async fn remove(app: &Arc<App>, RemoveCall { ids, database }: RemoveCall) -> Result<Value, Failure> {
    let named = app.database(database.as_deref())?;
    app.must_write(named)?;
    let served = Arc::clone(&named.served);
    let removed = app.turns.run(Work::Search, move || served.remove(&ids)).await?;
    Ok(json!({ "removed": removed.removed, "absent": removed.absent }))
}

/// Starts to store a document: the database, and the number of its job.
pub(crate) fn ingest(app: &Arc<App>, given: Option<JsonObject>) -> Result<(Named, String), Failure> {
    let IngestCall { id, text, title, format, database } = arguments(given)?;
    let named = app.database(database.as_deref())?.clone();
    app.must_write(&named)?;
    let form = form_of(format.as_deref().unwrap_or("txt"));
    let held = app.hold(text.len())?;
    let documents = vec![Incoming { key: id, bytes: text.into_bytes(), form, title, metadata: None }];
    let served = Arc::clone(&named.served);
    let store = move |progress: &Arc<_>| {
        let _held = held;
        served.ingest(documents, progress)
    };
    let number = app.jobs(&named)?.add("ingest", Box::new(store))?;
    Ok((named, number))
}
