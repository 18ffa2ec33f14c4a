//! The Model Context Protocol, on standard input and output and at `/mcp`, by the official SDK.
//!
//! Nothing is written unless the server may write. Results are bounded, so that no listing fills an
//! agent's context: each has a cursor or a line to go on from.
//!
//! file | responsibility
//! ---|---
//! `tools.rs` | the tools with their schemas
//! `calls.rs` | what they do
//! `lines.rs` | parts of a text

mod calls;
mod lines;
mod tools;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ProgressNotificationParam, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Resource,
    ResourceContents, ResourceTemplate, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServiceExt};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::native::stored;
use crate::serve_error::ServeError;
use crate::served::{Listing, Served};
use crate::uri::{SCHEME, uri};
use crate::work::Work;
use crate::{Failure, Kind, Settings};

/// Resources on a page.
const PAGE: usize = 100;
/// Time between two notes of progress.
const PULSE: Duration = Duration::from_millis(500);

const INSTRUCTIONS: &str = "The user's own documents. `ask` answers a question with citations and says when the \
    documents do not answer it; `search` finds passages; `fetch` and `get` read a document. Probabilities are exact \
    posteriors over the passages that were read, not confidences in the truth.";

/// The server that an agent talks to.
#[derive(Clone)]
pub(crate) struct Agent {
    app: Arc<App>,
}

/// The service at `/mcp`; hosts and origins were checked at the door.
pub(crate) fn routes(app: &Arc<App>, ended: &CancellationToken) -> Router<Arc<App>> {
    let agent = Agent { app: Arc::clone(app) };
    let mut config = StreamableHttpServerConfig::default();
    config.allowed_hosts = Vec::new();
    config.max_request_body_bytes = app.settings.limits.upload_bytes;
    config.cancellation_token = ended.child_token();
    let sessions = Arc::new(LocalSessionManager::default());
    Router::new()
        .route_service("/mcp", StreamableHttpService::new(move || Ok(agent.clone()), sessions, config))
}

/// Serves an agent on standard input and output until it closes them.
///
/// # Errors
/// When the agent does not speak the protocol, or a database cannot finish.
pub fn serve_stdio(settings: Settings, databases: Vec<(String, Arc<dyn Served>)>) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(ServeError::Threads)?;
    let app = App::new(settings, databases);
    let agent = Agent { app: Arc::clone(&app) };
    let served = runtime.block_on(async {
        let running = match agent.serve(rmcp::transport::stdio()).await {
            Ok(running) => running,
            // An agent that leaves at once has made no mistake.
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(error) => return Err(ServeError::Agent(error.to_string())),
        };
        running.waiting().await.map(drop).map_err(|error| ServeError::Agent(error.to_string()))
    });
    runtime.shutdown_timeout(app.settings.limits.grace_time);
    for jobs in app.jobs.values() {
        jobs.wait();
    }
    for named in app.databases() {
        let failed = |failure| ServeError::Finish { name: named.name.to_string(), failure };
        named.served.finish().map_err(failed)?;
    }
    served
}

impl Agent {
    fn tools(&self) -> Vec<Tool> {
        let may_write = self.app.settings.may_write
            && self.app.databases().iter().any(|named| named.served.about().is_writable);
        tools::tools(may_write)
    }

    /// Stores a document and tells of progress until it is durable.
    async fn ingest(
        &self,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Value, Failure> {
        let (named, number) = calls::ingest(&self.app, request.arguments)?;
        let jobs = self.app.jobs(&named)?;
        let token = context.meta.get_progress_token();
        let ended = jobs.ended(&number);
        tokio::pin!(ended);
        loop {
            tokio::select! {
                job = &mut ended => {
                    let report: Value = crate::body::parse(stored(job)?.get().as_bytes())?;
                    return Ok(json!({ "report": report }));
                }
                () = context.ct.cancelled() => {
                    jobs.cancel(&number);
                    return Err(Failure::new(Kind::Conflict, "cancelled; what was committed stays"));
                }
                () = tokio::time::sleep(PULSE) => {
                    if let (Some(token), Some(job)) = (&token, jobs.get(&number)) {
                        #[expect(clippy::cast_precision_loss, reason = "the protocol has floating-point numbers")]
                        let done = job.passages_embedded as f64;
                        let note = ProgressNotificationParam::new(token.clone(), done);
                        // An agent that does not listen is not waited for.
                        let _ = context.peer.notify_progress(note).await;
                    }
                }
            }
        }
    }
}

impl ServerHandler for Agent {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("postil", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools().into_iter().find(|tool| tool.name == name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if self.get_tool(&request.name).is_none() {
            return Err(ErrorData::invalid_params(format!("there is no tool {:?}", request.name), None));
        }
        let done = match request.name.as_ref() {
            "ingest" => self.ingest(request, &context).await,
            name => calls::call(&self.app, name, request.arguments.clone()).await,
        };
        Ok(match done {
            Ok(value) => CallToolResult::structured(value),
            Err(failure) => CallToolResult::error(vec![ContentBlock::text(failure.message)]),
        }
        .into())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let after = request.and_then(|request| request.cursor);
        let served = Arc::clone(&self.app.database(None).map_err(told)?.served);
        let listing = Listing { prefix: String::new(), after, limit: PAGE + 1 };
        let mut listed =
            self.app.turns.run(Work::Search, move || served.documents(&listing)).await.map_err(told)?;
        let has_more = listed.len() > PAGE;
        listed.truncate(PAGE);
        let next = listed.last().filter(|_| has_more).map(|last| last.key.clone());
        let resources = listed
            .into_iter()
            .map(|it| {
                let resource =
                    Resource::new(uri(&it.key), it.key).with_mime_type("text/plain").with_size(it.text_bytes);
                if it.title.is_empty() { resource } else { resource.with_title(it.title) }
            })
            .collect();
        let mut page = ListResourcesResult::with_all_items(resources);
        page.next_cursor = next;
        Ok(page)
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let template = ResourceTemplate::new(format!("{SCHEME}{{+key}}"), "document")
            .with_description("Text of a document by its key")
            .with_mime_type("text/plain");
        Ok(ListResourceTemplatesResult::with_all_items(vec![template]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let none = || ErrorData::resource_not_found(format!("there is no resource {:?}", request.uri), None);
        let key = request.uri.strip_prefix(SCHEME).and_then(decoded).ok_or_else(none)?;
        let served = Arc::clone(&self.app.database(None).map_err(told)?.served);
        let found = self.app.turns.run(Work::Search, move || served.document(&key)).await.map_err(told)?;
        let text = found.ok_or_else(none)?.text;
        let part = lines::part(&text, 1, usize::MAX);
        let mut shown = part.text.to_owned();
        if let Some(next) = part.next {
            shown += &format!("\n[cut here; `get` with line {next} goes on]\n");
        }
        let contents = ResourceContents::text(shown, request.uri.clone()).with_mime_type("text/plain");
        Ok(ReadResourceResult::new(vec![contents]).into())
    }
}

fn told(failure: Failure) -> ErrorData {
    match failure.kind {
        Kind::System | Kind::Busy | Kind::Late => ErrorData::internal_error(failure.message, None),
        _ => ErrorData::invalid_params(failure.message, None),
    }
}

/// A percent-encoded key.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%' {
            let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok())?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_leads_back_to_its_key() {
        for key in ["leave.md", "a folder/é #1?.md", "100%", "", "../x", "\u{0}"] {
            let uri = uri(key);
            assert_eq!(uri.strip_prefix(SCHEME).and_then(decoded).as_deref(), Some(key));
        }
        assert_eq!((decoded("%"), decoded("%zz"), decoded("%ff")), (None, None, None));
    }
}
