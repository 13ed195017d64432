//! Becoming a member.

use super::{ROUNDS, lost_every_round};
use crate::{
    app::App,
    domain::{
        digest::next_due,
        email::EmailAddress,
        member::{DigestPreferences, Member, Role},
        organisation::Organisation,
    },
    error::{Code, Error, Result, StoreError},
    ids::Id,
    query::{Order, Page},
    store::Batch,
};

/// The member with this address, whatever plus-tag it has.
pub async fn with_address(app: &App, email_key: &str) -> Result<Option<Member>> {
    let filter = Member::EMAIL_KEY.eq(email_key);
    Ok(app.store.find(filter, Order::by_id(), Page::first(1)).await?.pop())
}

/// Whether whoever reads this address's mail may sign in: a member, or somebody who may become one.
#[must_use]
pub fn may_sign_in(app: &App, email: &EmailAddress, member: Option<&Member>) -> bool {
    member.is_some() || email.is_under(&app.config.sign_in.automatic_domains)
}

/// A new member with all that can be guessed. Not written yet.
pub async fn joining(app: &App, email: EmailAddress) -> Result<Member> {
    let now = app.clock.now();
    let organisation = organisation_of(app, &email).await?;
    let preferences = DigestPreferences::from(&app.config.digest);
    let digest_due_at = next_due(&preferences, now);
    let member = Member::new(app.ids.fresh(), email, preferences, now);
    Ok(Member { organisation, digest_due_at, ..member })
}

/// The organisation whose domain the address is at or under, when there is exactly one. Domains that
/// the whole NHS shares say nothing.
async fn organisation_of(app: &App, email: &EmailAddress) -> Result<Option<Id<Organisation>>> {
    let shared = &app.config.sign_in.automatic_domains;
    let mut domain = email.domain();
    while domain.contains('.') && !shared.iter().any(|shared| shared.eq_ignore_ascii_case(domain)) {
        let filter = Organisation::DOMAINS.contains(domain);
        let mut found = app.store.find(filter, Order::by_id(), Page::first(2)).await?;
        if !found.is_empty() {
            let only = found.pop().filter(|_| found.is_empty());
            return Ok(only.map(|organisation| organisation.id));
        }
        domain = domain.split_once('.').map_or("", |(_, parent)| parent);
    }
    Ok(None)
}

/// Gives a member a role, making them a member first when they are none: where the first
/// administrator comes from. For operators, who need no permission of ours.
///
/// # Errors
/// `Refused`, when the address is malformed.
pub async fn grant(app: &App, email: &str, role: Role) -> Result<Member> {
    let email =
        EmailAddress::parse(email).map_err(|problem| Error::refused("email", Code::Invalid, problem))?;
    for _ in 0..ROUNDS {
        let (member, batch) = match with_address(app, &email.key()).await? {
            Some(member) if member.role == role => return Ok(member),
            Some(member) => {
                let member = Member { role, ..member };
                let batch = Batch::new().replace(&member);
                (member, batch)
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
