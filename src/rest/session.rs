//! Sessions: where a member is signed in, and how they end it.

use poem::{Request, web::Data};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};

use super::{auth::Tag, pay};
use crate::{
    actions::{once, page, session as action},
    app::App,
    domain::session::Session,
    error::not_found,
    http::Refusal,
    ids::Id,
    web::session::{reader, viewer},
};

/// A browser or program that is signed in as the member.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct SessionOut {
    id: String,
    /// In words: "Edge on Windows".
    device: String,
    /// In words: "NHS network (HSCN)". Or the network address without its last part.
    place: String,
    created_at: String,
    /// Give or take ten minutes.
    last_used_at: String,
    /// When it ends, if it is not used until then.
    expires_at: String,
    /// Whether this request is of it.
    current: bool,
}

/// Latest first; a hundred at most.
#[derive(Object)]
pub struct SessionsOut {
    sessions: Vec<SessionOut>,
}

#[derive(ApiResponse)]
enum Ended {
    /// Nobody is signed in by it any more.
    #[oai(status = 204)]
    Done,
}

pub struct SessionApi;

#[OpenApi(prefix_path = "/v1/auth/sessions", tag = "Tag::SigningIn")]
impl SessionApi {
    /// List sessions
    ///
    /// Every browser and program that is signed in as the member.
    #[oai(path = "/", method = "get", operation_id = "listSessions")]
    async fn list(&self, app: Data<&App>, request: &Request) -> Result<Json<SessionsOut>, Refusal> {
        let viewer = reader(&app, request).await?;
        viewer.admit_to("listSessions")?;
        pay(&app, request, &viewer)?;
        let wanted = page::Wanted { first: Some(100), ..page::Wanted::default() };
        let sessions = page::page(&app, &action::all(&viewer), &wanted).await?.documents;
        let lasting = sessions.into_iter().filter(|session| session.lasts(app.clock.now()));
        let sessions = lasting.map(|session| SessionOut::of(session, viewer.session())).collect();
        Ok(Json(SessionsOut { sessions }))
    }

    /// End a session
    ///
    /// Its tokens work no more. It may be the present one.
    #[oai(path = "/:id", method = "delete", operation_id = "revokeSession")]
    async fn revoke(&self, app: Data<&App>, request: &Request, id: Path<String>) -> Result<Ended, Refusal> {
        let viewer = viewer(&app, request).await?;
        viewer.admit_to("revokeSession")?;
        pay(&app, request, &viewer)?;
        let id = Id::parse(&id.0).ok_or_else(|| not_found("session"))?;
        action::revoke(&app, &viewer, &id, &once::Request::unnamed("revokeSession")).await?;
        Ok(Ended::Done)
    }

    /// Sign out everywhere
    ///
    /// Ends all sessions of the member or, with `keepCurrent`, all but the present one.
    #[oai(path = "/", method = "delete", operation_id = "signOutEverywhere")]
    async fn everywhere(
        &self,
        app: Data<&App>,
        request: &Request,
        #[oai(name = "keepCurrent", default)] keep_current: Query<bool>,
    ) -> Result<Ended, Refusal> {
        let viewer = viewer(&app, request).await?;
        viewer.admit_to("signOutEverywhere")?;
        pay(&app, request, &viewer)?;
        let unnamed = once::Request::unnamed("signOutEverywhere");
        action::sign_out_everywhere(&app, &viewer, keep_current.0, &unnamed).await?;
        Ok(Ended::Done)
    }
}

impl SessionOut {
    fn of(session: Session, current: Option<&Id<Session>>) -> Self {
        Self {
            current: current == Some(&session.id),
            id: session.id.to_string(),
            device: session.origin.device,
            place: session.origin.place,
            created_at: session.created_at.to_string(),
            last_used_at: session.rotated_at.to_string(),
            expires_at: session.expires_at.to_string(),
        }
    }
}
