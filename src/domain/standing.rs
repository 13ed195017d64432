//! Where a member stands: whether they take part yet, until when, and in what.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{
    case_study::CaseStudy,
    member::{Member, Role},
    sight::{Seen, Sight},
    topic::Topic,
};
use crate::{
    clock::Timestamp,
    config,
    error::{Code, Problem},
    ids::Id,
    scalar_enum,
};

/// Beside what members say of themselves. What is missing in a document is from before it was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Standing {
    pub state: MemberState,
    /// When they asked to join, as far as a moderator has to say whether they may.
    pub asked_at: Option<Timestamp>,
    /// Until when somebody whom a moderator refused can't ask again.
    pub refused_until: Option<Timestamp>,
    /// The rules that they accepted last.
    pub rules: Option<AcceptedRules>,
    /// Until when it counts that they have shown to read their address's mail. None: they have not signed
    /// in since that is recorded.
    pub verified_until: Option<Timestamp>,
    /// When they are to be reminded to show it again; null once they were.
    pub remind_at: Option<Timestamp>,
    /// Who invited a partner.
    pub sponsor: Option<Id<Member>>,
    /// What a partner was invited to; none: to everything.
    pub scope: Option<PartnerScope>,
    /// When a partner's access ends, or ended.
    pub access_ends_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum MemberState {
    /// They take part.
    #[default]
    Active,
    /// A moderator has yet to say whether they may.
    AwaitingApproval,
    /// A moderator said that they may not.
    Refused,
}
scalar_enum!(MemberState);

/// Which rules a member accepted, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedRules {
    pub version: String,
    pub at: Timestamp,
}

/// What a partner was invited to: what is about one of these topics, and these case studies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartnerScope {
    pub topics: Vec<Id<Topic>>,
    pub case_studies: Vec<Id<CaseStudy>>,
}

/// What somebody still has to wait for or do before they take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    Approval,
    Rules,
}

impl Pending {
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Approval => "A moderator has yet to look at your request to join. You will get an e-mail.",
            Self::Rules => {
                "First read and accept the community rules: the query `rules`, then `acceptRules`."
            }
        }
    }
}

/// Why a member is not let in at all, suspensions apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutOut {
    Refused,
    AccessEnded,
}

impl ShutOut {
    /// What they are told, with whom to write to.
    #[must_use]
    pub fn sentence(self, contact: &str) -> String {
        let what = match self {
            Self::Refused => "Your request to join was not accepted.",
            Self::AccessEnded => "The access that you were invited to has ended.",
        };
        format!("{what} If you have questions, write to {contact}.")
    }
}

impl Standing {
    /// They have just shown to read their address's mail.
    pub fn verify(&mut self, now: Timestamp, settings: &config::SignIn) {
        let until = now.plus(TimeDelta::days(settings.verify_days));
        self.verified_until = Some(until);
        self.remind_at = Some(until.minus(TimeDelta::days(settings.verify_reminder_days)));
    }

    /// Whether they have to sign in anew, to show that they still read their address's mail.
    #[must_use]
    pub fn is_lapsed(&self, now: Timestamp) -> bool {
        self.verified_until.is_some_and(|until| until <= now)
    }

    /// They ask to join: a moderator is to look at it.
    pub fn ask(&mut self, now: Timestamp) {
        self.state = MemberState::AwaitingApproval;
        self.asked_at = Some(now);
        self.refused_until = None;
    }

    pub fn accept(&mut self, version: &str, now: Timestamp) {
        self.rules = Some(AcceptedRules { version: version.to_owned(), at: now });
    }

    /// Whether they accepted the rules of this version.
    #[must_use]
    pub fn has_accepted(&self, version: &str) -> bool {
        self.rules.as_ref().is_some_and(|rules| rules.version == version)
    }

    /// What they still have to wait for or do, where the rules have this version.
    #[must_use]
    pub fn pending(&self, rules: &str) -> Option<Pending> {
        match self.state {
            MemberState::Active if self.has_accepted(rules) => None,
            MemberState::Active => Some(Pending::Rules),
            MemberState::AwaitingApproval | MemberState::Refused => Some(Pending::Approval),
        }
    }

    /// Whether somebody who was refused can ask again.
    #[must_use]
    pub fn may_ask_again(&self, now: Timestamp) -> bool {
        self.state == MemberState::Refused && self.refused_until.is_none_or(|until| until <= now)
    }
}

impl Member {
    /// Why they are not let in at `now`, suspensions apart.
    #[must_use]
    pub fn shut_out(&self, now: Timestamp) -> Option<ShutOut> {
        let ended = self.standing.access_ends_at.is_some_and(|end| end <= now);
        match self.standing.state {
            MemberState::Refused => Some(ShutOut::Refused),
            _ if self.role == Role::Partner && ended => Some(ShutOut::AccessEnded),
            MemberState::Active | MemberState::AwaitingApproval => None,
        }
    }

    /// Whether they are to have e-mails about what happens here. Who is suspended is told of that, too; a
    /// mailbox from which mail comes back is told nothing.
    #[must_use]
    pub fn gets_mail(&self, now: Timestamp) -> bool {
        let is_active = self.standing.state == MemberState::Active && self.shut_out(now).is_none();
        is_active && !self.mailbox.is_suppressed()
    }

    /// What they were invited to; none: to everything.
    #[must_use]
    pub fn scope(&self) -> Option<&PartnerScope> {
        self.standing.scope.as_ref().filter(|_| self.role == Role::Partner)
    }

    /// Whether what is about these topics is within what they were invited to.
    #[must_use]
    pub fn reaches(&self, topics: &[Id<Topic>]) -> bool {
        self.scope().is_none_or(|scope| topics.iter().any(|topic| scope.topics.contains(topic)))
    }

    /// The same of a case study.
    #[must_use]
    pub fn reaches_case_study(&self, id: &Id<CaseStudy>, topics: &[Id<Topic>]) -> bool {
        self.reaches(topics) || self.scope().is_some_and(|scope| scope.case_studies.contains(id))
    }

    /// What is wrong with the topics of something that they want everybody to see.
    #[must_use]
    pub fn problem_with_topics(&self, topics: &[Id<Topic>]) -> Option<Problem> {
        let message = "Choose at least one of the topics that you were invited to.";
        (!topics.is_empty() && !self.reaches(topics))
            .then(|| Problem::new("topicIds", Code::Invalid, message))
    }
}

/// Who has not joined yet is nobody's business but moderators'.
impl Seen for Member {
    fn sight(&self, viewer: &Member) -> Sight {
        let joined = self.standing.state == MemberState::Active;
        if joined || self.id == viewer.id || viewer.moderates() { Sight::Whole } else { Sight::Nothing }
    }

    fn tombstone(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{email::EmailAddress, member::DigestPreferences};

    fn member(role: Role, standing: Standing) -> Member {
        let email = EmailAddress::parse("a@nhs.net").unwrap();
        let preferences = DigestPreferences::from(&crate::config::Config::defaults().digest);
        let member = Member::new(Id::of("1"), email, preferences, Timestamp::from_millis(0));
        Member { role, standing, ..member }
    }

    #[test]
    fn only_partners_have_a_scope_and_an_end() {
        let now = Timestamp::from_millis(5);
        let scope = PartnerScope { topics: vec![Id::of("food")], case_studies: vec![Id::of("c")] };
        let standing = Standing { scope: Some(scope), access_ends_at: Some(now), ..Standing::default() };
        let partner = member(Role::Partner, standing.clone());
        assert!(partner.reaches(&[Id::of("noise"), Id::of("food")]) && !partner.reaches(&[Id::of("noise")]));
        assert!(!partner.reaches(&[]));
        assert!(
            partner.reaches_case_study(&Id::of("c"), &[]) && !partner.reaches_case_study(&Id::of("d"), &[])
        );
        assert_eq!(partner.shut_out(now), Some(ShutOut::AccessEnded));
        assert_eq!(partner.shut_out(Timestamp::from_millis(4)), None);
        let promoted = member(Role::Member, standing);
        assert!(promoted.reaches(&[]) && promoted.shut_out(now).is_none());
    }

    #[test]
    fn rules_are_accepted_by_version() {
        let mut standing = Standing::default();
        assert_eq!(standing.pending("1"), Some(Pending::Rules));
        standing.accept("1", Timestamp::from_millis(0));
        assert_eq!((standing.pending("1"), standing.pending("2")), (None, Some(Pending::Rules)));
        standing.ask(Timestamp::from_millis(0));
        assert_eq!(standing.pending("1"), Some(Pending::Approval));
    }
}
