//! Whether the process is alive, and whether it can be sent requests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use poem::{
    Request, handler,
    web::{Data, Json},
};
use serde_json::{Value, json};

use crate::{app::App, error::StoreError, http::Refusal};

/// The store must answer within this, so that readiness is known within 3 seconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// Set by the server when it stops, as data of its routes: balancers look elsewhere from then on.
#[derive(Clone, Default)]
pub struct Stopping(pub Arc<AtomicBool>);

#[handler]
pub fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

#[handler]
pub async fn ready(app: Data<&App>, request: &Request) -> poem::Result<Json<Value>> {
    let away = |why: &str| Refusal(StoreError::Unavailable(why.to_owned()).into());
    if request.data::<Stopping>().is_some_and(|stopping| stopping.0.load(Ordering::SeqCst)) {
        return Err(away("the process is stopping").into());
    }
    let answer = tokio::time::timeout(PATIENCE, app.store.ping()).await;
    answer.map_err(|_| away("the store does not answer"))?.map_err(|error| Refusal(error.into()))?;
    Ok(Json(json!({ "status": "ready" })))
}
