//! Topics.

use std::sync::Arc;

use async_graphql::{ID, Object};

use crate::domain::topic as domain;

/// What contributions are about.
#[derive(Clone)]
pub struct Topic(pub Arc<domain::Topic>);

/// What contributions are about.
#[Object]
impl Topic {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// Its name in addresses.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    async fn name(&self) -> &str {
        &self.0.name
    }
}
