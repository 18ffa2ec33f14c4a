use axum::body::Body;
use axum::http::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::Db;
use crate::body::JsonBody;
use crate::served::{Found, Json, Query, Search};
use crate::work::Work;
use crate::{Failure, respond};

/// Queries of one request, at most.
const MOST_QUERIES: usize = 256;

/// A search by a text, or by one vector or several.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchRequest {
    /// Text to look for.
    query: Option<String>,
    /// Vector to look for.
    vector: Option<Vec<f32>>,
    /// The vector's components as little-endian 32-bit floats in base64.
    vector_base64: Option<String>,
    /// Vectors to look for, each with hits of its own; at most 256.
    vectors: Option<Vec<Vec<f32>>>,
    /// Number of hits.
    #[schema(minimum = 1, maximum = 1000)]
    k: Option<usize>,
    /// Filter over metadata, such as `year >= 2020`.
    filter: Option<String>,
    /// Share of the nearest passages to find.
    #[schema(minimum = 0.0, maximum = 1.0)]
    recall: Option<f32>,
    /// Look at every vector.
    #[serde(default)]
    exact: bool,
    /// Nearest passages that are ranked by their words as well.
    candidates: Option<usize>,
    /// Nats that having the query's words adds at most.
    words_weight: Option<f32>,
}

/// Hits, best first.
#[derive(Serialize)]
struct Hits {
    hits: Vec<Json>,
}

#[derive(Serialize)]
struct Several {
    results: Vec<Hits>,
}

/// The hits of a search, as JSON.
fn hits(found: Vec<Found>) -> Hits {
    Hits { hits: found.into_iter().map(|found| found.json).collect() }
}

/// Finds passages near a text or a vector.
#[utoipa::path(post, path = "/search", request_body = SearchRequest, responses(
    (status = 200, description = "The hits, or `results` with hits for each of several vectors", body = super::schemas::Object),
    (status = "4XX", description = "The request is wrong", body = super::schemas::Problem),
    (status = 503, description = "The server is busy", body = super::schemas::Problem),
))]
pub(crate) async fn search(
    db: Db,
    JsonBody(request): JsonBody<SearchRequest>,
) -> Result<Response<Body>, Failure> {
    if let Some(k) = request.k.filter(|&k| k > db.app.settings.limits.k) {
        return Err(Failure::input(format!("k is {k}, at most {} hits are given", db.app.settings.limits.k)));
    }
    let is_text = request.query.is_some();
    let (searches, is_one) = searches(request)?;
    let work = if is_text { Work::Question } else { Work::Search };
    let all = move |served: &dyn crate::Served| {
        searches.iter().map(|search| served.search(search).map(hits)).collect::<Result<Vec<_>, _>>()
    };
    let mut results = db.run(work, all).await?;
    match results.pop() {
        Some(only) if is_one => respond::json(&only),
        last => {
            results.extend(last);
            respond::json(&Several { results })
        }
    }
}

/// The searches of a request; true when its answer is that of the only one.
fn searches(request: SearchRequest) -> Result<(Vec<Search>, bool), Failure> {
    let SearchRequest {
        query,
        vector,
        vector_base64,
        vectors,
        k,
        filter,
        recall,
        exact,
        candidates,
        words_weight,
    } = request;
    let with = |query| Search { query, k, filter: filter.clone(), recall, exact, candidates, words_weight };
    match (query, vector, vector_base64, vectors) {
        (Some(text), None, None, None) => Ok((vec![with(Query::Text(text))], true)),
        (None, Some(vector), None, None) => Ok((vec![with(Query::Vector(vector))], true)),
        (None, None, Some(text), None) => Ok((vec![with(Query::Vector(components(&text)?))], true)),
        (None, None, None, Some(vectors)) if vectors.len() <= MOST_QUERIES => {
            Ok((vectors.into_iter().map(|vector| with(Query::Vector(vector))).collect(), false))
        }
        (None, None, None, Some(vectors)) => Err(Failure::input(format!(
            "{} vectors are given, at most {MOST_QUERIES} are taken",
            vectors.len()
        ))),
        _ => Err(Failure::input("give one of: query, vector, vector_base64, vectors")),
    }
}

fn components(text: &str) -> Result<Vec<f32>, Failure> {
    let bytes = STANDARD.decode(text).map_err(|error| Failure::input(format!("vector_base64: {error}")))?;
    let (floats, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Failure::input(format!("vector_base64 has {} bytes, not a multiple of 4", bytes.len())));
    }
    Ok(floats.iter().map(|float| f32::from_le_bytes(*float)).collect())
}
