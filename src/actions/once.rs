//! Doing a mutation once, however often it is sent.
//!
//! A client that names its mutation (`clientMutationId`) can send it again after a lost answer: the
//! receipt is committed together with the change, so that either both exist or neither does, and
//! the second request finds it.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;

use super::{ROUNDS, access::Viewer, lost_every_round, pause};
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

/// A mutation as it was sent.
pub struct Request {
    pub mutation: &'static str,
    /// The client's name for it, when it gave one.
    pub client_mutation_id: Option<String>,
    /// The whole input as text, by which a repeat is told from another mutation of the same name.
    pub content: String,
}

impl Request {
    /// A request that its client gave no name.
    #[must_use]
    pub fn unnamed(mutation: &'static str) -> Self {
        Self { mutation, client_mutation_id: None, content: String::new() }
    }
}

/// What an action decided to do: the object as it will be, and the changes that make it so.
pub struct Decision<D> {
    pub result: D,
    pub batch: Batch,
}

/// Decides and commits, unless the same request was served before: then its object is loaded.
///
/// When somebody else changes what the decision was made on before it is committed, it is made
/// again on what is there then. A decision that must not be made on anything newer says so itself,
/// as edits do with [`Error::Stale`].
///
/// # Errors
/// Those of `decide`; `MUTATION_ID_REUSED` when the id was used for something else.
pub async fn once<D: Document, F: Future<Output = Result<Decision<D>>>>(
    app: &App,
    viewer: &Viewer,
    request: &Request,
    decide: impl Fn() -> F,
) -> Result<D> {
    let id = receipt_id(viewer, request)?;
    for round in 0..ROUNDS {
        let now = app.clock.now();
        let earlier = receipt(app, id.as_ref()).await?;
        if let Some(receipt) = earlier.as_ref().filter(|receipt| receipt.expires_at > now) {
            return repeat(app, receipt, request).await;
        }
        let Decision { result, mut batch } = match decide().await {
            Ok(decision) => decision,
            // Perhaps because the same request was served between the two looks.
            Err(error) => match receipt(app, id.as_ref()).await?.filter(|receipt| receipt.expires_at > now) {
                Some(receipt) => return repeat(app, &receipt, request).await,
                None => return Err(error),
            },
        };
        if let Some(expired) = &earlier {
            batch = batch.delete(&expired.id, Guard::Version(expired.version));
        }
        if let Some(id) = &id {
            batch = batch.insert(&Receipt {
                id: id.clone(),
                version: 1,
                member: viewer.id.clone(),
                content: fingerprint(request),
                result: result.id().as_str().to_owned(),
                expires_at: now.plus(TimeDelta::hours(KEPT_HOURS)),
            });
        }
        match app.store.commit(batch).await {
            Ok(()) => return Ok(result),
            // Somebody else was faster by a moment; perhaps the same request.
            Err(StoreError::Conflict { .. } | StoreError::Stale { .. }) => pause(round).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}

/// A new version of a document that is there to be guarded by. What is read after this call and decided on
/// holds when the version is committed: whoever else commits one meanwhile makes it be read again.
///
/// # Errors
/// When the store fails.
pub async fn next_version<D: Document>(app: &App, first: D) -> Result<Batch> {
    Ok(match app.store.one(first.id()).await? {
        Some(current) => Batch::new().replace(&current),
        None => Batch::new().insert(&first),
    })
}

async fn receipt(app: &App, id: Option<&Id<Receipt>>) -> Result<Option<Receipt>> {
    match id {
        Some(id) => Ok(app.store.one(id).await?),
        None => Ok(None),
    }
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
