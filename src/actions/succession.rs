//! Successions: an administrator has an organisation's people, and what they wrote, follow to a successor.

use super::{
    access::Administrator,
    audit::{Act, Concerned, Reason, acted},
    once::{Decision, Request, once},
};
use crate::{
    app::App,
    domain::{
        audit::{AuditAction, Facts},
        job::{Job, Task},
        member::Member,
        organisation::Organisation,
        succession::{MEMBERS_MAX, Moved, People, Stage, Succession},
    },
    error::{Code, Error, Result, not_found},
    ids::Id,
    store::Batch,
};

/// What is to follow, and where to.
pub struct Wish<'a> {
    pub from: &'a Id<Organisation>,
    /// The id of one of its successors.
    pub to: &'a str,
    /// Whether all of its people follow.
    pub people: bool,
    /// Ids of members, where only these follow.
    pub members: Option<&'a [String]>,
    pub content: bool,
}

/// Has what is wished follow to a successor, in the background. Whatever has followed already stays where
/// it is, so that it may be asked for again.
///
/// # Errors
/// `INVALID` unless the one succeeds the other; problems of the members named; not found.
pub async fn begin(
    app: &App,
    administrator: &Administrator,
    wish: &Wish<'_>,
    reason: &Reason,
    request: &Request,
) -> Result<Succession> {
    once(app, administrator, request, || async {
        let from = app.store.one(wish.from).await?.ok_or_else(|| not_found("organisation"))?;
        let to = Id::parse(wish.to).filter(|to| from.successors.contains(to)).ok_or_else(|| {
            let message = "It is not one of its successors. Add it with updateOrganisation first.";
            Error::refused("successorId", Code::Invalid, message)
        })?;
        let people = people(app, wish).await?;
        let (id, now) = (app.ids.fresh(), app.clock.now());
        let succession = Succession {
            id,
            version: 1,
            from: from.id.clone(),
            to,
            people,
            content: wish.content,
            by: administrator.id.clone(),
            stage: Stage::Members,
            moved: Moved::default(),
            started_at: now,
            finished_at: None,
        };
        let after = Facts { successor: Some(succession.to.to_string()), ..Facts::default() };
        let act = Act::new(AuditAction::MoveToSuccessor, from.id.as_str())
            .because(reason)
            .changed(Facts::default(), after);
        let task = Task::Succeed { succession: succession.id.clone() };
        let batch = Batch::new()
            .insert(&succession)
            .insert(&Job::new(app.ids.fresh(), task, now))
            .and(acted(app, administrator, act, &Concerned::nobody()));
        Ok(Decision { result: succession, batch })
    })
    .await
}

async fn people(app: &App, wish: &Wish<'_>) -> Result<People> {
    let Some(named) = wish.members else {
        return Ok(if wish.people { People::All } else { People::Nobody });
    };
    if named.len() > MEMBERS_MAX {
        let message = format!("Name at most {MEMBERS_MAX} at once.");
        return Err(Error::refused("memberIds", Code::TooMany, message));
    }
    let ids: Vec<Option<Id<Member>>> = named.iter().map(|text| Id::parse(text)).collect();
    let asked: Vec<_> = ids.iter().flatten().cloned().collect();
    let found = app.store.get(&asked).await?;
    let there: Vec<_> = found.into_iter().flatten().map(|member| member.id).collect();
    let unknown = ids.iter().position(|id| id.as_ref().is_none_or(|id| !there.contains(id)));
    if let Some(at) = unknown {
        return Err(Error::refused(&format!("memberIds.{at}"), Code::Unknown, "There is no such member."));
    }
    Ok(People::These(there))
}

/// How far it is, for administrators.
///
/// # Errors
/// When the store fails.
pub async fn of_id(
    app: &App,
    _administrator: &Administrator,
    id: &Id<Succession>,
) -> Result<Option<Succession>> {
    Ok(app.store.one(id).await?)
}
