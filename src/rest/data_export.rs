//! Exports: what a member asked to be given, for them alone.

use poem::{
    Body, IntoResponse, Request, Response,
    http::{StatusCode, header},
    web::Data,
};
use poem_openapi::{
    ApiResponse, OpenApi, Tags,
    param::Path,
    payload::{Binary, Payload},
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
};

use super::pay;
use crate::{
    actions::data_export as action,
    app::App,
    domain::data_export::DataExport,
    error::{Result, not_found},
    http::Refusal,
    ids::Id,
    web::session::reader,
};

/// Where an export is got from, below the service's address.
#[must_use]
pub fn path(id: &Id<DataExport>) -> String {
    format!("/api/v1/data-exports/{id}")
}

#[derive(Tags)]
enum Tag {
    /// What the exchange holds of a member.
    #[oai(rename = "Data rights")]
    DataRights,
}

/// A ZIP.
struct Given(Response);

pub struct DataExportApi;

#[OpenApi(prefix_path = "/v1", tag = "Tag::DataRights")]
impl DataExportApi {
    /// Get an export
    ///
    /// Everything that the exchange holds of the member who asked for it (`requestDataExport` in GraphQL), as a
    /// ZIP of JSON and files. For them alone, signed in: no access token is enough.
    #[oai(path = "/data-exports/:id", method = "get", operation_id = "getDataExport")]
    async fn get(&self, app: Data<&App>, request: &Request, id: Path<String>) -> Result<Given, Refusal> {
        let viewer = reader(&app, request).await?;
        pay(&app, request, &viewer)?;
        viewer.admit_to("getDataExport")?;
        let found = match Id::parse(&id.0) {
            Some(id) => action::of_id(&app, &viewer, &id).await?,
            None => None,
        };
        Ok(given(&app, found).await?)
    }

    /// Get the latest export
    ///
    /// The latest that is ready. There is none before the member asks for one.
    #[oai(path = "/me/export", method = "get", operation_id = "getLatestDataExport")]
    async fn latest(&self, app: Data<&App>, request: &Request) -> Result<Given, Refusal> {
        let viewer = reader(&app, request).await?;
        pay(&app, request, &viewer)?;
        viewer.admit_to("getLatestDataExport")?;
        let found = action::latest(&app, &viewer).await?;
        Ok(given(&app, found).await?)
    }
}

/// Nothing keeps a copy of it on the way.
async fn given(app: &App, export: Option<DataExport>) -> Result<Given> {
    let export = export.ok_or_else(|| not_found("export"))?;
    let content = Body::from_bytes_stream(action::content(app, &export).await?);
    let mut response = Response::builder()
        .status(StatusCode::OK)
        .header(header::CONTENT_TYPE, "application/zip")
        .header(header::CONTENT_DISPOSITION, "attachment; filename=\"my-data.zip\"")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header("cross-origin-resource-policy", "same-origin")
        .header(header::CACHE_CONTROL, "no-store")
        .body(content);
    if let Some(size) = export.size {
        response.headers_mut().insert(header::CONTENT_LENGTH, size.into());
    }
    Ok(Given(response))
}

impl IntoResponse for Given {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for Given {
    fn meta() -> MetaResponses {
        let schema = <Binary<Vec<u8>> as Payload>::schema_ref();
        let media = MetaMediaType { content_type: "application/zip", schema };
        let response = MetaResponse {
            description: "The export.",
            status: Some(200),
            status_range: None,
            content: vec![media],
            headers: vec![],
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}
