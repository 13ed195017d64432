//! Service accounts: make, list. Their tokens are in [`access_token`](super::access_token).

use super::{
    access::{Administrator, Moderator, Viewer},
    audit::{Act, Concerned, acted},
    once::{Decision, Request, once},
    page::Listing,
};
use crate::{
    app::App,
    domain::{
        access_token::AccessToken,
        audit::AuditAction,
        guard::Acknowledged,
        member::Member,
        organisation::Organisation,
        service_account::{self, NAME_MAX},
        standing::MemberState,
        text::{Written, line},
    },
    error::{Code, Error, Problem, Result, not_found},
    ids::Id,
    query::Page,
    store::{Batch, Guard},
};

/// More tokens than an account can have (`EACH_MAX` in `domain/access_token.rs`).
const TOKENS_MAX: usize = 100;
const NOT_THEIRS: &str = "Choose somebody who belongs to the organisation, and is no partner.";

/// A service account to be made, as it was asked for.
pub struct Wish {
    pub name: String,
    /// What it does, in a few words.
    pub purpose: String,
    pub organisation: Option<Id<Organisation>>,
    pub owner: Option<Id<Member>>,
    pub acknowledged: Acknowledged,
}

/// Makes a service account, for a person who answers for it and is told so.
///
/// # Errors
/// Problems of what was asked for.
pub async fn create(app: &App, moderator: &Moderator, wish: &Wish, request: &Request) -> Result<Member> {
    once(app, moderator, request, || async {
        let owner = match &wish.owner {
            Some(owner) => app.store.one(owner).await?,
            None => None,
        };
        let (name, purpose) = texts(wish)?;
        let owner =
            owner.ok_or_else(|| Error::refused("ownerId", Code::Unknown, "There is no such member."))?;
        if !service_account::may_own(&owner) || owner.organisation != wish.organisation {
            return Err(Error::refused("ownerId", Code::Invalid, NOT_THEIRS));
        }
        let now = app.clock.now();
        let account = service_account::new(app.ids.fresh(), name, purpose, &owner, now)
            .map_err(|problem| Error::Fault(problem.to_owned()))?;
        let purpose = account.job_title.as_deref().unwrap_or_default();
        let act = Act::new(AuditAction::CreateServiceAccount, account.id.as_str()).because(purpose);
        let told = acted(app, moderator, act, &Concerned::member(&owner.id));
        // They answer for it as who they are now.
        let unchanged = Guard::Version(owner.version);
        let batch = Batch::new().insert(&account).require(&owner.id, unchanged).and(told);
        Ok(Decision { result: account, batch })
    })
    .await
}

/// Has another member of its organisation answer for a service account. Its tokens end: whoever made them
/// knows them. Both are told.
///
/// # Errors
/// Not found, unless it is the viewer's or they act as administrator; `INVALID` for somebody who can't answer
/// for it.
pub async fn hand_over(
    app: &App,
    viewer: &Viewer,
    id: &Id<Member>,
    to: Option<&Id<Member>>,
    request: &Request,
) -> Result<Member> {
    once(app, viewer, request, || async {
        let reached = |account: &Member| match &account.owner {
            Some(owner) => *owner == viewer.id || Administrator::of(viewer).is_ok(),
            None => false,
        };
        let missing = || not_found("service account");
        let mut account = app.store.one(id).await?.filter(reached).ok_or_else(missing)?;
        let before = account.owner.clone().ok_or_else(missing)?;
        let owner = match to {
            Some(to) => app.store.one(to).await?,
            None => None,
        };
        let owner = owner.filter(|owner| may_answer(app, owner));
        let owner =
            owner.ok_or_else(|| Error::refused("ownerId", Code::Unknown, "There is no such member."))?;
        if !service_account::may_own(&owner) || owner.organisation != account.organisation {
            return Err(Error::refused("ownerId", Code::Invalid, NOT_THEIRS));
        }
        if owner.id == before {
            return Ok(Decision { result: account, batch: Batch::new() });
        }
        account.owner = Some(owner.id.clone());
        let act = Act::new(AuditAction::HandOverServiceAccount, id.as_str());
        let told =
            acted(app, viewer, act, &Concerned { members: vec![&before, &owner.id], ..Concerned::nobody() });
        let unchanged = Guard::Version(owner.version);
        let batch = Batch::new().replace(&account).require(&owner.id, unchanged).and(told);
        let batch = batch.and(without_tokens(app, id).await?);
        account.version += 1;
        Ok(Decision { result: account, batch })
    })
    .await
}

/// Whether somebody takes part, so that they can answer for something.
fn may_answer(app: &App, person: &Member) -> bool {
    person.standing.state == MemberState::Active && person.suspended(app.clock.now()).is_none()
}

/// Revokes all that there can be.
async fn without_tokens(app: &App, account: &Id<Member>) -> Result<Batch> {
    let theirs = AccessToken::MEMBER.eq(account.clone());
    let tokens = app.store.find(theirs, AccessToken::CREATED_AT.desc(), Page::first(TOKENS_MAX)).await?;
    let live = tokens.into_iter().filter(|token| token.revoked_at.is_none());
    Ok(live.fold(Batch::new(), |batch, mut token| {
        token.revoke(app.clock.now());
        batch.replace(&token)
    }))
}

fn texts(wish: &Wish) -> Result<(String, String)> {
    let read = |field, text| line(field, Written::new(text, wish.acknowledged), NAME_MAX);
    match (read("name", &wish.name), read("purpose", &wish.purpose)) {
        (Ok(name), Ok(purpose)) => Ok((name, purpose)),
        (name, purpose) => {
            let problems = [name.err(), purpose.err()].into_iter().flatten();
            Err(Error::Refused(problems.collect::<Vec<Problem>>()))
        }
    }
}

/// All for administrators; for others those that they answer for.
#[must_use]
pub fn all(viewer: &Viewer) -> Listing<Member> {
    let all = Administrator::of(viewer).is_ok();
    let filter = service_account::owned_by((!all).then_some(&viewer.id));
    Listing { name: "serviceAccounts", filter, order: Member::OWNER.asc() }
}
