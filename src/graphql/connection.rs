//! Relay connections over pages.

use std::sync::Arc;

use async_graphql::{
    Context, Object, OutputType,
    connection::{Connection as Relay, CursorType, Edge, EmptyFields},
};
use futures_util::future::BoxFuture;

use super::{context::Ask, payload::top};
use crate::{
    actions::page::{self, Listing, Wanted},
    app::App,
    domain::{permission::Scoped, sight::Seen},
    error::Result,
    query::Document,
};

/// A connection with its total count.
pub type Connection<N> = Relay<Cursor, N, Total, EmptyFields>;

/// A document's place in a list, worked out only when somebody asks.
pub struct Cursor(Arc<dyn Fn() -> String + Send + Sync>);

impl CursorType for Cursor {
    type Error = std::convert::Infallible;

    fn decode_cursor(text: &str) -> Result<Self, Self::Error> {
        let text = text.to_owned();
        Ok(Self(Arc::new(move || text.clone())))
    }

    fn encode_cursor(&self) -> String {
        (self.0)()
    }
}

type Counting = Box<dyn Fn(App) -> BoxFuture<'static, Result<u64>> + Send + Sync>;

/// What a connection tells besides its page.
pub struct Total(Counting);

#[Object]
impl Total {
    /// How many items the list has; 10,000 means that many or more.
    async fn total_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let count = (self.0)(ctx.app().clone()).await.map_err(top)?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

/// A page of a list that was loaded, before it becomes a connection.
pub struct Fetched<D> {
    listing: Listing<D>,
    documents: Vec<Arc<D>>,
    has_next: bool,
    has_previous: bool,
}

/// Loads a page of `listing`.
pub async fn fetch<D: Document + Scoped>(
    ctx: &Context<'_>,
    listing: Listing<D>,
    wanted: Wanted,
) -> async_graphql::Result<Fetched<D>> {
    ctx.viewer().may_read::<D>().map_err(top)?;
    let slice = Box::pin(page::page(ctx.app(), &listing, &wanted)).await.map_err(top)?;
    let documents = slice.documents.into_iter().map(Arc::new).collect();
    Ok(Fetched { listing, documents, has_next: slice.has_next, has_previous: slice.has_previous })
}

/// Loads a page of `listing` of which only what `keep` gives back is shown.
pub async fn fetch_sifted<D: Document + Scoped, F: Future<Output = Result<Vec<D>>>>(
    ctx: &Context<'_>,
    listing: Listing<D>,
    wanted: Wanted,
    keep: impl Fn(Vec<D>) -> F,
) -> async_graphql::Result<Fetched<D>> {
    ctx.viewer().may_read::<D>().map_err(top)?;
    let slice = Box::pin(page::sifted(ctx.app(), &listing, &wanted, keep)).await.map_err(top)?;
    let documents = slice.documents.into_iter().map(Arc::new).collect();
    Ok(Fetched { listing, documents, has_next: slice.has_next, has_previous: slice.has_previous })
}

impl<D: Document> Fetched<D> {
    pub fn documents(&self) -> &[Arc<D>] {
        &self.documents
    }

    /// A connection of what the page's documents stand for, one each; `None` is left out.
    pub fn connection<N: OutputType>(self, ctx: &Context<'_>, nodes: Vec<Option<N>>) -> Connection<N> {
        let app = ctx.app();
        let Listing { name, filter, order } = self.listing;
        let total = Total(Box::new(move |app| {
            let filter = filter.clone();
            Box::pin(async move { page::count(&app, filter).await })
        }));
        let mut connection = Relay::with_additional_fields(self.has_previous, self.has_next, total);
        let order = Arc::new(order);
        let placed = self.documents.into_iter().zip(nodes);
        connection.edges = placed
            .filter_map(|(placed, node)| {
                let (app, order) = (app.clone(), Arc::clone(&order));
                let cursor = Cursor(Arc::new(move || page::cursor(&app, name, &order, &*placed)));
                Some(Edge::new(cursor, node?))
            })
            .collect();
        connection
    }
}

/// Loads a page of `listing` and makes a connection of it.
pub async fn connect<D, N>(
    ctx: &Context<'_>,
    listing: Listing<D>,
    wanted: Wanted,
    wrap: impl Fn(Arc<D>) -> N,
) -> async_graphql::Result<Connection<N>>
where
    D: Document + Scoped,
    N: OutputType,
{
    let page = fetch(ctx, listing, wanted).await?;
    let nodes = page.documents().iter().map(|document| Some(wrap(Arc::clone(document)))).collect();
    Ok(page.connection(ctx, nodes))
}

/// The same of what members see more or less of.
pub async fn connect_seen<D, N>(
    ctx: &Context<'_>,
    listing: Listing<D>,
    wanted: Wanted,
    wrap: impl Fn(Arc<D>) -> N,
) -> async_graphql::Result<Connection<N>>
where
    D: Document + Scoped + Seen,
    N: OutputType,
{
    let page = fetch(ctx, listing, wanted).await?;
    let seen = |document: &Arc<D>| Arc::clone(document).shared_as_seen_by(ctx.viewer());
    let nodes = page.documents().iter().map(|document| seen(document).map(&wrap)).collect();
    Ok(page.connection(ctx, nodes))
}
