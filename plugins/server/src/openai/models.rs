use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use serde_json::{Value, json};

use crate::app::{App, Named};
use crate::{Failure, Kind, respond};

/// Name of the model that answers from the first database; with `/NAME` from that of a name.
const MODEL: &str = "postil";

/// The database of a model: any name that is no database's means the first one, since programs
/// often insist on a name of OpenAI's.
pub(super) fn database<'a>(app: &'a App, model: Option<&str>) -> Result<&'a Named, Failure> {
    match model.and_then(|model| model.strip_prefix(MODEL)?.strip_prefix('/')) {
        Some(name) => app.database(Some(name)),
        None => {
            app.database(model.filter(|model| app.databases().iter().any(|named| &*named.name == *model)))
        }
    }
}

/// Name of the model that answers from a database.
pub(super) fn name_of(named: &Named) -> String {
    format!("{MODEL}/{}", named.name)
}

fn all(app: &App) -> Vec<Value> {
    let model = |id: &str| json!({ "id": id, "object": "model", "created": 0, "owned_by": "postil" });
    let mut models = vec![model(MODEL)];
    models.extend(app.databases().iter().map(|named| model(&name_of(named))));
    for named in app.databases() {
        let Some(encoder) = named.served.about().encoder else { continue };
        if !models.iter().any(|known| known["id"] == encoder) {
            models.push(model(&encoder));
        }
    }
    models
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Response<Body>, Failure> {
    respond::json(&json!({ "object": "list", "data": all(&app) }))
}

pub(super) async fn get(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response<Body>, Failure> {
    let found = all(&app).into_iter().find(|model| model["id"] == id);
    respond::json(&found.ok_or_else(|| Failure::new(Kind::NotFound, format!("there is no model {id:?}")))?)
}
