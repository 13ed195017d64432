//! What resolvers reach through their context.

use async_graphql::{Context, InputType};

use super::loaders::Loaders;
use crate::{
    actions::{access::Viewer, once::Request},
    app::App,
};

/// The service, the signed-in member and the request's loaders. Every request that is executed has
/// all three: the endpoint refuses those without a valid token before anything runs.
pub trait Ask {
    fn app(&self) -> &App;
    fn viewer(&self) -> &Viewer;
    fn loaders(&self) -> &Loaders;
}

impl Ask for Context<'_> {
    fn app(&self) -> &App {
        self.data_unchecked()
    }

    fn viewer(&self) -> &Viewer {
        self.data_unchecked()
    }

    fn loaders(&self) -> &Loaders {
        self.data_unchecked()
    }
}

/// A mutation's input as the receipt remembers it.
pub fn request<I: InputType + Clone>(
    mutation: &'static str,
    input: &I,
    client_mutation_id: Option<&String>,
) -> Request {
    Request {
        mutation,
        client_mutation_id: client_mutation_id.cloned(),
        content: input.to_value().to_string(),
    }
}
