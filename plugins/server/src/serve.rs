//! A server from its start to its graceful end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::guard::guard;
use crate::serve_error::ServeError;
use crate::{Failure, Kind, Served, Settings, listen, mcp, native, openai, page};

/// Characters of the shortest token.
const LEAST_TOKEN: usize = 16;

/// A server that listens.
pub struct Server {
    app: Arc<App>,
    listener: std::net::TcpListener,
    address: SocketAddr,
    runtime: tokio::runtime::Runtime,
    ended: CancellationToken,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Listens; requests wait until [`run`](Self::run) is called. `databases` have names; the first
    /// is meant where a request names none.
    ///
    /// # Errors
    /// For settings that would let anybody in, and when the address cannot be listened on.
    pub fn bind(settings: Settings, databases: Vec<(String, Arc<dyn Served>)>) -> Result<Self, ServeError> {
        check(&settings, &databases)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(settings.threads.max(1))
            .max_blocking_threads(settings.limits.searches + settings.limits.questions + 64)
            .thread_name("serve")
            .enable_all()
            .build()
            .map_err(ServeError::Threads)?;
        let address = SocketAddr::new(settings.host, settings.port);
        let failed = |source| ServeError::Listen { address, source };
        let listener = std::net::TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let app = App::new(settings, databases);
        Ok(Self { app, listener, address, runtime, ended: CancellationToken::new() })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A function that ends the server: requests at work are finished, new ones refused.
    pub fn stopper(&self) -> impl Fn() + Send + Sync + 'static {
        let ended = self.ended.clone();
        move || ended.cancel()
    }

    /// Serves until [`stopper`](Self::stopper)'s function is called, then finishes requests and jobs.
    ///
    /// # Errors
    /// When a database cannot finish.
    pub fn run(self) -> Result<(), ServeError> {
        let Self { app, listener, address, runtime, ended } = self;
        warm(&app);
        runtime.block_on(async {
            let listener =
                TcpListener::from_std(listener).map_err(|source| ServeError::Listen { address, source })?;
            tracing::info!(%address, "serving");
            let routes = routes(&app, &ended);
            listen::until(listener, routes, &app, &ended).await;
            Ok(())
        })?;
        tracing::info!("finishing jobs");
        runtime.shutdown_timeout(app.settings.limits.grace_time);
        for jobs in app.jobs.values() {
            jobs.wait();
        }
        for named in app.databases() {
            let failed = |failure| ServeError::Finish { name: named.name.to_string(), failure };
            named.served.finish().map_err(failed)?;
        }
        Ok(())
    }
}

/// Loads the models beside the first requests.
fn warm(app: &Arc<App>) {
    let app = Arc::clone(app);
    let load = move || {
        for named in app.databases() {
            if let Err(error) = named.served.warm() {
                tracing::warn!(database = &*named.name, %error, "the models are not loaded");
            }
        }
        app.is_ready.store(true, Ordering::Relaxed);
    };
    if let Err(error) = std::thread::Builder::new().name("warm".to_owned()).spawn(load) {
        tracing::warn!(%error, "no thread to load the models");
    }
}

fn check(settings: &Settings, databases: &[(String, Arc<dyn Served>)]) -> Result<(), ServeError> {
    if databases.is_empty() {
        return Err(ServeError::NoDatabase);
    }
    for (at, (name, _)) in databases.iter().enumerate() {
        if databases[..at].iter().any(|(other, _)| other == name) {
            return Err(ServeError::TwoOfOneName { name: name.clone() });
        }
    }
    match &settings.token {
        None if !settings.host.is_loopback() => return Err(ServeError::NoToken { host: settings.host }),
        Some(token) if token.chars().count() < LEAST_TOKEN => {
            return Err(ServeError::ShortToken { got: token.chars().count(), least: LEAST_TOKEN });
        }
        _ => {}
    }
    match &settings.root {
        Some(path) if !settings.may_write => Err(ServeError::RootWithoutWrite { path: path.clone() }),
        Some(path) => match std::fs::read_dir(path) {
            Ok(_) => Ok(()),
            Err(source) => Err(ServeError::Root { path: path.clone(), source }),
        },
        None => Ok(()),
    }
}

/// All routes, behind the guard.
pub(crate) fn routes(app: &Arc<App>, ended: &CancellationToken) -> Router {
    let none = async || Failure::new(Kind::NotFound, "there is nothing at this path; see /docs");
    let other = async || Failure::new(Kind::Method, "this path does not take that method; see /docs");
    native::routes()
        .merge(openai::routes())
        .merge(page::routes())
        .merge(mcp::routes(app, ended))
        .fallback(none)
        .method_not_allowed_fallback(other)
        .layer(from_fn_with_state(Arc::clone(app), guard))
        .with_state(Arc::clone(app))
}
