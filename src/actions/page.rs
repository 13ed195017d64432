//! Pages of lists, and the signed cursors that lead from one to the next.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    app::App,
    clock::Timestamp,
    error::{Code, Error, Result},
    query::{Document, Filter, Order, Page, Value, position},
};

/// Items on a page when the client does not say.
pub const DEFAULT_SIZE: usize = 20;
/// Items on a page at most.
pub const MAX_SIZE: usize = 100;
/// Counting stops here: past it, nobody needs the exact number, and it would cost more with every
/// contribution.
pub const COUNT_MAX: u64 = 10_000;

/// A list that can be paged through.
pub struct Listing<D> {
    /// Names the list and its order in cursors: one of another list is refused.
    pub name: &'static str,
    pub filter: Filter<D>,
    pub order: Order<D>,
}

/// Which part of a list is wanted, as Relay's connections ask.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub first: Option<i32>,
    pub last: Option<i32>,
    pub after: Option<String>,
    pub before: Option<String>,
}

/// A part of a list, in the list's order.
pub struct Slice<D> {
    pub documents: Vec<D>,
    pub has_next: bool,
    pub has_previous: bool,
}

/// Loads a part of a list with one store call.
///
/// # Errors
/// `BAD_CURSOR`, and `BAD_REQUEST` for sizes out of range or directions that contradict.
pub async fn page<D: Document>(app: &App, listing: &Listing<D>, wanted: &Wanted) -> Result<Slice<D>> {
    let ask = Ask::of(app, listing, wanted)?;
    let page = Page::first(ask.size + 1).after(ask.start.clone());
    let documents = app.store.find(listing.filter.clone(), ask.order.clone(), page).await?;
    Ok(ask.answer(documents, false))
}

/// Looks at so many documents, and once more for each of the further rounds, to fill a page of those that
/// are kept.
const SIFTED_AT_ONCE: usize = 100;
const SIFT_ROUNDS: usize = 3;

/// Loads a part of a list of which not everything is shown: `keep` says what is. At most
/// [`SIFT_ROUNDS`] times [`SIFTED_AT_ONCE`] documents are looked at. Then a page ends early, and the next
/// one goes on behind its last document; where that many in a row are not shown, the list ends.
///
/// # Errors
/// As [`page`], and those of `keep`.
pub async fn sifted<D: Document, F: Future<Output = Result<Vec<D>>>>(
    app: &App,
    listing: &Listing<D>,
    wanted: &Wanted,
    keep: impl Fn(Vec<D>) -> F,
) -> Result<Slice<D>> {
    let ask = Ask::of(app, listing, wanted)?;
    let (mut kept, mut start, mut cut) = (Vec::new(), ask.start.clone(), true);
    for _ in 0..SIFT_ROUNDS {
        let at_once = SIFTED_AT_ONCE.max(ask.size + 1);
        let found = Page::first(at_once).after(start.take());
        let found = app.store.find(listing.filter.clone(), ask.order.clone(), found).await?;
        cut = found.len() == at_once;
        start = found.last().map(|last| place(&listing.order, last));
        kept.extend(keep(found).await?);
        if !cut || kept.len() > ask.size {
            break;
        }
    }
    Ok(ask.answer(kept, cut))
}

/// What is wanted of a list, understood.
struct Ask<D> {
    size: usize,
    backwards: bool,
    start: Option<Vec<Value>>,
    order: Order<D>,
}

impl<D: Document> Ask<D> {
    fn of(app: &App, listing: &Listing<D>, wanted: &Wanted) -> Result<Self> {
        let backwards = wanted.last.is_some();
        if backwards && wanted.first.is_some() {
            return Err(bad_request("Ask for first or last, not both."));
        }
        let (size, cursor, contrary) = if backwards {
            (size("last", wanted.last)?, &wanted.before, &wanted.after)
        } else {
            (size("first", wanted.first)?, &wanted.after, &wanted.before)
        };
        if contrary.is_some() {
            return Err(bad_request("Use after with first, and before with last."));
        }
        let start = cursor.as_deref().map(|cursor| open_cursor(app, listing, cursor)).transpose()?;
        let order = if backwards { listing.order.clone().reversed() } else { listing.order.clone() };
        Ok(Self { size, backwards, start, order })
    }

    /// The page, of documents of which there is one more than it has room for where there are more, or
    /// that were `cut` short.
    fn answer(self, mut documents: Vec<D>, cut: bool) -> Slice<D> {
        let more = documents.len() > self.size || (cut && !documents.is_empty());
        let from_inside = self.start.is_some();
        documents.truncate(self.size);
        if self.backwards {
            documents.reverse();
            return Slice { documents, has_next: from_inside, has_previous: more };
        }
        Slice { documents, has_next: more, has_previous: from_inside }
    }
}

/// Where a document stands in an order.
fn place<D: Document>(order: &Order<D>, document: &D) -> Vec<Value> {
    position(&serde_json::to_value(document).unwrap_or_default(), &order.keys())
}

fn size(name: &str, wanted: Option<i32>) -> Result<usize> {
    match wanted.map(usize::try_from) {
        None => Ok(DEFAULT_SIZE),
        Some(Ok(size @ 1..=MAX_SIZE)) => Ok(size),
        Some(_) => Err(bad_request(&format!("{name} must be from 1 to {MAX_SIZE}."))),
    }
}

fn bad_request(message: &str) -> Error {
    Error::Coded(Code::BadRequest, message.to_owned())
}

/// How many documents a list has, up to [`COUNT_MAX`].
///
/// # Errors
/// When the store fails.
pub async fn count<D: Document>(app: &App, filter: Filter<D>) -> Result<u64> {
    Ok(app.store.count(filter, COUNT_MAX).await?)
}

/// The cursor of a document in a list: its place in the order, signed, so that nobody can make one
/// up to probe values they may not see.
#[must_use]
pub fn cursor<D: Document>(app: &App, name: &str, order: &Order<D>, document: &D) -> String {
    let values: Vec<serde_json::Value> = place(order, document).iter().map(to_json).collect();
    let body = serde_json::Value::Array(values).to_string();
    let tag = app.keys.tag(&purpose(name), &body);
    let mut bytes = tag[..16].to_vec();
    bytes.extend(body.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn open_cursor<D>(app: &App, listing: &Listing<D>, cursor: &str) -> Result<Vec<Value>> {
    let bad = || Error::Coded(Code::BadCursor, "This cursor is not one of this list.".to_owned());
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
    let (tag, body) = bytes.split_at_checked(16).ok_or_else(bad)?;
    let body = std::str::from_utf8(body).map_err(|_| bad())?;
    if !app.keys.is_tag(&purpose(listing.name), body, tag) {
        return Err(bad());
    }
    let values: Vec<serde_json::Value> = serde_json::from_str(body).map_err(|_| bad())?;
    let keys = listing.order.keys();
    if values.len() != keys.len() {
        return Err(bad());
    }
    values.iter().map(|json| from_json(json).ok_or_else(bad)).collect()
}

fn purpose(name: &str) -> String {
    format!("cursor:{name}")
}

/// Times are marked, so that they come back as times.
fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(bool) => (*bool).into(),
        Value::Int(int) => (*int).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Time(time) => serde_json::json!({ "t": time.millis() }),
    }
}

fn from_json(json: &serde_json::Value) -> Option<Value> {
    Some(match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(bool) => Value::Bool(*bool),
        serde_json::Value::Number(int) => Value::Int(int.as_i64()?),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Object(time) => Value::Time(Timestamp::from_millis(time.get("t")?.as_i64()?)),
        serde_json::Value::Array(_) => return None,
    })
}
