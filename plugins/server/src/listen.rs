//! Connections: so many at a time, each with bounds of time, and a graceful end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::app::App;

/// Pause after the system refused a connection, mostly because too many files are open.
const PAUSE: Duration = Duration::from_millis(50);

/// Takes connections until `ended`, then waits for requests at work, at most the time of grace.
pub(crate) async fn until(listener: TcpListener, routes: Router, app: &Arc<App>, ended: &CancellationToken) {
    let places = Arc::new(Semaphore::new(app.settings.limits.connections));
    let tasks = TaskTracker::new();
    loop {
        let place = tokio::select! {
            () = ended.cancelled() => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let stream = tokio::select! {
            () = ended.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match stream {
            Ok((stream, _)) => {
                let (routes, app, ended) = (routes.clone(), Arc::clone(app), ended.clone());
                tasks.spawn(async move {
                    let _place = place;
                    connection(stream, routes, &app, &ended).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    app.is_stopping.store(true, Ordering::Relaxed);
    tasks.close();
    if tokio::time::timeout(app.settings.limits.grace_time, tasks.wait()).await.is_err() {
        tracing::warn!("requests at work were cut off");
    }
}

async fn connection(stream: TcpStream, routes: Router, app: &App, ended: &CancellationToken) {
    // Answers are small and written whole.
    let _ = stream.set_nodelay(true);
    let service =
        TowerToHyperService::new(routes.map_request(|request: hyper::Request<_>| request.map(Body::new)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(app.settings.limits.head_time)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let done = tokio::select! {
        done = connection.as_mut() => done,
        () = ended.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = done {
        tracing::debug!(%error, "a connection ended");
    }
}
