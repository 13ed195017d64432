//! Who may do what: the one table. Surfaces ask it before they call an action, `hope schema` prints it,
//! and a test tries every cell.
//!
//! The table says what a role may do at all. Where it says [`May::Own`], the action looks whose the thing
//! is; where somebody may not see a thing, it is not there for them, whatever the table says.

use serde::{Deserialize, Serialize};

use super::{
    access_token::AccessToken,
    adoption::{Adoption, AdoptionStep},
    attachment::Attachment,
    audit::AuditEntry,
    bookmark::Bookmark,
    case_study::{CaseStudy, Edition},
    comment::Comment,
    data_export::DataExport,
    digest::{Digest, note::Note},
    directory::DirectoryEntry,
    entry::Entry,
    erasure::Erasure,
    follow::Follow,
    invitation::Invitation,
    legal_hold::LegalHold,
    member::{Member, Role},
    notification::Notification,
    organisation::Organisation,
    pin::Board,
    post::Post,
    reaction::Reactions,
    read_mark::ReadMark,
    report::Report,
    revision::Revision,
    session::Session,
    succession::Succession,
    tag::Tag,
    thread::Thread,
    topic::Topic,
};

/// What a token may be for: a noun, and whether it may change something. Whatever may write may read.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, async_graphql::Enum,
)]
#[serde(into = "String", try_from = "String")]
pub enum Scope {
    /// `posts:read`: posts, topics and tags.
    PostsRead,
    /// `posts:write`
    PostsWrite,
    /// `case_studies:read`
    CaseStudiesRead,
    /// `case_studies:write`
    CaseStudiesWrite,
    /// `threads:read`: threads, comments and reactions.
    ThreadsRead,
    /// `threads:write`: commenting, answers, reacting and reporting.
    ThreadsWrite,
    /// `adoptions:read`
    AdoptionsRead,
    /// `adoptions:write`
    AdoptionsWrite,
    /// `attachments:read`
    AttachmentsRead,
    /// `attachments:write`
    AttachmentsWrite,
    /// `members:read`: the directory. Bylines need no scope.
    MembersRead,
    /// `organisations:read`: the directory of organisations.
    OrganisationsRead,
    /// `account:read`: the owner's own settings, follows, bookmarks and notifications.
    AccountRead,
    /// `account:write`
    AccountWrite,
    /// `moderation`: what moderators do, where the owner is one.
    Moderation,
    /// `administration`: what administrators do, where the owner is one.
    Administration,
}

impl Scope {
    pub const ALL: [Self; 16] = [
        Self::PostsRead,
        Self::PostsWrite,
        Self::CaseStudiesRead,
        Self::CaseStudiesWrite,
        Self::ThreadsRead,
        Self::ThreadsWrite,
        Self::AdoptionsRead,
        Self::AdoptionsWrite,
        Self::AttachmentsRead,
        Self::AttachmentsWrite,
        Self::MembersRead,
        Self::OrganisationsRead,
        Self::AccountRead,
        Self::AccountWrite,
        Self::Moderation,
        Self::Administration,
    ];

    /// As it is written in tokens, messages and documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PostsRead => "posts:read",
            Self::PostsWrite => "posts:write",
            Self::CaseStudiesRead => "case_studies:read",
            Self::CaseStudiesWrite => "case_studies:write",
            Self::ThreadsRead => "threads:read",
            Self::ThreadsWrite => "threads:write",
            Self::AdoptionsRead => "adoptions:read",
            Self::AdoptionsWrite => "adoptions:write",
            Self::AttachmentsRead => "attachments:read",
            Self::AttachmentsWrite => "attachments:write",
            Self::MembersRead => "members:read",
            Self::OrganisationsRead => "organisations:read",
            Self::AccountRead => "account:read",
            Self::AccountWrite => "account:write",
            Self::Moderation => "moderation",
            Self::Administration => "administration",
        }
    }

    /// Whether whoever has this scope may do what needs `other`.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        let reading = match self {
            Self::PostsWrite => Self::PostsRead,
            Self::CaseStudiesWrite => Self::CaseStudiesRead,
            Self::ThreadsWrite => Self::ThreadsRead,
            Self::AdoptionsWrite => Self::AdoptionsRead,
            Self::AttachmentsWrite => Self::AttachmentsRead,
            Self::AccountWrite => Self::AccountRead,
            alone => alone,
        };
        self == other || reading == other
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.name().to_owned()
    }
}

impl TryFrom<String> for Scope {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::ALL.into_iter().find(|scope| scope.name() == name).ok_or(format!("{name} is no scope"))
    }
}

/// Whether a role may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    Not,
    /// To what is theirs: what they wrote, alone or with others, what belongs to their organisation or to
    /// their account.
    Own,
    Yes,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Permission {
    /// A query, a mutation or a subscription of GraphQL, a field of `viewer` (`viewer.drafts`), or an
    /// operation of REST by its id.
    pub operation: &'static str,
    /// What a token needs for it; none where a person has to be there.
    pub scope: Option<Scope>,
    /// May members, partners, moderators and administrators?
    pub roles: [May; 4],
}

impl Permission {
    #[must_use]
    pub const fn of(&self, role: Role) -> May {
        self.roles[match role {
            Role::Member => 0,
            Role::Partner => 1,
            Role::Moderator => 2,
            Role::Administrator => 3,
        }]
    }

    /// The row of an operation.
    #[must_use]
    pub fn named(operation: &str) -> Option<&'static Self> {
        TABLE.iter().find(|row| row.operation == operation)
    }

    /// Whether it is for those, too, who don't take part yet.
    #[must_use]
    pub fn is_for_newcomers(&self) -> bool {
        is_for_newcomers(self.operation)
    }

    /// The lowest role that may do it.
    #[must_use]
    pub fn least(&self) -> Role {
        const ROLES: [Role; 4] = [Role::Member, Role::Partner, Role::Moderator, Role::Administrator];
        ROLES.into_iter().find(|role| self.of(*role) != May::Not).unwrap_or(Role::Administrator)
    }
}

const EVERYBODY: [May; 4] = [May::Yes; 4];
/// Moderators too, where it is somebody else's.
const THEIRS: [May; 4] = [May::Own, May::Own, May::Yes, May::Yes];
/// Nobody else, whatever their role.
const ONLY_THEIRS: [May; 4] = [May::Own; 4];
const MODERATORS: [May; 4] = [May::Not, May::Not, May::Yes, May::Yes];
const ADMINISTRATORS: [May; 4] = [May::Not, May::Not, May::Not, May::Yes];
/// Administrators too, where it is somebody else's.
const THEIRS_OR_ADMINISTRATORS: [May; 4] = [May::Own, May::Own, May::Own, May::Yes];

const fn row(operation: &'static str, scope: Scope, roles: [May; 4]) -> Permission {
    Permission { operation, scope: Some(scope), roles }
}

/// What no token is enough for.
const fn by_people(operation: &'static str, roles: [May; 4]) -> Permission {
    Permission { operation, scope: None, roles }
}

/// Every operation that needs a signed-in member.
pub const TABLE: &[Permission] = &[
    // Reading. What a list or an id leads to is checked again, noun by noun.
    row("feed", Scope::PostsRead, EVERYBODY),
    row("posts", Scope::PostsRead, EVERYBODY),
    row("pinned", Scope::PostsRead, EVERYBODY),
    row("topics", Scope::PostsRead, EVERYBODY),
    row("tags", Scope::PostsRead, EVERYBODY),
    row("caseStudies", Scope::CaseStudiesRead, EVERYBODY),
    row("taxonomy", Scope::CaseStudiesRead, EVERYBODY),
    row("members", Scope::MembersRead, EVERYBODY),
    row("organisations", Scope::OrganisationsRead, EVERYBODY),
    row("similarOrganisations", Scope::OrganisationsRead, EVERYBODY),
    row("moderationQueue", Scope::Moderation, MODERATORS),
    row("auditLog", Scope::Moderation, MODERATORS),
    row("threadActivity", Scope::ThreadsRead, EVERYBODY),
    row("contributionPublished", Scope::PostsRead, EVERYBODY),
    row("notificationReceived", Scope::AccountRead, ONLY_THEIRS),
    row("getAttachment", Scope::AttachmentsRead, EVERYBODY),
    row("viewer.email", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.profile", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.state", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.rulesToAccept", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.verifyBefore", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.scope", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.accessEndsAt", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.drafts", Scope::PostsRead, ONLY_THEIRS),
    row("viewer.following", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.muted", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.bookmarks", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.notifications", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.unreadCount", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.notificationPreferences", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.digestPreferences", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.digestPreview", Scope::AccountRead, ONLY_THEIRS),
    row("viewer.digests", Scope::AccountRead, ONLY_THEIRS),
    row("digestPreview", Scope::Administration, ADMINISTRATORS),
    row("digests", Scope::Administration, ADMINISTRATORS),
    row("suppressions", Scope::Administration, ADMINISTRATORS),
    row("editorsNotes", Scope::Moderation, MODERATORS),
    by_people("viewer.sessions", ONLY_THEIRS),
    by_people("listSessions", ONLY_THEIRS),
    by_people("erasures", MODERATORS),
    by_people("legalHolds", MODERATORS),
    by_people("viewer.erasure", ONLY_THEIRS),
    by_people("viewer.dataExports", ONLY_THEIRS),
    by_people("getDataExport", ONLY_THEIRS),
    by_people("getLatestDataExport", ONLY_THEIRS),
    by_people("viewer.secondFactors", ONLY_THEIRS),
    by_people("viewer.identities", ONLY_THEIRS),
    row("viewer.accessTokens", Scope::AccountRead, ONLY_THEIRS),
    row("accessTokens", Scope::AccountRead, THEIRS_OR_ADMINISTRATORS),
    row("serviceAccounts", Scope::AccountRead, THEIRS_OR_ADMINISTRATORS),
    // Writing.
    row("createPost", Scope::PostsWrite, EVERYBODY),
    row("updatePost", Scope::PostsWrite, THEIRS),
    row("publishPost", Scope::PostsWrite, ONLY_THEIRS),
    row("deletePost", Scope::PostsWrite, THEIRS),
    row("createCaseStudy", Scope::CaseStudiesWrite, EVERYBODY),
    row("updateCaseStudy", Scope::CaseStudiesWrite, THEIRS),
    row("publishCaseStudy", Scope::CaseStudiesWrite, ONLY_THEIRS),
    row("archiveCaseStudy", Scope::CaseStudiesWrite, THEIRS),
    row("deleteCaseStudy", Scope::CaseStudiesWrite, THEIRS),
    // For their own organisation; moderators for any.
    row("recordAdoption", Scope::AdoptionsWrite, EVERYBODY),
    row("updateAdoption", Scope::AdoptionsWrite, THEIRS),
    row("addComment", Scope::ThreadsWrite, EVERYBODY),
    row("updateComment", Scope::ThreadsWrite, THEIRS),
    row("deleteComment", Scope::ThreadsWrite, THEIRS),
    row("acceptAnswer", Scope::ThreadsWrite, THEIRS),
    row("unacceptAnswer", Scope::ThreadsWrite, THEIRS),
    row("react", Scope::ThreadsWrite, EVERYBODY),
    row("unreact", Scope::ThreadsWrite, EVERYBODY),
    row("reportContent", Scope::ThreadsWrite, EVERYBODY),
    row("uploadAttachment", Scope::AttachmentsWrite, EVERYBODY),
    row("markRead", Scope::AccountWrite, EVERYBODY),
    row("follow", Scope::AccountWrite, EVERYBODY),
    row("unfollow", Scope::AccountWrite, EVERYBODY),
    row("mute", Scope::AccountWrite, EVERYBODY),
    row("unmute", Scope::AccountWrite, EVERYBODY),
    row("bookmark", Scope::AccountWrite, EVERYBODY),
    row("unbookmark", Scope::AccountWrite, EVERYBODY),
    row("updateProfile", Scope::AccountWrite, EVERYBODY),
    row("setPhoto", Scope::AccountWrite, EVERYBODY),
    row("removePhoto", Scope::AccountWrite, EVERYBODY),
    row("updateNotificationPreferences", Scope::AccountWrite, EVERYBODY),
    row("updateDigestPreferences", Scope::AccountWrite, EVERYBODY),
    // A token that leaked makes no others.
    by_people("createAccessToken", EVERYBODY),
    // Their own only: what others are signed in by is not there for them.
    by_people("revokeSession", EVERYBODY),
    by_people("signOutEverywhere", EVERYBODY),
    by_people("requestDataExport", EVERYBODY),
    by_people("eraseMyAccount", EVERYBODY),
    by_people("cancelErasure", EVERYBODY),
    by_people("correctMember", ADMINISTRATORS),
    by_people("eraseMember", ADMINISTRATORS),
    by_people("setLegalHold", ADMINISTRATORS),
    by_people("liftLegalHold", ADMINISTRATORS),
    row("suppressMember", Scope::Administration, ADMINISTRATORS),
    row("liftSuppression", Scope::Administration, ADMINISTRATORS),
    // A factor that a program could show would be none.
    by_people("startTotp", EVERYBODY),
    by_people("addTotp", EVERYBODY),
    by_people("startPasskey", EVERYBODY),
    by_people("addPasskey", EVERYBODY),
    by_people("startSecondFactor", EVERYBODY),
    by_people("showSecondFactor", EVERYBODY),
    by_people("renewRecoveryCodes", EVERYBODY),
    by_people("removeSecondFactor", EVERYBODY),
    by_people("unlinkIdentity", EVERYBODY),
    by_people("resetSecondFactor", ADMINISTRATORS),
    by_people("setRole", ADMINISTRATORS),
    by_people("revokeAccessToken", THEIRS_OR_ADMINISTRATORS),
    by_people("createServiceAccount", MODERATORS),
    by_people("handOverServiceAccount", THEIRS_OR_ADMINISTRATORS),
    // The house rules.
    row("resolveReport", Scope::Moderation, MODERATORS),
    row("hideContent", Scope::Moderation, MODERATORS),
    row("restoreContent", Scope::Moderation, MODERATORS),
    row("lockThread", Scope::Moderation, MODERATORS),
    row("unlockThread", Scope::Moderation, MODERATORS),
    row("pinContribution", Scope::Moderation, MODERATORS),
    row("unpinContribution", Scope::Moderation, MODERATORS),
    row("setEditorsNote", Scope::Moderation, MODERATORS),
    row("warnMember", Scope::Moderation, MODERATORS),
    row("removeMemberPhoto", Scope::Moderation, MODERATORS),
    // Administrators only by administrators.
    row("suspendMember", Scope::Moderation, MODERATORS),
    row("reinstateMember", Scope::Moderation, MODERATORS),
    // Who is in.
    by_people("acceptRules", EVERYBODY),
    row("membersAwaitingApproval", Scope::Moderation, MODERATORS),
    row("approveMember", Scope::Moderation, MODERATORS),
    row("refuseMember", Scope::Moderation, MODERATORS),
    row("invitations", Scope::Moderation, MODERATORS),
    row("createInvitation", Scope::Moderation, MODERATORS),
    row("revokeInvitation", Scope::Moderation, MODERATORS),
    // The directory.
    row("updateOrganisation", Scope::Administration, ADMINISTRATORS),
    row("moveToSuccessor", Scope::Administration, ADMINISTRATORS),
];

/// Operations that need no permission: they say who asks, what the service is, or lead to things that
/// are checked one by one.
pub const OPEN: [&str; 5] = ["viewer", "node", "nodes", "rateLimit", "rules"];

/// What those may ask for who are signed in and don't take part yet, because they have not accepted the
/// rules or await approval: that it is so, and what to do about it.
const FOR_NEWCOMERS: [&str; 38] = [
    "__typename",
    "__schema",
    "__type",
    "rules",
    "acceptRules",
    "rateLimit",
    "viewer",
    "viewer.__typename",
    "viewer.id",
    "viewer.name",
    "viewer.email",
    "viewer.role",
    "viewer.state",
    "viewer.rulesToAccept",
    "viewer.verifyBefore",
    "viewer.accessEndsAt",
    "viewer.sessions",
    "viewer.identities",
    "unlinkIdentity",
    "listSessions",
    "revokeSession",
    "signOutEverywhere",
    // Who looks after others proves that it is them before anything else.
    "viewer.secondFactors",
    "startTotp",
    "addTotp",
    "startPasskey",
    "addPasskey",
    "startSecondFactor",
    "showSecondFactor",
    "renewRecoveryCodes",
    "removeSecondFactor",
    // Their rights in what is kept of them begin before that.
    "viewer.dataExports",
    "requestDataExport",
    "getDataExport",
    "getLatestDataExport",
    "viewer.erasure",
    "eraseMyAccount",
    "cancelErasure",
];

/// Whether a field of a root or of `viewer` is for those, too, who don't take part yet.
#[must_use]
pub fn is_for_newcomers(operation: &str) -> bool {
    FOR_NEWCOMERS.contains(&operation)
}

/// Nouns that a token reads only with a scope. Whatever loads one asks for it.
pub trait Scoped {
    /// What a token needs to read it; none for what makes up a byline or is checked elsewhere.
    const READ: Option<Scope>;
}

macro_rules! scoped {
    ($($noun:ty: $scope:expr;)*) => { $(impl Scoped for $noun { const READ: Option<Scope> = $scope; })* };
}
scoped! {
    AccessToken: Some(Scope::AccountRead);
    Post: Some(Scope::PostsRead);
    CaseStudy: Some(Scope::CaseStudiesRead);
    Session: None;
    DataExport: None;
    Digest: Some(Scope::AccountRead);
    // Checked by the operation.
    Note: None;
    Erasure: None;
    LegalHold: None;
    // Leads to a post or a case study, which is checked.
    Entry: None;
    Thread: Some(Scope::ThreadsRead);
    Comment: Some(Scope::ThreadsRead);
    Reactions: Some(Scope::ThreadsRead);
    // Read with what they are of.
    Revision: None;
    Edition: Some(Scope::CaseStudiesRead);
    Adoption: Some(Scope::AdoptionsRead);
    AdoptionStep: Some(Scope::AdoptionsRead);
    Attachment: Some(Scope::AttachmentsRead);
    Member: None;
    Organisation: None;
    // Leads to an organisation.
    DirectoryEntry: None;
    Succession: Some(Scope::Administration);
    Topic: None;
    Tag: None;
    Board: None;
    ReadMark: Some(Scope::AccountRead);
    Follow: Some(Scope::AccountRead);
    Bookmark: Some(Scope::AccountRead);
    Notification: Some(Scope::AccountRead);
    // Its reporter reads it, too.
    Report: Some(Scope::ThreadsRead);
    AuditEntry: Some(Scope::Moderation);
    Invitation: Some(Scope::Moderation);
}

/// The table for people, as Markdown.
#[must_use]
pub fn document() -> String {
    let may = |may| match may {
        May::Not => "no",
        May::Own => "own",
        May::Yes => "yes",
    };
    let rows = TABLE.iter().map(|row| {
        let scope = row.scope.map_or("a person".to_owned(), |scope| format!("`{}`", scope.name()));
        let [member, partner, moderator, administrator] = row.roles.map(may);
        format!("| `{}` | {member} | {partner} | {moderator} | {administrator} | {scope} |\n", row.operation)
    });
    format!(
        "# Permissions\n\nWho may do what. *own*: to what they wrote, alone or with others, what belongs to their organisation or to \
         their account. A partner may do it within what they were invited to. A token needs the scope, and can do no more \
         than its owner; *a person* means that no token is enough. Without signing in, nobody may do any of it. Whoever \
         has not accepted the rules, or awaits approval, may see that and accept the rules, and nothing else.\n\n\
         | operation | member | partner | moderator | administrator | a token needs |\n|---|---|---|---|---|---|\n{}",
        rows.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_operation_has_one_row() {
        let mut seen = HashSet::new();
        for row in TABLE {
            assert!(seen.insert(row.operation), "{}", row.operation);
            assert!(!OPEN.contains(&row.operation));
            assert!(row.roles.iter().any(|may| *may != May::Not), "somebody may {}", row.operation);
        }
    }

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for scope in Scope::ALL {
            assert_eq!(Scope::try_from(scope.name().to_owned()), Ok(scope));
            let read = scope.name().replace(":write", ":read");
            assert!(scope.includes(Scope::try_from(read).unwrap()), "{scope:?}");
        }
        assert!(!Scope::PostsRead.includes(Scope::PostsWrite));
        assert!(!Scope::PostsWrite.includes(Scope::ThreadsRead));
        assert!(Scope::try_from("posts".to_owned()).is_err());
    }
}
