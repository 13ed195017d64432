//! Sessions: where the member is signed in, and how they end it.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{
    connection::{Connection, fetch},
    context::{Ask, request},
    member::Viewer,
    payload::{payload, top},
};
use crate::{
    actions::{page::Wanted, session as action},
    clock::Timestamp,
    domain::session as domain,
    error::not_found,
    ids::Id,
};

/// A browser or program that is signed in as the member.
pub struct Session(Arc<domain::Session>);

/// A browser or program that is signed in as the member.
#[Object]
impl Session {
    async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// In words: "Edge on Windows".
    async fn device(&self) -> &str {
        &self.0.origin.device
    }

    /// In words: "NHS network (HSCN)". Or the network address without its last part.
    async fn place(&self) -> &str {
        &self.0.origin.place
    }

    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// Give or take ten minutes.
    async fn last_used_at(&self) -> Timestamp {
        self.0.rotated_at
    }

    /// When it ends, if it is not used until then.
    async fn expires_at(&self) -> Timestamp {
        self.0.expires_at
    }

    /// When it last showed a second factor; none: it has shown none.
    async fn factor_shown_at(&self) -> Option<Timestamp> {
        self.0.factor_at
    }

    /// Whether this request is of it.
    async fn current(&self, ctx: &Context<'_>) -> bool {
        ctx.viewer().session() == Some(&self.0.id)
    }
}

/// The viewer's sessions, latest first.
pub async fn of_viewer(ctx: &Context<'_>, wanted: Wanted) -> Result<Connection<Session>> {
    let page = fetch(ctx, action::all(ctx.viewer()), wanted).await?;
    let now = ctx.app().clock.now();
    let lasting =
        page.documents().iter().map(|session| session.lasts(now).then(|| Session(Arc::clone(session))));
    let nodes = lasting.collect();
    Ok(page.connection(ctx, nodes))
}

#[derive(Clone, InputObject)]
pub struct RevokeSessionInput {
    pub id: ID,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct SignOutEverywhereInput {
    /// Whether the session of this request goes on.
    #[graphql(default)]
    pub keep_current: bool,
    pub client_mutation_id: Option<String>,
}

payload!(RevokeSessionPayload { viewer: Viewer });
payload!(SignOutEverywherePayload { viewer: Viewer });

#[derive(Default)]
pub struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Ends one of the member's sessions: its tokens work no more. It may be the present one.
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        input: RevokeSessionInput,
    ) -> Result<RevokeSessionPayload> {
        let request = request("revokeSession", &input, input.client_mutation_id.as_ref());
        let id = Id::parse(&input.id).ok_or_else(|| top(not_found("session")))?;
        let done = action::revoke(ctx.app(), ctx.viewer(), &id, &request).await;
        RevokeSessionPayload::of(done, input.client_mutation_id, |member| Viewer(member.into()))
    }

    /// Ends all sessions of the member, or all but the present one.
    async fn sign_out_everywhere(
        &self,
        ctx: &Context<'_>,
        input: SignOutEverywhereInput,
    ) -> Result<SignOutEverywherePayload> {
        let request = request("signOutEverywhere", &input, input.client_mutation_id.as_ref());
        let done = action::sign_out_everywhere(ctx.app(), ctx.viewer(), input.keep_current, &request).await;
        SignOutEverywherePayload::of(done, input.client_mutation_id, |member| Viewer(member.into()))
    }
}
