//! Doing a mutation once, however often it is sent.
//!
//! A client that names its mutation (`clientMutationId`) can send it again after a lost answer: the
//! receipt is committed together with the change, so that either both exist or neither does, and
//! the second request finds it.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;

use super::access::Viewer;
use crate::{
    app::App,
    domain::receipt::{KEPT_HOURS, Receipt},
    error::{Code, Error, Result, not_found},
    ids::Id,
    query::Document,
    store::{Batch, Guard, StoreError},
};

/// The longest `clientMutationId`: room for a UUID and a prefix.
const MUTATION_ID_MAX: usize = 100;

/// How often, and after which pause, a receipt that must be there is looked for: half a second in all.
const LOOKS: usize = 25;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A mutation as it was sent.
pub struct Request {
    pub mutation: &'static str,
    /// The client's name for it, when it gave one.
    pub client_mutation_id: Option<String>,
    /// The whole input as text, by which a repeat is told from another mutation of the same name.
    pub content: String,
}

/// What an action decided to do: the object as it will be, and the changes that make it so.
pub struct Decision<D> {
    pub result: D,
    pub batch: Batch,
}

/// Decides and commits, unless the same request was served before: then its object is loaded.
///
/// # Errors
/// Those of `decide`; `Stale` when a guard failed; `MUTATION_ID_REUSED` when the id was used for
/// something else.
pub async fn once<D: Document>(
    app: &App,
    viewer: &Viewer,
    request: &Request,
    decide: impl AsyncFnOnce() -> Result<Decision<D>>,
) -> Result<D> {
    let Some(id) = receipt_id(viewer, request)? else {
        let Decision { result, batch } = decide().await?;
        return app.store.commit(batch).await.map(|()| result).map_err(stale);
    };
    let earlier = app.store.one(&id).await?;
    let now = app.clock.now();
    if let Some(receipt) = earlier.as_ref().filter(|receipt| receipt.expires_at > now) {
        return repeat(app, receipt, request).await;
    }
    let Decision { result, mut batch } = decide().await?;
    if let Some(expired) = &earlier {
        batch = batch.delete(&expired.id, Guard::Version(expired.version));
    }
    batch = batch.insert(&Receipt {
        id: id.clone(),
        version: 1,
        member: viewer.id.clone(),
        content: fingerprint(request),
        result: result.id().as_str().to_owned(),
        expires_at: now.plus(TimeDelta::hours(KEPT_HOURS)),
    });
    match app.store.commit(batch).await {
        Ok(()) => Ok(result),
        // The same request was faster by a moment; whatever failed here failed because of it.
        Err(error @ (StoreError::Conflict { .. } | StoreError::Stale { .. })) => {
            match winner(app, &id, &error).await? {
                Some(receipt) if receipt.expires_at > now => repeat(app, &receipt, request).await,
                _ => Err(Error::Stale),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// The receipt of the request that was faster. When its id was taken, it is there, and waited for: a
/// replica set refuses a second one a moment before it shows the first to readers.
async fn winner(app: &App, id: &Id<Receipt>, error: &StoreError) -> Result<Option<Receipt>> {
    let taken = format!("{}._id", Receipt::collection().name);
    let is_there = matches!(error, StoreError::Conflict { constraint } if *constraint == taken);
    for _ in 1..LOOKS {
        let receipt = app.store.one(id).await?;
        if receipt.is_some() || !is_there {
            return Ok(receipt);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(app.store.one(id).await?)
}

async fn repeat<D: Document>(app: &App, receipt: &Receipt, request: &Request) -> Result<D> {
    if receipt.content != fingerprint(request) {
        let message = "This clientMutationId was used for another mutation. Use a new one.";
        return Err(Error::refused("clientMutationId", Code::MutationIdReused, message));
    }
    let gone = || not_found("result of this mutation any more");
    let id = Id::parse(&receipt.result).ok_or_else(gone)?;
    app.store.one(&id).await?.ok_or_else(gone)
}

fn receipt_id(viewer: &Viewer, request: &Request) -> Result<Option<Id<Receipt>>> {
    let Some(name) = &request.client_mutation_id else {
        return Ok(None);
    };
    if name.is_empty() || name.len() > MUTATION_ID_MAX {
        let message = format!("A clientMutationId has 1 to {MUTATION_ID_MAX} characters.");
        return Err(Error::refused("clientMutationId", Code::Invalid, message));
    }
    Ok(Some(Id::of(&hash(&format!("{}\0{name}", viewer.id)))))
}

fn fingerprint(request: &Request) -> String {
    hash(&format!("{}\0{}", request.mutation, request.content))
}

fn hash(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

fn stale(error: StoreError) -> Error {
    match error {
        StoreError::Stale { .. } => Error::Stale,
        error => error.into(),
    }
}
