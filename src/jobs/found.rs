//! Documents that belong together, page by page.

use crate::{
    app::App,
    error::StoreError,
    query::{Document, Filter, Order, Page, Scalar, Value, position},
};

/// Documents in memory at once.
const AT_ONCE: usize = 100;

/// Where they are found, and how far they have been read.
pub(super) struct Found<D> {
    filter: Filter<D>,
    order: Order<D>,
    start: Option<Vec<Value>>,
    /// What their ids begin with.
    prefix: Option<String>,
    over: bool,
}

impl<D: Document> Found<D> {
    pub fn by(filter: Filter<D>, order: Order<D>) -> Self {
        Self { filter, order, start: None, prefix: None, over: false }
    }

    /// Those whose ids begin like this: one stretch of all of them.
    pub fn beginning(prefix: &str) -> Self {
        let found = Self::by(Filter::all(), Order::by_id());
        Self { start: Some(vec![prefix.to_owned().value()]), prefix: Some(prefix.to_owned()), ..found }
    }

    /// The next page; `None` at the end.
    pub async fn next(&mut self, app: &App) -> Result<Option<Vec<D>>, StoreError> {
        if self.over {
            return Ok(None);
        }
        let page = Page::first(AT_ONCE).after(self.start.take());
        let mut page = app.store.find(self.filter.clone(), self.order.clone(), page).await?;
        self.over = page.len() < AT_ONCE;
        if let Some(last) = page.last() {
            self.start = Some(position(&serde_json::to_value(last).unwrap_or_default(), &self.order.keys()));
        }
        if let Some(prefix) = &self.prefix {
            let found = page.len();
            page.retain(|document| document.id().as_str().starts_with(prefix.as_str()));
            self.over |= page.len() < found;
        }
        Ok(Some(page).filter(|page| !page.is_empty()))
    }
}
