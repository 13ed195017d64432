//! Members: who takes part.

use chrono::{Timelike, Weekday};
use serde::{Deserialize, Serialize};

use super::{
    calendar::Date,
    email::EmailAddress,
    fold::fold,
    follow::FollowCounts,
    mailbox::{Mailbox, SuppressionReason},
    moderation::Suspension,
    notification::NotificationPreferences,
    organisation::Organisation,
    profile::Profile,
    session::{Ended, Session},
    standing::{MemberState, Standing},
};
use crate::{
    clock::Timestamp,
    config, document,
    ids::Id,
    query::{Field, Filter, Index},
    scalar_enum,
};

/// A person who takes part in the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    #[serde(rename = "_id")]
    pub id: Id<Member>,
    pub version: i64,
    /// As given at the first sign-in, a plus-tag included.
    pub email: EmailAddress,
    /// What makes the address unique: lower case, without the plus-tag.
    pub email_key: String,
    pub name: String,
    pub job_title: Option<String>,
    pub organisation: Option<Id<Organisation>>,
    /// Who answers for it, where it is a service account and no person.
    #[serde(default)]
    pub owner: Option<Id<Member>>,
    pub role: Role,
    pub digest: DigestPreferences,
    /// When the next digest is planned; null when none is wanted.
    pub digest_due_at: Option<Timestamp>,
    /// Up to when digests have told this member what is new.
    pub digest_covered_until: Timestamp,
    #[serde(default)]
    pub notifications: NotificationPreferences,
    #[serde(default)]
    pub follows: FollowCounts,
    pub created_at: Timestamp,
    /// Why they may not use the service; it may have run out.
    #[serde(default)]
    pub suspension: Option<Suspension>,
    /// Whether they take part yet, until when, and in what.
    #[serde(default)]
    pub standing: Standing,
    /// Whether mail to them comes back.
    #[serde(default)]
    pub mailbox: Mailbox,
    /// What they tell of themselves, and what finds them.
    #[serde(default)]
    pub profile: Profile,
    /// Those of which an access token may be about; older ones are forgotten when the next is ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended_sessions: Vec<Ended>,
    /// Since when they have a second factor: what was shown before counts no more. Kept with the member, who
    /// is loaded for every request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<Timestamp>,
    /// As what they act just now, where that is less than their role: what they showed to prove who they
    /// are is good for no more. Never stored.
    #[serde(skip)]
    pub acting: Option<Role>,
}

document!(
    Member,
    "mbr",
    "members",
    [
        Index::named("email").asc(Member::EMAIL_KEY).unique(),
        Index::named("digest_due").asc(Member::DIGEST_DUE_AT),
        Index::named("awaiting").asc(Member::STATE).asc(Member::ASKED_AT),
        Index::named("verify").asc(Member::REMIND_AT),
        Index::named("name").asc(Member::FOLDED_NAME),
        Index::named("facet").each(Member::FACETS).asc(Member::FOLDED_NAME),
        Index::named("organisation").asc(Member::ORGANISATION),
        Index::named("role").asc(Member::ROLE),
        Index::named("owner").asc(Member::OWNER),
        Index::named("suppressed").desc(Member::SUPPRESSED_AT),
        Index::named("tell_suppressed").asc(Member::TELL_SUPPRESSED_AT),
    ]
);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A member of the network, by their NHS address.
    Member,
    /// A lived experience partner.
    Partner,
    /// Looks after the house rules.
    Moderator,
    /// Runs the service.
    Administrator,
}
scalar_enum!(Role);

/// When the digest arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestPreferences {
    pub frequency: DigestFrequency,
    pub weekday: Weekday,
    /// Minutes after midnight in London.
    pub minute: u32,
    /// None comes before this day.
    #[serde(default)]
    pub paused_until: Option<Date>,
}

impl DigestPreferences {
    /// None at all.
    #[must_use]
    pub const fn off() -> Self {
        Self { frequency: DigestFrequency::Off, weekday: Weekday::Mon, minute: 0, paused_until: None }
    }
}

impl From<&config::Digest> for DigestPreferences {
    /// Weekly, when the installation sends it.
    fn from(digest: &config::Digest) -> Self {
        let minute = digest.time.hour() * 60 + digest.time.minute();
        Self { frequency: DigestFrequency::Weekly, weekday: digest.weekday, minute, paused_until: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum DigestFrequency {
    Weekly,
    /// Every other week, the same for everybody.
    Fortnightly,
    /// On the first such weekday of the month.
    Monthly,
    Off,
}

impl Member {
    pub const EMAIL_KEY: Field<Self, String> = Field::new("emailKey");
    pub const ROLE: Field<Self, Role> = Field::new("role");
    pub const OWNER: Field<Self, Option<Id<Self>>> = Field::new("owner");
    pub const SECOND_FACTOR: Field<Self, Option<Timestamp>> = Field::new("secondFactor");
    pub const DIGEST_DUE_AT: Field<Self, Option<Timestamp>> = Field::new("digestDueAt");

    pub const DIGEST_COVERED_UNTIL: Field<Self, Timestamp> = Field::new("digestCoveredUntil");
    pub const STATE: Field<Self, MemberState> = Field::new("standing.state");
    pub const ASKED_AT: Field<Self, Option<Timestamp>> = Field::new("standing.askedAt");
    pub const VERIFIED_UNTIL: Field<Self, Option<Timestamp>> = Field::new("standing.verifiedUntil");
    pub const REMIND_AT: Field<Self, Option<Timestamp>> = Field::new("standing.remindAt");
    pub const SUPPRESSED_AT: Field<Self, Option<Timestamp>> = Field::new("mailbox.suppressedAt");
    pub const SUPPRESSION_REASON: Field<Self, Option<SuppressionReason>> = Field::new("mailbox.reason");
    pub const SUPPRESSION_CODE: Field<Self, Option<String>> = Field::new("mailbox.code");
    pub const TELL_SUPPRESSED_AT: Field<Self, Option<Timestamp>> = Field::new("mailbox.tellAt");

    /// Somebody who joins at `now`. Where they work and when their digest comes is for the caller to
    /// add.
    #[must_use]
    pub fn new(id: Id<Self>, email: EmailAddress, digest: DigestPreferences, now: Timestamp) -> Self {
        let name = Self::name_from(&email);
        Self {
            id,
            version: 1,
            email_key: email.key(),
            profile: Profile { folded_name: fold(&name), ..Profile::default() },
            name,
            email,
            job_title: None,
            organisation: None,
            owner: None,
            role: Role::Member,
            digest,
            digest_due_at: None,
            digest_covered_until: now,
            notifications: NotificationPreferences::default(),
            follows: FollowCounts::default(),
            created_at: now,
            suspension: None,
            standing: Standing::default(),
            mailbox: Mailbox::default(),
            ended_sessions: Vec::new(),
            second_factor: None,
            acting: None,
        }
    }

    /// Members whose digest is due at `now`.
    #[must_use]
    pub fn digest_due(now: Timestamp) -> Filter<Self> {
        Self::DIGEST_DUE_AT.lte(now)
    }

    /// Those whom a moderator has yet to let in.
    #[must_use]
    pub fn awaiting_approval() -> Filter<Self> {
        Self::STATE.eq(MemberState::AwaitingApproval)
    }

    /// Those who are to be reminded at `now` to show that they still read their address's mail.
    #[must_use]
    pub fn to_remind(now: Timestamp) -> Filter<Self> {
        Self::REMIND_AT.lte(now)
    }

    /// Those of whose suppression the team is to be told at `now`.
    #[must_use]
    pub fn to_tell_of(now: Timestamp) -> Filter<Self> {
        Self::TELL_SUPPRESSED_AT.lte(now)
    }

    /// Those whose mailbox gets nothing of what is sent to many.
    #[must_use]
    pub fn suppressed() -> Filter<Self> {
        Self::SUPPRESSED_AT.gt(Some(Timestamp::from_millis(0)))
    }

    /// Why they may not use the service at `now`.
    #[must_use]
    pub fn suspended(&self, now: Timestamp) -> Option<&Suspension> {
        self.suspension.as_ref().filter(|suspension| suspension.holds(now))
    }

    /// Ends these sessions at `now`: their access tokens work no more.
    pub fn end_sessions<'a>(&mut self, sessions: impl IntoIterator<Item = &'a Id<Session>>, now: Timestamp) {
        self.ended_sessions.retain(|ended| ended.matters(now));
        let ended = sessions.into_iter().map(|session| Ended { session: session.clone(), at: now });
        self.ended_sessions.extend(ended);
    }

    /// Whether a session of theirs was ended so lately that it has to be looked at.
    #[must_use]
    pub fn has_ended(&self, session: &Id<Session>) -> bool {
        self.ended_sessions.iter().any(|ended| ended.session == *session)
    }

    /// Whether a second factor that was shown at `at` is one that they still have.
    #[must_use]
    pub fn still_has(&self, at: Timestamp) -> bool {
        self.second_factor.is_some_and(|since| at >= since)
    }

    /// As what they act just now.
    #[must_use]
    pub fn acts_as(&self) -> Role {
        self.acting.unwrap_or(self.role)
    }

    /// Whether they look after the house rules, and act as such.
    #[must_use]
    pub fn moderates(&self) -> bool {
        self.acts_as() >= Role::Moderator
    }

    /// A first display name from the address: `jo.bloggs3@trust.nhs.uk` is Jo Bloggs.
    #[must_use]
    pub fn name_from(email: &EmailAddress) -> String {
        let local = email.as_str().split(['@', '+']).next().unwrap_or_default();
        let words = local.split(['.', '_', '-']).map(|word| word.trim_matches(|c: char| c.is_ascii_digit()));
        let name = words.filter(|word| !word.is_empty()).map(capitalised).collect::<Vec<_>>().join(" ");
        if name.is_empty() { "New member".to_owned() } else { name }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
