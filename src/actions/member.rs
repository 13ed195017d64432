//! Becoming a member.

use super::{ROUNDS, invitation, lost_every_round, once::Decision, role::granted};
use crate::{
    app::App,
    domain::{
        digest::next_due,
        email::EmailAddress,
        invitation::Invitation,
        job::{Job, Task},
        member::{DigestPreferences, Member, Role},
        organisation::Organisation,
        standing::MemberState,
    },
    error::{Code, Error, Result, StoreError},
    query::{Order, Page},
    store::Batch,
};

/// The member with this address, whatever plus-tag it has.
pub async fn with_address(app: &App, email_key: &str) -> Result<Option<Member>> {
    let filter = Member::EMAIL_KEY.eq(email_key);
    Ok(app.store.find(filter, Order::by_id(), Page::first(1)).await?.pop())
}

/// How somebody comes in who has shown to read an address's mail.
enum WayIn {
    /// They are a member.
    Member,
    /// They join, or ask to join.
    Joins(MemberState),
    Invited(Box<Invitation>),
}

impl WayIn {
    /// `None` for whoever may not sign in.
    async fn of(app: &App, email: &EmailAddress, member: Option<&Member>) -> Result<Option<Self>> {
        let now = app.clock.now();
        if member.is_some_and(|member| member.shut_out(now).is_none()) {
            return Ok(Some(Self::Member));
        }
        if let Some(invitation) = invitation::open_for(app, &email.key()).await? {
            return Ok(Some(Self::Invited(Box::new(invitation))));
        }
        let joins = match member {
            None => admission(app, email),
            Some(member) if member.standing.may_ask_again(now) => {
                admission(app, email).map(|_| MemberState::AwaitingApproval)
            }
            Some(_) => None,
        };
        Ok(joins.map(Self::Joins))
    }
}

/// Whether whoever reads this address's mail may sign in: a member, or somebody who may become one.
///
/// # Errors
/// When the store fails.
pub async fn may_sign_in(app: &App, email: &EmailAddress, member: Option<&Member>) -> Result<bool> {
    Ok(WayIn::of(app, email, member).await?.is_some())
}

/// How somebody with this address joins by themself, if at all.
fn admission(app: &App, email: &EmailAddress) -> Option<MemberState> {
    let settings = &app.config.sign_in;
    if email.is_under(&settings.automatic_domains) {
        let asks = settings.approve_everyone;
        return Some(if asks { MemberState::AwaitingApproval } else { MemberState::Active });
    }
    email.is_under(&settings.approval_domains).then_some(MemberState::AwaitingApproval)
}

/// How somebody showed whose address it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// With what was mailed to it.
    Mail,
    /// A provider of single sign-on says so.
    Provider,
}

/// The member who has just shown to read this address's mail, perhaps a new one, and what makes it so: to
/// be committed with their session. `None` for whoever may not sign in.
///
/// # Errors
/// When the store fails.
pub(super) async fn signing_in(
    app: &App,
    email: &EmailAddress,
    known: Option<Member>,
    proof: Proof,
) -> Result<Option<(Member, Batch)>> {
    let Some(way) = WayIn::of(app, email, known.as_ref()).await? else { return Ok(None) };
    let (now, is_new) = (app.clock.now(), known.is_none());
    let mut member = match known {
        Some(member) => member,
        None => joining(app, email.clone()).await?,
    };
    member.standing.verify(now, &app.config.sign_in);
    if proof == Proof::Mail {
        member.mailbox.answers();
    }
    let batch = match way {
        WayIn::Member | WayIn::Joins(MemberState::Active) => Batch::new(),
        WayIn::Joins(_) => {
            member.standing.ask(now);
            let mail = Task::SendApplicant { member: member.id.clone() };
            Batch::new().insert(&Job::new(app.ids.fresh(), mail, now))
        }
        WayIn::Invited(invitation) => invitation::accepted(*invitation, &mut member, now),
    };
    let batch = if is_new { batch.insert(&member) } else { batch.replace(&member) };
    Ok(Some((member, batch)))
}

/// Whether the member with an address is no longer as they were known: whoever is refused an invitation may
/// have accepted it themselves a moment ago, by another sign-in.
pub(super) async fn has_changed(app: &App, email_key: &str, known: Option<i64>) -> Result<bool> {
    let member = with_address(app, email_key).await?;
    Ok(member.map(|member| member.version) != known)
}

/// A new member with all that can be guessed. Not written yet.
async fn joining(app: &App, email: EmailAddress) -> Result<Member> {
    let now = app.clock.now();
    let organisation = organisation_of(app, &email).await?;
    let preferences = DigestPreferences::from(&app.config.digest);
    let digest_due_at = next_due(&preferences, now);
    let mut member = Member::new(app.ids.fresh(), email, preferences, now);
    member.works_at(organisation.as_ref());
    Ok(Member { digest_due_at, ..member })
}

/// The organisation whose domain the address is at or under, when there is exactly one. Domains that
/// the whole NHS shares say nothing.
pub(super) async fn organisation_of(app: &App, email: &EmailAddress) -> Result<Option<Organisation>> {
    let shared = &app.config.sign_in.automatic_domains;
    let mut domain = email.domain();
    while domain.contains('.') && !shared.iter().any(|shared| shared.eq_ignore_ascii_case(domain)) {
        let filter = Organisation::DOMAINS.contains(domain);
        let mut found = app.store.find(filter, Order::by_id(), Page::first(2)).await?;
        if !found.is_empty() {
            return Ok(found.pop().filter(|_| found.is_empty()));
        }
        domain = domain.split_once('.').map_or("", |(_, parent)| parent);
    }
    Ok(None)
}

/// Gives a member a role, making them a member first when they are none or await approval: where the first
/// administrator comes from. For operators, who need no permission of ours.
///
/// # Errors
/// `Refused`, when the address is malformed, and for the last administrator.
pub async fn grant(app: &App, email: &str, role: Role) -> Result<Member> {
    let email =
        EmailAddress::parse(email).map_err(|problem| Error::refused("email", Code::Invalid, problem))?;
    for _ in 0..ROUNDS {
        let (member, batch) = match with_address(app, &email.key()).await? {
            Some(member) if member.role == role && member.standing.state == MemberState::Active => {
                return Ok(member);
            }
            Some(mut member) => {
                member.standing.state = MemberState::Active;
                let Decision { result, batch } = granted(app, member, role).await?;
                (result, batch)
            }
            None => {
                let member = Member { role, ..joining(app, email.clone()).await? };
                let batch = Batch::new().insert(&member);
                (member, batch)
            }
        };
        match app.store.commit(batch).await {
            Ok(()) => return Ok(member),
            Err(StoreError::Conflict { .. } | StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}
