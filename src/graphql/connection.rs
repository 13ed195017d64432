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

/// Loads a page of `listing` and makes a connection of it.
pub async fn connect<D, N>(
    ctx: &Context<'_>,
    listing: Listing<D>,
    wanted: Wanted,
    wrap: impl Fn(Arc<D>) -> N,
) -> async_graphql::Result<Connection<N>>
where
    D: Document,
    N: OutputType,
{
    let app = ctx.app();
    let slice = Box::pin(page::page(app, &listing, &wanted)).await.map_err(top)?;
    let Listing { name, filter, order } = listing;
    let total = Total(Box::new(move |app| {
        let filter = filter.clone();
        Box::pin(async move { page::count(&app, filter).await })
    }));
    let mut connection = Relay::with_additional_fields(slice.has_previous, slice.has_next, total);
    let order = Arc::new(order);
    connection.edges = (slice.documents.into_iter().map(Arc::new))
        .map(|document| {
            let (app, order, placed) = (app.clone(), Arc::clone(&order), Arc::clone(&document));
            let cursor = Cursor(Arc::new(move || page::cursor(&app, name, &order, &*placed)));
            Edge::new(cursor, wrap(document))
        })
        .collect();
    Ok(connection)
}
