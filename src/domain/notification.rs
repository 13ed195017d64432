//! Notifications: what happened and concerns a member.
//!
//! They fold: while a member has not read of a kind of thing in a thread, more of the same adds to the
//! one notification ("4 replies to you in …") instead of making another.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{
    activity::Activity, audit::AuditEntry, comment::Comment, contribution::ContributionId, member::Member,
    thread::Thread,
};
use crate::{
    clock::Timestamp,
    config::Retention,
    document,
    ids::{Id, Identified},
    query::{Field, Filter, Index},
    scalar_enum,
};

/// Members named in one; the count says how often it happened.
pub const ACTORS_MAX: usize = 3;
/// Counting unread ones stops here: 100 means more than 99.
pub const UNREAD_MAX: u64 = 100;

/// Why a member is told. The strongest first: of several reasons the first counts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, async_graphql::Enum,
)]
#[serde(rename_all = "kebab-case")]
#[graphql(name = "NotificationKind")]
pub enum Kind {
    /// A moderator acted on something of theirs.
    Moderated,
    /// A text mentions them.
    Mentioned,
    /// Their answer was accepted.
    Accepted,
    /// Somebody answered a comment or a contribution of theirs.
    Replied,
    /// A question that they asked or follow got an answer: a comment on the first level.
    Answered,
    /// An organisation recorded where it stands with a case study of theirs.
    Adopted,
    /// Something new by or under what they follow.
    FollowedNew,
}
scalar_enum!(Kind);

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::Moderated,
        Self::Mentioned,
        Self::Accepted,
        Self::Replied,
        Self::Answered,
        Self::Adopted,
        Self::FollowedNew,
    ];

    /// Its name in ids and links.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Moderated => "moderated",
            Self::Mentioned => "mentioned",
            Self::Accepted => "accepted",
            Self::Replied => "replied",
            Self::Answered => "answered",
            Self::Adopted => "adopted",
            Self::FollowedNew => "followed-new",
        }
    }

    /// Whether it is something that people say, so that others have something to say to it.
    #[must_use]
    pub const fn is_answered(self) -> bool {
        matches!(self, Self::Mentioned | Self::Replied | Self::Answered | Self::FollowedNew)
    }

    /// What e-mails of this kind are about: "E-mails about …".
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Moderated => "what moderators do with your contributions",
            Self::Mentioned => "mentions of you",
            Self::Accepted => "your accepted answers",
            Self::Replied => "replies to you",
            Self::Answered => "answers to questions that you asked or follow",
            Self::Adopted => "adoptions of your case studies",
            Self::FollowedNew => "what is new by and under what you follow",
        }
    }
}

/// How a member wants to be told of a kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
#[graphql(name = "NotificationDelivery")]
pub enum Delivery {
    /// Not at all.
    None,
    /// In the list of notifications.
    OnSite,
    /// In the list, and by e-mail unless it is read within a minute.
    EmailAtOnce,
    /// Not in the list: the digest tells what it always tells.
    DigestOnly,
}

impl Delivery {
    #[must_use]
    pub const fn is_on_site(self) -> bool {
        matches!(self, Self::OnSite | Self::EmailAtOnce)
    }
}

/// How a member wants to be told of each kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct NotificationPreferences {
    pub moderated: Delivery,
    pub mentioned: Delivery,
    pub accepted: Delivery,
    pub replied: Delivery,
    pub answered: Delivery,
    pub adopted: Delivery,
    pub followed_new: Delivery,
}

impl Default for NotificationPreferences {
    /// By e-mail only what somebody meant for this member alone.
    fn default() -> Self {
        Self {
            moderated: Delivery::EmailAtOnce,
            mentioned: Delivery::EmailAtOnce,
            accepted: Delivery::EmailAtOnce,
            replied: Delivery::OnSite,
            answered: Delivery::OnSite,
            adopted: Delivery::OnSite,
            followed_new: Delivery::OnSite,
        }
    }
}

impl NotificationPreferences {
    #[must_use]
    pub const fn of(&self, kind: Kind) -> Delivery {
        match kind {
            Kind::Moderated => self.moderated,
            Kind::Mentioned => self.mentioned,
            Kind::Accepted => self.accepted,
            Kind::Replied => self.replied,
            Kind::Answered => self.answered,
            Kind::Adopted => self.adopted,
            Kind::FollowedNew => self.followed_new,
        }
    }

    pub const fn of_mut(&mut self, kind: Kind) -> &mut Delivery {
        match kind {
            Kind::Moderated => &mut self.moderated,
            Kind::Mentioned => &mut self.mentioned,
            Kind::Accepted => &mut self.accepted,
            Kind::Replied => &mut self.replied,
            Kind::Answered => &mut self.answered,
            Kind::Adopted => &mut self.adopted,
            Kind::FollowedNew => &mut self.followed_new,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Made of the member and the first activity that it tells of.
    #[serde(rename = "_id")]
    pub id: Id<Notification>,
    pub version: i64,
    pub member: Id<Member>,
    pub kind: Kind,
    pub thread: Id<Thread>,
    /// What the thread is about; none when it happened in no thread.
    pub subject: Option<ContributionId>,
    /// What a moderator did. Each act is told for itself, with its reason.
    #[serde(default)]
    pub entry: Option<Id<AuditEntry>>,
    /// The latest comment that it tells of; none when it is about the contribution itself.
    pub comment: Option<Id<Comment>>,
    /// Who did it, the latest first. Moderators act for the network: none of them is named.
    pub actors: Vec<Id<Member>>,
    /// How often it happened.
    pub count: i64,
    /// What more of the same adds to while it is unread; null afterwards. Unique: there is one at most
    /// for each member, kind and thread.
    pub fold: Option<String>,
    /// How often it was to be told by e-mail…
    pub to_mail: i64,
    /// …and how often that was done, or was no longer wanted.
    pub mailed: i64,
    pub created_at: Timestamp,
    /// When it last happened.
    pub updated_at: Timestamp,
    pub read_at: Option<Timestamp>,
    pub expires_at: Timestamp,
}

document!(
    Notification,
    "ntf",
    "notifications",
    [
        Index::named("member").asc(Notification::MEMBER).desc(Notification::UPDATED_AT),
        Index::named("unread")
            .asc(Notification::MEMBER)
            .asc(Notification::READ_AT)
            .desc(Notification::UPDATED_AT),
        Index::named("thread").asc(Notification::MEMBER).asc(Notification::THREAD).asc(Notification::READ_AT),
        Index::named("fold").asc(Notification::FOLD).unique(),
        Index::named("expires").asc(Notification::EXPIRES_AT),
    ]
);

/// One more thing to tell a member of.
pub struct News<'a> {
    pub activity: &'a Activity,
    pub kind: Kind,
    pub subject: Option<&'a ContributionId>,
    /// What a moderator did.
    pub entry: Option<&'a Id<AuditEntry>>,
    pub comment: Option<&'a Id<Comment>>,
    /// Whether it is to be told by e-mail, too.
    pub by_mail: bool,
}

impl Notification {
    pub const MEMBER: Field<Self, Id<Member>> = Field::new("member");
    pub const THREAD: Field<Self, Id<Thread>> = Field::new("thread");
    pub const FOLD: Field<Self, Option<String>> = Field::new("fold");
    pub const UPDATED_AT: Field<Self, Timestamp> = Field::new("updatedAt");
    pub const READ_AT: Field<Self, Option<Timestamp>> = Field::new("readAt");
    pub const MAILED: Field<Self, i64> = Field::new("mailed");
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");

    /// What notifications of a member fold by.
    #[must_use]
    pub fn fold_of(member: &Id<Member>, kind: Kind, thread: &Id<Thread>) -> String {
        format!("{member}-{}-{thread}", kind.slug())
    }

    /// Tells `member` of something, at `now`.
    #[must_use]
    pub fn new(member: &Id<Member>, news: &News<'_>, kept: &Retention, now: Timestamp) -> Self {
        let activity = news.activity;
        let key = activity.id.as_str().trim_start_matches(Activity::PREFIX).trim_start_matches('_');
        let mut new = Self {
            id: Id::of(&format!("{key}-{}", member.as_str())),
            version: 1,
            member: member.clone(),
            kind: news.kind,
            thread: activity.thread.clone(),
            subject: news.subject.cloned(),
            entry: news.entry.cloned(),
            comment: None,
            actors: Vec::new(),
            count: 0,
            fold: news.entry.is_none().then(|| Self::fold_of(member, news.kind, &activity.thread)),
            to_mail: 0,
            mailed: 0,
            created_at: now,
            updated_at: now,
            read_at: None,
            expires_at: now,
        };
        new.add(news, kept, now);
        new
    }

    /// Tells of one more thing of the same sort.
    pub fn add(&mut self, news: &News<'_>, kept: &Retention, now: Timestamp) {
        if news.entry.is_none() {
            let actor = &news.activity.actor;
            self.actors.retain(|other| other != actor);
            self.actors.insert(0, actor.clone());
            self.actors.truncate(ACTORS_MAX);
        }
        self.comment = news.comment.cloned().or_else(|| self.comment.take());
        self.count += 1;
        self.to_mail += i64::from(news.by_mail);
        self.updated_at = now;
        self.expires_at = now.plus(TimeDelta::days(kept.notifications_days));
    }

    /// Marks it read. What comes later begins a new one.
    pub fn read(&mut self, kept: &Retention, now: Timestamp) {
        self.read_at = Some(now);
        self.fold = None;
        self.expires_at = self.expires_at.min(now.plus(TimeDelta::days(kept.read_notifications_days)));
    }

    #[must_use]
    pub fn of_member(member: &Id<Member>) -> Filter<Self> {
        Self::MEMBER.eq(member.clone())
    }

    #[must_use]
    pub fn unread_of(member: &Id<Member>) -> Filter<Self> {
        Self::of_member(member).and(Self::READ_AT.eq(None))
    }

    /// What a member has not read of a thread: one of each kind at most.
    #[must_use]
    pub fn unread_in(member: &Id<Member>, thread: &Id<Thread>) -> Filter<Self> {
        Self::of_member(member).and(Self::THREAD.eq(thread.clone())).and(Self::READ_AT.eq(None))
    }

    /// Whether something is still to be told by e-mail.
    #[must_use]
    pub const fn is_to_mail(&self) -> bool {
        self.to_mail > self.mailed
    }

    /// What it tells, in one sentence without a full stop; of a moderator's act
    /// [`AuditEntry::sentence`] does. `names` are the actors', `count` how often it
    /// happened.
    #[must_use]
    pub fn sentence(&self, names: &[&str], title: &str, count: i64) -> String {
        let who = in_words(names);
        if count == 1 {
            return match self.kind {
                Kind::Moderated => format!("A moderator acted on “{title}”"),
                Kind::Mentioned => format!("{who} mentioned you in “{title}”"),
                Kind::Accepted => format!("{who} accepted your answer to “{title}”"),
                Kind::Replied => format!("{who} replied to you in “{title}”"),
                Kind::Answered => format!("{who} answered the question “{title}”"),
                Kind::Adopted => format!("{who} recorded an adoption of “{title}”"),
                Kind::FollowedNew if self.comment.is_none() => format!("{who} shared “{title}”"),
                Kind::FollowedNew => format!("{who} commented on “{title}”"),
            };
        }
        let what = match self.kind {
            Kind::Moderated => return format!("Moderators acted {count} times on “{title}”"),
            Kind::Mentioned => return format!("You were mentioned {count} times in “{title}” by {who}"),
            Kind::Accepted => "accepted answers of yours to",
            Kind::Replied => "replies to you in",
            Kind::Answered => "answers to the question",
            Kind::Adopted => "records of adoption of",
            Kind::FollowedNew => "new comments on",
        };
        format!("{count} {what} “{title}” by {who}")
    }
}

/// "Asha", "Asha and Jo", "Asha, Jo and others".
fn in_words(names: &[&str]) -> String {
    match names {
        [] => "Somebody".to_owned(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, ..] => format!("{one}, {two} and others"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::activity::What;

    #[test]
    fn more_of_the_same_folds_until_it_is_read() {
        let (now, kept) = (Timestamp::from_millis(0), crate::config::Config::defaults().retention);
        let (member, thread): (Id<Member>, Id<Thread>) = (Id::of("m"), Id::of("t"));
        let subject = ContributionId::parse("pst_t").unwrap();
        let activity = |actor: &str| {
            let what = What::CommentAdded { comment: Id::of("c") };
            Activity::new(Id::of(actor), &Id::of(actor), what, &thread, Vec::new(), now)
        };
        let mut folded: Option<Notification> = None;
        for actor in ["a", "b", "a", "c", "d"] {
            let activity = activity(actor);
            let comment = Id::of(actor);
            let news = News {
                activity: &activity,
                kind: Kind::Replied,
                subject: Some(&subject),
                entry: None,
                comment: Some(&comment),
                by_mail: true,
            };
            match &mut folded {
                Some(folded) => folded.add(&news, &kept, now),
                None => folded = Some(Notification::new(&member, &news, &kept, now)),
            }
        }
        let mut folded = folded.unwrap();
        let actors: Vec<&str> = folded.actors.iter().map(Id::as_str).collect();
        assert_eq!((folded.count, actors), (5, vec!["mbr_d", "mbr_c", "mbr_a"]));
        assert_eq!(folded.comment, Some(Id::of("d")));
        let text = folded.sentence(&["Dee", "Cy", "Al"], "Quiet nights", folded.count);
        assert_eq!(text, "5 replies to you in “Quiet nights” by Dee, Cy and others");
        let unread = folded.expires_at;
        folded.read(&kept, now);
        assert!(folded.fold.is_none() && folded.expires_at < unread);
    }

    #[test]
    fn of_several_reasons_the_strongest_counts() {
        assert!(Kind::ALL.is_sorted());
        assert!(Kind::Mentioned < Kind::Accepted && Kind::Replied < Kind::Answered);
    }
}
