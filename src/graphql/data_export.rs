//! Exports: everything that the exchange holds of the member, for them to take along.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{
    context::{Ask, request},
    payload::payload,
};
use crate::{
    actions::data_export as action,
    clock::Timestamp,
    domain::data_export::{self as domain, ExportState},
};

/// Everything that the exchange holds of the member, put together for them as a ZIP of JSON and files.
pub struct DataExport(pub Arc<domain::DataExport>);

/// Everything that the exchange holds of the member, put together for them as a ZIP of JSON and files.
#[Object]
impl DataExport {
    async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    async fn state(&self, ctx: &Context<'_>) -> ExportState {
        self.0.state(ctx.app().clock.now())
    }

    async fn requested_at(&self) -> Timestamp {
        self.0.requested_at
    }

    /// When it is forgotten.
    async fn expires_at(&self) -> Timestamp {
        self.0.expires_at
    }

    /// In bytes, once it is ready.
    async fn size(&self) -> Option<i64> {
        self.0.size
    }

    /// Where the member gets it, signed in, once it is ready.
    async fn url(&self, ctx: &Context<'_>) -> Option<String> {
        let there = self.0.is_there(ctx.app().clock.now());
        there.then(|| ctx.app().config.link(&crate::rest::data_export::path(&self.0.id)))
    }
}

#[derive(Clone, InputObject)]
pub struct RequestDataExportInput {
    pub client_mutation_id: Option<String>,
}

payload!(RequestDataExportPayload { data_export: DataExport });

#[derive(Default)]
pub struct DataExportMutation;

#[Object]
impl DataExportMutation {
    /// Has everything that the exchange holds of the member put together, once a day at most. They are told
    /// by e-mail when it is ready, and get it signed in. For people: no token is enough.
    async fn request_data_export(
        &self,
        ctx: &Context<'_>,
        input: RequestDataExportInput,
    ) -> Result<RequestDataExportPayload> {
        let request = request("requestDataExport", &input, input.client_mutation_id.as_ref());
        let done = action::request(ctx.app(), ctx.viewer(), &request).await;
        RequestDataExportPayload::of(done, input.client_mutation_id, |export| DataExport(export.into()))
    }
}
