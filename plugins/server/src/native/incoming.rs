use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{Response, StatusCode};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Db;
use crate::app::App;
use crate::body::{Params, check_head, media_type, parse, read};
use crate::held::Held;
use crate::jobs::{Seen, Stage};
use crate::served::{Form, Incoming, Json, Served};
use crate::{Failure, Kind, respond, root};

/// A document given as JSON.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentRequest {
    /// Key of the document; with `PUT` that of the path.
    key: Option<String>,
    /// Its text.
    text: Option<String>,
    /// Path of a file below the server's `--root`, instead of `text`.
    path: Option<String>,
    /// Its title.
    title: Option<String>,
    /// Its metadata, an object.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Json>,
    /// Format of the text: `txt`, `md`, `html`.
    format: Option<String>,
}

/// Several documents.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Several {
    /// The documents.
    documents: Vec<DocumentRequest>,
}

/// The field that tells several documents from one.
#[derive(Deserialize)]
struct Probe {
    documents: Option<IgnoredAny>,
}

/// Parameters of an upload.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadRequest {
    /// Key of a document that is no JSON.
    key: Option<String>,
    /// Answer only when the job has ended.
    #[serde(default)]
    wait: bool,
}

/// Part of an ingest's report that says what was refused.
#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    skipped: Vec<Skipped>,
}

#[derive(Deserialize)]
struct Skipped {
    error: String,
}

/// The form that a media type or an ending names; `None` for neither.
pub(crate) fn form_of(media_or_ending: &str) -> Option<Form> {
    match media_or_ending {
        "text/plain" | "txt" | "plain" => Some(Form::Plain),
        "text/markdown" | "text/x-markdown" | "md" | "markdown" => Some(Form::Markdown),
        "text/html" | "application/xhtml+xml" | "html" | "htm" => Some(Form::Html),
        "application/x-ndjson" | "application/jsonl" | "application/x-jsonlines" | "jsonl" => {
            Some(Form::Records)
        }
        _ => None,
    }
}

/// Adds documents: JSON (one, or several as `documents`), JSON lines, a form with files, or a text whose `key` is a parameter. The
/// answer is a job; the documents are durable when it is `done`.
#[utoipa::path(post, path = "/documents", params(UploadRequest), request_body = DocumentRequest, responses(
    (status = 200, description = "The job, ended", body = super::schemas::Object),
    (status = 202, description = "The job", body = super::schemas::Object),
    (status = "4XX", description = "The request is wrong, or nothing may be written", body = super::schemas::Problem),
    (status = 503, description = "The server is busy", body = super::schemas::Problem),
))]
pub(crate) async fn post(
    db: Db,
    Params(UploadRequest { key, wait }): Params<UploadRequest>,
    request: Request,
) -> Result<Response<Body>, Failure> {
    db.app.must_write(&db.named)?;
    let (documents, held) = incoming(&db.app, request, key.as_deref()).await?;
    let id = add(&db, documents, held)?;
    let jobs = db.app.jobs(&db.named)?;
    let gone = || Failure::system("the job is forgotten");
    if wait {
        return respond::json(&jobs.ended(&id).await.ok_or_else(gone)?);
    }
    respond::json_as(StatusCode::ACCEPTED, &jobs.get(&id).ok_or_else(gone)?)
}

/// Adds or replaces the document of a key; durable when the answer comes.
#[utoipa::path(put, path = "/documents/{key}", params(("key" = String, Path, description = "Key of the document")), request_body = DocumentRequest, responses(
    (status = 200, description = "The report of the ingest", body = super::schemas::Object),
    (status = "4XX", description = "The document is refused, or nothing may be written", body = super::schemas::Problem),
    (status = 503, description = "The server is busy", body = super::schemas::Problem),
))]
pub(crate) async fn put(db: Db, request: Request) -> Result<Response<Body>, Failure> {
    db.app.must_write(&db.named)?;
    let key = db.key.clone();
    let (documents, held) = incoming(&db.app, request, Some(&key)).await?;
    if documents.len() != 1 || documents.iter().any(|it| it.key != key || it.form == Some(Form::Records)) {
        return Err(Failure::input("PUT takes one document, whose key is that of the path"));
    }
    let id = add(&db, documents, held)?;
    let jobs = db.app.jobs(&db.named)?;
    respond::json(&stored(jobs.ended(&id).await)?)
}

/// The report of a job that stored everything; a failure where something was refused.
pub(crate) fn stored(job: Option<Seen>) -> Result<Json, Failure> {
    let job = job.ok_or_else(|| Failure::system("the job is forgotten"))?;
    match (job.state, job.report, job.failure) {
        (Stage::Done, Some(report), _) => {
            let read: Report = parse(report.get().as_bytes())?;
            match read.skipped.into_iter().next() {
                Some(skipped) => Err(Failure::input(skipped.error)),
                None => Ok(report),
            }
        }
        (_, _, Some(failure)) => Err(failure),
        _ => Err(Failure::new(Kind::Conflict, "the job was cancelled")),
    }
}

/// Adds a job that stores documents, and lets go of `held` with its end.
pub(crate) fn add(db: &Db, documents: Vec<Incoming>, held: Held) -> Result<String, Failure> {
    let served: Arc<dyn Served> = Arc::clone(&db.named.served);
    let store = move |progress: &Arc<_>| {
        let _held = held;
        served.ingest(documents, progress)
    };
    db.app.jobs(&db.named)?.add("ingest", Box::new(store))
}

async fn incoming(
    app: &Arc<App>,
    request: Request,
    key: Option<&str>,
) -> Result<(Vec<Incoming>, Held), Failure> {
    let media = media_type(request.headers());
    let most_bytes = app.settings.limits.upload_bytes;
    if media == "multipart/form-data" {
        return files(app, request, most_bytes).await;
    }
    let (parts, body) = request.into_parts();
    let read = read(app, &parts.headers, body, most_bytes).await?;
    if media == "application/json" {
        // Twice, since metadata that passed through another form would lose digits.
        let documents: Vec<DocumentRequest> = match parse::<Probe>(&read.bytes)?.documents {
            Some(_) => parse::<Several>(&read.bytes)?.documents,
            None => vec![parse(&read.bytes)?],
        };
        let documents = documents.into_iter().map(|document| from_json(app, document, key));
        return Ok((documents.collect::<Result<_, _>>()?, read.held));
    }
    let form = match (media.as_str(), form_of(&media)) {
        (_, Some(form)) => Some(form),
        ("" | "application/octet-stream", None) => None,
        (other, None) => {
            let message =
                format!("documents of {other} are not read; text, Markdown, HTML, JSON and JSON lines are");
            return Err(Failure::new(Kind::Form, message));
        }
    };
    let name = if form == Some(Form::Records) { Some("records") } else { None };
    let key = key.or(name).ok_or_else(|| Failure::input("name the document: ?key=KEY"))?.to_owned();
    let document = Incoming { key, bytes: read.bytes.into(), form, title: None, metadata: None };
    Ok((vec![document], read.held))
}

fn from_json(app: &App, document: DocumentRequest, key: Option<&str>) -> Result<Incoming, Failure> {
    let DocumentRequest { key: own, text, path, title, metadata, format } = document;
    let form = match format.as_deref() {
        None => None,
        Some(name) => match form_of(name) {
            None | Some(Form::Records) => {
                return Err(Failure::input(format!("format is {name:?}, expected txt, md or html")));
            }
            form => form,
        },
    };
    let key = own.as_deref().or(key).or(path.as_deref());
    let key = key.ok_or_else(|| Failure::input("the document has no key"))?.to_owned();
    let (bytes, form) = match (text, path) {
        (Some(text), None) => (text.into_bytes(), form.or(Some(Form::Plain))),
        (None, Some(path)) => (file(app, &path)?, form),
        _ => return Err(Failure::input("the document needs either text or path")),
    };
    Ok(Incoming { key, bytes, form, title, metadata })
}

/// The bytes of a file under the server's folder.
fn file(app: &App, path: &str) -> Result<Vec<u8>, Failure> {
    use std::io::Read;
    let place = root::under(app.settings.root.as_ref(), path)?;
    let unread = |error: std::io::Error| Failure::new(Kind::NotFound, format!("{path}: {error}"));
    if !place.symlink_metadata().map_err(unread)?.is_file() {
        return Err(Failure::input(format!("{path} is no file")));
    }
    let most_bytes = app.settings.limits.upload_bytes as u64;
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(place).map_err(unread)?;
    opened.take(most_bytes + 1).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() as u64 > most_bytes {
        return Err(Failure::new(Kind::TooLarge, format!("{path} has more than {most_bytes} bytes")));
    }
    Ok(bytes)
}

/// The files of a form, each under its name.
async fn files(
    app: &Arc<App>,
    request: Request,
    most_bytes: usize,
) -> Result<(Vec<Incoming>, Held), Failure> {
    let mut held = app.hold(0)?;
    let mut documents = Vec::new();
    for file in form_files(app, request, most_bytes, &mut held).await?.files {
        let form = form_of(&file.media).filter(|_| !file.name.contains('.'));
        documents.push(Incoming { key: file.name, bytes: file.bytes, form, title: None, metadata: None });
    }
    if documents.is_empty() {
        return Err(Failure::input("the form has no file"));
    }
    Ok((documents, held))
}

/// A file of a form.
pub(crate) struct FormFile {
    pub(crate) name: String,
    pub(crate) media: String,
    pub(crate) bytes: Vec<u8>,
}

/// A form that was read.
#[derive(Default)]
pub(crate) struct FormRead {
    pub(crate) files: Vec<FormFile>,
    pub(crate) fields: Vec<(String, String)>,
}

/// Reads a form of files and fields, of at most `most_bytes` together.
pub(crate) async fn form_files(
    app: &Arc<App>,
    mut request: Request,
    most_bytes: usize,
    held: &mut Held,
) -> Result<FormRead, Failure> {
    check_head(request.headers(), most_bytes)?;
    request.extensions_mut().insert(axum::extract::DefaultBodyLimit::max(most_bytes));
    let bad = |error: &dyn std::fmt::Display| Failure::input(format!("the form: {error}"));
    let read = async {
        let mut form =
            Multipart::from_request(request, app).await.map_err(|error| bad(&error.body_text()))?;
        let (mut done, mut total) = (FormRead::default(), 0);
        while let Some(mut field) = form.next_field().await.map_err(|error| bad(&error.body_text()))? {
            let name = field.name().unwrap_or_default().to_owned();
            let file = field.file_name().map(str::to_owned);
            let media = field.content_type().unwrap_or_default().to_owned();
            let mut bytes = Vec::new();
            while let Some(chunk) = field.chunk().await.map_err(|error| bad(&error.body_text()))? {
                total += chunk.len();
                if total > most_bytes {
                    return Err(Failure::new(
                        Kind::TooLarge,
                        format!("the form has more than {most_bytes} bytes"),
                    ));
                }
                held.add(app.hold(chunk.len())?);
                bytes.extend_from_slice(&chunk);
            }
            match file {
                Some(name) => done.files.push(FormFile { name, media, bytes }),
                None => done.fields.push((name, String::from_utf8_lossy(&bytes).into_owned())),
            }
        }
        Ok(done)
    };
    match tokio::time::timeout(app.settings.limits.body_time, read).await {
        Ok(read) => read,
        Err(_) => Err(Failure::new(Kind::TooSlow, "the form took too long to arrive")),
    }
}
