use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::app::{App, Named};
use crate::served::Served;
use crate::{Failure, work::Work};

/// The database that a path names, and the key in it, if any.
pub(crate) struct Db {
    pub(crate) app: Arc<App>,
    pub(crate) named: Named,
    /// The last part of the path that is a key or a number; empty when there is none.
    pub(crate) key: String,
}

impl Db {
    /// Runs work on the database in its turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: Work,
        f: impl FnOnce(&dyn Served) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let served = Arc::clone(&self.named.served);
        self.app.turns.run(work, move || f(&*served)).await
    }
}

impl FromRequestParts<Arc<App>> for Db {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let given = RawPathParams::from_request_parts(parts, app).await;
        let given = given.map_err(|_| Failure::input("the path is no UTF-8"))?;
        let of = |wanted: &str| given.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        let named = app.database(of("db"))?.clone();
        let key = of("key").or_else(|| of("id")).unwrap_or_default().to_owned();
        Ok(Self { app: Arc::clone(app), named, key })
    }
}
