//! What moderators act on, and what they may do to whom.

use serde::{Deserialize, Serialize};

use super::{
    case_study::CaseStudy,
    comment::Comment,
    contribution::ContributionId,
    member::{Member, Role},
    post::Post,
};
use crate::{
    clock::Timestamp,
    ids::Id,
    query::{Scalar, Value},
};

/// The longest reason of an act: a few sentences, which its author and other moderators read.
pub const REASON_MAX: usize = 500;

/// What can be reported: stored as the id's text, told apart by its prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SubjectId {
    Content(ContentId),
    Member(Id<Member>),
}

/// What can be hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentId {
    Contribution(ContributionId),
    Comment(Id<Comment>),
}

impl ContentId {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        ContributionId::parse(text).map(Self::Contribution).or_else(|| Id::parse(text).map(Self::Comment))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Contribution(id) => id.as_str(),
            Self::Comment(id) => id.as_str(),
        }
    }
}

impl SubjectId {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        ContentId::parse(text).map(Self::Content).or_else(|| Id::parse(text).map(Self::Member))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Content(id) => id.as_str(),
            Self::Member(id) => id.as_str(),
        }
    }
}

impl TryFrom<String> for SubjectId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("{text} is no id of what can be reported"))
    }
}

impl From<SubjectId> for String {
    fn from(id: SubjectId) -> Self {
        id.as_str().to_owned()
    }
}

impl Scalar for SubjectId {
    fn value(&self) -> Value {
        Value::Text(self.as_str().to_owned())
    }
}

impl From<&Id<Post>> for ContentId {
    fn from(id: &Id<Post>) -> Self {
        Self::Contribution(id.into())
    }
}

impl From<&Id<CaseStudy>> for ContentId {
    fn from(id: &Id<CaseStudy>) -> Self {
        Self::Contribution(id.into())
    }
}

impl From<&Id<Comment>> for ContentId {
    fn from(id: &Id<Comment>) -> Self {
        Self::Comment(id.clone())
    }
}

/// Why a member may not use the service, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suspension {
    /// None: until a moderator reinstates the member.
    pub until: Option<Timestamp>,
    pub reason: String,
    pub by: Id<Member>,
    pub at: Timestamp,
}

impl Suspension {
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// What the member is told, with whom to write to.
    #[must_use]
    pub fn sentence(&self, contact: &str) -> String {
        let until = self.until.map(|until| format!(" until {}", until.date_in_words()));
        let until = until.unwrap_or_default();
        format!(
            "Your account is suspended{until}, so it can't be used. The reason: {} If you have questions, write to {contact}.",
            ended(&self.reason)
        )
    }
}

/// A reason as a sentence, whatever it ends in.
fn ended(reason: &str) -> String {
    if reason.ends_with(['.', '!', '?']) { reason.to_owned() } else { format!("{reason}.") }
}

/// Why `moderator` may not suspend or reinstate `member`, if so.
#[must_use]
pub fn out_of_reach(moderator: &Member, member: &Member) -> Option<&'static str> {
    if member.is_former() {
        return Some("There is nobody behind this account any more.");
    }
    if moderator.id == member.id {
        return Some("Nobody can suspend or reinstate themself.");
    }
    let over = member.role == Role::Administrator && moderator.acts_as() != Role::Administrator;
    over.then_some("Only administrators can suspend or reinstate an administrator.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_what_is_reported() {
        for id in ["pst_1", "cst_1", "cmt_1", "mbr_1"] {
            let subject = SubjectId::parse(id).unwrap();
            assert_eq!(subject.as_str(), id);
            assert_eq!(matches!(subject, SubjectId::Member(_)), id == "mbr_1");
            assert_eq!(serde_json::to_string(&subject).unwrap(), format!("{id:?}"));
        }
        assert!(SubjectId::parse("thr_1").is_none() && ContentId::parse("mbr_1").is_none());
    }

    #[test]
    fn a_suspension_ends_at_its_moment() {
        let time = |millis| Timestamp::from_millis(millis);
        let suspension =
            |until| Suspension { until, reason: "Rude".to_owned(), by: Id::of("1"), at: time(0) };
        assert!(suspension(None).holds(time(i64::from(i32::MAX))));
        assert!(suspension(Some(time(5))).holds(time(4)) && !suspension(Some(time(5))).holds(time(5)));
        assert_eq!(
            suspension(Some(time(0))).sentence("us@nhs.uk"),
            "Your account is suspended until 1 January 1970, so it can't be used. The reason: Rude. \
             If you have questions, write to us@nhs.uk."
        );
    }
}
