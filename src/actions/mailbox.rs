//! Mailboxes from which mail comes back: suppressing them, lifting that, and the list.

use super::{
    access::Administrator,
    audit::{Act, Concerned, Reason, acted},
    member,
    once::{Decision, Request, once},
    page::Listing,
};
use crate::{
    app::App,
    domain::{
        audit::AuditAction,
        email::EmailAddress,
        mailbox::{Mailbox, SuppressionReason},
        member::Member,
    },
    error::{Result, not_found},
    ids::Id,
    mail::status,
    store::{Batch, Guard},
};

/// What belongs into the commit that learns that mail to a member comes back. That they once showed to read it
/// does not count any more, unless it arrived: somebody called it junk.
pub fn suppressing(app: &App, member: &Id<Member>, reason: SuppressionReason, code: Option<&str>) -> Batch {
    let now = app.clock.now();
    let mut changes = vec![
        Member::SUPPRESSED_AT.set(Some(now)),
        Member::SUPPRESSION_REASON.set(Some(reason)),
        Member::SUPPRESSION_CODE.set(code.map(ToOwned::to_owned)),
        Member::TELL_SUPPRESSED_AT.set(Some(now.plus(app.config.mail_from.tell_after()))),
    ];
    if reason == SuppressionReason::HardBounce {
        changes.push(Member::VERIFIED_UNTIL.set(Some(now)));
        changes.push(Member::REMIND_AT.set(None));
    }
    Batch::new().patch(member, Guard::Present, changes)
}

/// Sends a member nothing more of what is sent to many.
///
/// # Errors
/// Not found.
pub async fn suppress(
    app: &App,
    administrator: &Administrator,
    id: &Id<Member>,
    reason: &Reason,
    request: &Request,
) -> Result<Member> {
    let by_hand = Mailbox {
        suppressed_at: Some(app.clock.now()),
        reason: Some(SuppressionReason::Administrator),
        ..Mailbox::default()
    };
    set(app, administrator, id, by_hand, AuditAction::SuppressMailbox, reason, request).await
}

/// Sends a member mail again. Whoever's mail came back still has to sign in with a code.
///
/// # Errors
/// Not found.
pub async fn lift(
    app: &App,
    administrator: &Administrator,
    id: &Id<Member>,
    reason: &Reason,
    request: &Request,
) -> Result<Member> {
    let action = AuditAction::LiftSuppression;
    set(app, administrator, id, Mailbox::default(), action, reason, request).await
}

async fn set(
    app: &App,
    administrator: &Administrator,
    id: &Id<Member>,
    mailbox: Mailbox,
    action: AuditAction,
    reason: &Reason,
    request: &Request,
) -> Result<Member> {
    once(app, administrator, request, || async {
        let there = |member: &Member| !member.is_former();
        let mut member = app.store.one(id).await?.filter(there).ok_or_else(|| not_found("member"))?;
        // It is so already, whoever or whatever made it so.
        if member.mailbox.is_suppressed() == mailbox.is_suppressed() {
            return Ok(Decision { result: member, batch: Batch::new() });
        }
        member.mailbox = mailbox.clone();
        let act = Act::new(action, id.as_str()).because(reason);
        let batch = Batch::new().replace(&member).and(acted(app, administrator, act, &Concerned::member(id)));
        member.version += 1;
        Ok(Decision { result: member, batch })
    })
    .await
}

/// Members whose mailbox is suppressed, the latest first.
#[must_use]
pub fn suppressed(_administrator: &Administrator) -> Listing<Member> {
    Listing { name: "suppressions", filter: Member::suppressed(), order: Member::SUPPRESSED_AT.desc() }
}

/// What a provider that carries our mail tells of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// The mailbox has it, or the provider tries again: nothing is to be done.
    OnItsWay,
    /// It came back for good, perhaps with a status.
    Bounced(Option<&'a str>),
    /// Its reader called it junk.
    Complained,
}

/// Takes what a provider tells of mail to an address. Hearing it again changes nothing.
///
/// # Errors
/// When the store is away.
pub async fn reported(app: &App, address: &str, outcome: Outcome<'_>) -> Result<()> {
    let (reason, code) = match outcome {
        Outcome::Bounced(code) if code.is_none_or(status::is_about_the_mailbox) => {
            (SuppressionReason::HardBounce, code)
        }
        Outcome::Complained => (SuppressionReason::Complaint, None),
        Outcome::Bounced(_) | Outcome::OnItsWay => return Ok(()),
    };
    let Ok(address) = EmailAddress::parse(address) else { return Ok(()) };
    let Some(member) = member::with_address(app, &address.key()).await? else { return Ok(()) };
    if member.mailbox.is_suppressed() || member.is_former() {
        return Ok(());
    }
    tracing::warn!(member = %member.id, ?reason, code, "a provider says that mail comes back");
    app.store.commit(suppressing(app, &member.id, reason, code)).await?;
    Ok(())
}
