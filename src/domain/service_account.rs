//! Service accounts: members that are programs. Each belongs to an organisation and to a person who
//! answers for it, and signs in by access tokens alone.

use super::{
    email::{EmailAddress, NO_MAILBOX},
    member::{DigestPreferences, Member, Role},
};
use crate::{clock::Timestamp, ids::Id, query::Filter};

/// A name and a purpose stand where a person's name and job title do.
pub const NAME_MAX: usize = 100;

/// A service account that is made at `now`.
///
/// # Errors
/// None but a mistake in how its address is made.
pub fn new(
    id: Id<Member>,
    name: String,
    purpose: String,
    owner: &Member,
    now: Timestamp,
) -> Result<Member, String> {
    let email = EmailAddress::parse(&format!("{id}@{NO_MAILBOX}"))?;
    let digest = DigestPreferences::off();
    Ok(Member {
        name,
        job_title: Some(purpose),
        organisation: owner.organisation.clone(),
        owner: Some(owner.id.clone()),
        ..Member::new(id, email, digest, now)
    })
}

/// Whether a person can answer for service accounts of their organisation.
#[must_use]
pub fn may_own(person: &Member) -> bool {
    person.owner.is_none() && person.role != Role::Partner && person.organisation.is_some()
}

/// The service account as it may act now: as its owner, as far as they take part, and only while they answer
/// for it and belong to its organisation.
#[must_use]
pub fn acting_for(account: Member, owner: &Member) -> Option<Member> {
    let answers = account.owner.as_ref() == Some(&owner.id)
        && may_own(owner)
        && account.organisation == owner.organisation;
    answers.then(|| Member {
        role: owner.role,
        standing: owner.standing.clone(),
        second_factor: owner.second_factor,
        ..account
    })
}

/// All of them, or those that one person answers for.
#[must_use]
pub fn owned_by(owner: Option<&Id<Member>>) -> Filter<Member> {
    match owner {
        Some(owner) => Member::OWNER.eq(owner.clone()),
        None => Member::OWNER.gt(Id::of("")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(key: &str, organisation: &str, role: Role) -> Member {
        let email = EmailAddress::parse(&format!("{key}@trust.nhs.uk")).unwrap();
        let digest = DigestPreferences::off();
        let member = Member::new(Id::of(key), email, digest, Timestamp::from_millis(0));
        Member { role, organisation: Some(Id::of(organisation)), ..member }
    }

    #[test]
    fn an_account_acts_as_its_owner_and_no_longer_than_they_answer_for_it() {
        let owner = person("ada", "north", Role::Moderator);
        let now = Timestamp::from_millis(0);
        let account = new(Id::of("01J"), "Sync".to_owned(), "Copies".to_owned(), &owner, now).unwrap();
        assert_eq!(account.role, Role::Member);
        assert_eq!(acting_for(account.clone(), &owner).map(|account| account.role), Some(Role::Moderator));
        for other in [
            person("ada", "south", Role::Moderator),
            person("ada", "north", Role::Partner),
            person("grace", "north", Role::Administrator),
            Member { organisation: None, ..owner.clone() },
        ] {
            assert_eq!(acting_for(account.clone(), &other), None, "{other:?}");
        }
        assert!(!may_own(&account));
    }
}
