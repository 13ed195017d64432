//! Invitations: invite a partner, take it back, accept, list.

use chrono::TimeDelta;
use futures_util::future::try_join;

use super::{
    access::Moderator,
    audit::{Act, Concerned, Reason, acted},
    member::with_address,
    once::{Decision, Request, once},
    page::Listing,
};
use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        audit::AuditAction,
        case_study::CaseStudy,
        email::EmailAddress,
        guard::Acknowledged,
        invitation::{
            ACCESS_DAYS_MAX, CASE_STUDIES_MAX, Invitation, InvitationState, NAME_MAX, OPEN_DAYS_MAX,
            TOPICS_MAX,
        },
        job::{Job, Task},
        member::{Member, Role},
        sight::Seen,
        standing::{MemberState, PartnerScope},
        text::{Written, line},
        topic::Topic,
    },
    error::{Code, Error, Problem, Result, not_found},
    ids::{Id, Identified},
    query::{Filter, Order, Page},
    store::Batch,
    tokens,
};

/// Whom a moderator invites, and to what.
pub struct NewInvitation {
    pub email: String,
    pub name: String,
    /// Ids; none of both: to everything.
    pub topics: Option<Vec<String>>,
    pub case_studies: Option<Vec<String>>,
    pub expires_at: Option<Timestamp>,
    pub access_ends_at: Option<Timestamp>,
    /// What the moderator said about the guard's warnings.
    pub acknowledged: Acknowledged,
}

/// Invites a lived experience partner, with a mail that says to what.
///
/// # Errors
/// Every problem of what was sent; `WRONG_STATE` when the address is a member's, or invited already.
pub async fn create(
    app: &App,
    moderator: &Moderator,
    new: &NewInvitation,
    request: &Request,
) -> Result<Invitation> {
    once(app, moderator, request, || async {
        let now = app.clock.now();
        let mut problems = Vec::new();
        let email = EmailAddress::parse(&new.email)
            .map_err(|problem| problems.push(Problem::new("email", Code::Invalid, problem)))
            .ok();
        let name = line("name", Written::new(&new.name, new.acknowledged), NAME_MAX)
            .map_err(|problem| problems.push(problem))
            .ok();
        let scope = scope(app, moderator, new, &mut problems).await?;
        let (expires_at, access_ends_at) = times(app, new, &mut problems);
        let (Some(email), Some(name), true) = (email, name, problems.is_empty()) else {
            return Err(Error::Refused(problems));
        };
        check_address(app, &email).await?;
        let invitation = Invitation {
            id: app.ids.fresh(),
            version: 1,
            email_key: email.key(),
            email,
            name,
            sponsor: moderator.id.clone(),
            scope,
            state: InvitationState::Open,
            created_at: now,
            expires_at,
            access_ends_at,
            accepted_at: None,
            accepted_by: None,
            revoked_at: None,
        };
        let mail = Task::SendInvitation { invitation: invitation.id.clone() };
        let batch = Batch::new()
            .insert(&invitation)
            .and(audited(app, moderator, AuditAction::CreateInvitation, &invitation, None))
            .insert(&Job::new(app.ids.fresh(), mail, now));
        Ok(Decision { result: invitation, batch })
    })
    .await
}

fn audited(
    app: &App,
    moderator: &Moderator,
    action: AuditAction,
    invitation: &Invitation,
    reason: Option<&Reason>,
) -> Batch {
    let act = Act::new(action, invitation.id.as_str());
    let act = match reason {
        Some(reason) => act.because(reason),
        None => act,
    };
    acted(app, moderator, act, &Concerned::nobody())
}

/// Members need no invitation, but partners whose access has ended.
async fn check_address(app: &App, email: &EmailAddress) -> Result<()> {
    let key = email.key();
    let (member, open) = try_join(with_address(app, &key), open_for(app, &key)).await?;
    let takes_part = member.is_some_and(|member| member.shut_out(app.clock.now()).is_none());
    let message = match (takes_part, open.is_some()) {
        (true, _) => "There is a member with this address already.",
        (false, true) => "This address is invited already. Take that invitation back first.",
        (false, false) => return Ok(()),
    };
    Err(Error::refused("email", Code::WrongState, message))
}

/// What is named, when it is there and the moderator sees it.
async fn scope(
    app: &App,
    moderator: &Moderator,
    new: &NewInvitation,
    problems: &mut Vec<Problem>,
) -> Result<Option<PartnerScope>> {
    if new.topics.is_none() && new.case_studies.is_none() {
        return Ok(None);
    }
    let topics = named::<Topic>("topicIds", new.topics.as_deref(), TOPICS_MAX, problems);
    let case_studies =
        named::<CaseStudy>("caseStudyIds", new.case_studies.as_deref(), CASE_STUDIES_MAX, problems);
    let (found, studies) = try_join(app.store.get(&topics), app.store.get(&case_studies)).await?;
    for at in found.iter().enumerate().filter(|(_, topic)| topic.is_none()).map(|(at, _)| at) {
        problems.push(unknown("topicIds", at));
    }
    let hidden = |study: &Option<CaseStudy>| study.as_ref().is_none_or(|study| !study.can_see(moderator));
    for at in studies.iter().enumerate().filter(|(_, study)| hidden(study)).map(|(at, _)| at) {
        problems.push(unknown("caseStudyIds", at));
    }
    if topics.is_empty() && case_studies.is_empty() && problems.is_empty() {
        let message = "Name a topic or a case study, or leave both out to invite to everything.";
        problems.push(Problem::new("topicIds", Code::Required, message));
    }
    Ok(Some(PartnerScope { topics, case_studies }))
}

fn named<T: Identified>(
    field: &str,
    sent: Option<&[String]>,
    most: usize,
    problems: &mut Vec<Problem>,
) -> Vec<Id<T>> {
    let sent = sent.unwrap_or_default();
    if sent.len() > most {
        problems.push(Problem::new(field, Code::TooMany, format!("Name at most {most}.")));
        return Vec::new();
    }
    let read = sent.iter().enumerate().filter_map(|(at, id)| {
        let id = Id::parse(id);
        if id.is_none() {
            problems.push(unknown(field, at));
        }
        id
    });
    read.collect()
}

fn unknown(field: &str, at: usize) -> Problem {
    Problem::new(&format!("{field}.{at}"), Code::Unknown, "There is no such thing to invite somebody to.")
}

/// Until when the invitation can be accepted, and until when access lasts.
fn times(app: &App, new: &NewInvitation, problems: &mut Vec<Problem>) -> (Timestamp, Timestamp) {
    let (now, settings) = (app.clock.now(), &app.config.invitations);
    let mut time = |field: &str, wanted: Option<Timestamp>, days: i64, most: i64| {
        let at = wanted.unwrap_or_else(|| now.plus(TimeDelta::days(days.min(most))));
        if at <= now || at > now.plus(TimeDelta::days(most)) {
            let message = format!("Choose a time that is to come, within {most} days.");
            problems.push(Problem::new(field, Code::Invalid, message));
        }
        at
    };
    let expires_at = time("expiresAt", new.expires_at, settings.open_days, OPEN_DAYS_MAX);
    let access_ends_at = time("accessEndsAt", new.access_ends_at, settings.access_days, ACCESS_DAYS_MAX);
    (expires_at, access_ends_at)
}

/// Takes an invitation back: its link does nothing any more, and the access of whoever accepted it ends.
///
/// # Errors
/// Not found.
pub async fn revoke(
    app: &App,
    moderator: &Moderator,
    id: &Id<Invitation>,
    reason: &Reason,
    request: &Request,
) -> Result<Invitation> {
    once(app, moderator, request, || async {
        let mut invitation = app.store.one(id).await?.ok_or_else(|| not_found("invitation"))?;
        if invitation.state == InvitationState::Revoked {
            return Ok(Decision { result: invitation, batch: Batch::new() });
        }
        let now = app.clock.now();
        invitation.state = InvitationState::Revoked;
        invitation.revoked_at = Some(now);
        let action = AuditAction::RevokeInvitation;
        let mut batch =
            Batch::new().replace(&invitation).and(audited(app, moderator, action, &invitation, Some(reason)));
        let accepted_by = invitation.accepted_by.as_ref();
        let partner = match accepted_by {
            Some(id) => app.store.one(id).await?,
            None => None,
        };
        if let Some(mut partner) = partner.filter(|partner| partner.shut_out(now).is_none()) {
            partner.standing.access_ends_at = Some(now);
            batch = batch.replace(&partner);
        }
        invitation.version += 1;
        Ok(Decision { result: invitation, batch })
    })
    .await
}

/// All of them, latest first.
#[must_use]
pub fn all(_moderator: &Moderator) -> Listing<Invitation> {
    Listing { name: "invitations", filter: Filter::all(), order: Invitation::CREATED_AT.desc() }
}

/// The invitation that whoever reads this address's mail can accept.
///
/// # Errors
/// When the store fails.
pub(super) async fn open_for(app: &App, email_key: &str) -> Result<Option<Invitation>> {
    let open = Invitation::open_for(email_key, app.clock.now());
    Ok(app.store.find(open, Order::by_id(), Page::first(1)).await?.pop())
}

/// Makes a partner of somebody who has shown to read the invited address's mail. To be committed with what
/// becomes of the member: of two who accept at once, or one who takes it back meanwhile, one does.
pub(super) fn accepted(mut invitation: Invitation, member: &mut Member, now: Timestamp) -> Batch {
    member.role = Role::Partner;
    member.name.clone_from(&invitation.name);
    let standing = &mut member.standing;
    standing.state = MemberState::Active;
    standing.refused_until = None;
    standing.sponsor = Some(invitation.sponsor.clone());
    standing.scope.clone_from(&invitation.scope);
    standing.access_ends_at = Some(invitation.access_ends_at);
    invitation.accept(&member.id, now);
    Batch::new().replace(&invitation)
}

/// The invitation that a link belongs to, while it can be accepted.
///
/// # Errors
/// Not found.
pub async fn by_link(app: &App, token: &str) -> Result<Invitation> {
    let missing = || not_found("invitation");
    let id = tokens::invitation::read_link(app, token).ok_or_else(missing)?;
    let found = app.store.one(&id).await?;
    found.filter(|invitation| invitation.is_open(app.clock.now())).ok_or_else(missing)
}
