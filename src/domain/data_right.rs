//! What an export has of each collection, and what an erasure makes of it: the one list.
//!
//! Every collection is in it, so that a new one can't be forgotten. Tests hold the list to the collections,
//! exports to what it says is in them, and erasures to what it says goes.

/// What an export has of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// A file of what is the member's.
    File(&'static str),
    /// Nothing that is a member's and in no other file, and why.
    Nothing(&'static str),
}
use Export::{File, Nothing};

/// What an erasure makes of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// What is the member's goes.
    Goes,
    /// It stays without what tells who they were.
    Rewritten,
    /// It stays as it is, and why it may.
    Stays(&'static str),
}
use Erasure::{Goes, Rewritten, Stays};

#[derive(Clone, Copy, Debug)]
pub struct DataRight {
    pub collection: &'static str,
    pub export: Export,
    pub erasure: Erasure,
}

const fn row(collection: &'static str, export: Export, erasure: Erasure) -> DataRight {
    DataRight { collection, export, erasure }
}

pub const TABLE: &[DataRight] = &[
    row("accessTokens", File("access-tokens.json"), Goes),
    row(
        "activities",
        Nothing("Ids of what happened: the things themselves are in their files."),
        Stays("Ids, for a week."),
    ),
    row(
        "administrators",
        Nothing("A version, so that there is always an administrator."),
        Stays("It is nobody's."),
    ),
    row("adoptionSteps", File("adoption-history.json"), Rewritten),
    row("adoptions", File("adoptions.json"), Rewritten),
    row("attachmentShelves", Nothing("A version, so that uploads are counted."), Stays("A version.")),
    row("attachments", File("attachments.json"), Rewritten),
    row("attempts", Nothing("A count of wrong codes, kept for a day; it says nothing of the person."), Goes),
    row("auditEntries", File("moderation.json"), Rewritten),
    row("boards", Nothing("What moderators pinned, by its id."), Stays("It is nobody's.")),
    row("bookmarks", File("bookmarks.json"), Goes),
    row("caseStudies", File("case-studies.json"), Rewritten),
    row("caseStudyEditions", File("case-study-editions.json"), Rewritten),
    row("comments", File("comments.json"), Rewritten),
    row("dataExports", File("data-exports.json"), Goes),
    row("devices", File("devices.json"), Goes),
    row("digests", File("digests.json"), Goes),
    row("directory", Nothing("Organisations."), Stays("It is nobody's.")),
    row("editorsNotes", Nothing("What moderators say to all members."), Stays("It is nobody's.")),
    row(
        "entries",
        Nothing("An index of posts and case studies, which are in their files."),
        Stays("Ids, by which what they wrote is found."),
    ),
    row(
        "erasures",
        Nothing("That an account is to be erased, which its member is shown as long as there is one."),
        Stays("An id, as the proof that it was done."),
    ),
    row(
        "factorChallenges",
        Nothing("Questions that a second factor answers, for ten minutes, and what is linked by the answer."),
        Stays("Until it is forgotten, ten minutes later."),
    ),
    row("follows", File("follows.json"), Goes),
    row("identities", File("identities.json"), Goes),
    row("invitations", File("invitations.json"), Goes),
    row("jobs", Nothing("Ids of what is still to be done."), Stays("Ids, until it is done.")),
    row(
        "legalHolds",
        Nothing("That an account must not be erased, which may not be for its member to know."),
        Stays("There is none when somebody is erased."),
    ),
    row(
        "mails",
        Nothing("A moment until which an address is sent no more codes."),
        Stays("A moment, for hours at most."),
    ),
    row("members", File("account.json"), Rewritten),
    row("notifications", File("notifications.json"), Goes),
    row("organisations", Nothing("Organisations."), Stays("It is nobody's.")),
    row("posts", File("posts.json"), Rewritten),
    row("reactions", File("reactions.json"), Stays("Of a former member, so that counts are right.")),
    row("readMarks", File("read-marks.json"), Goes),
    row(
        "receipts",
        Nothing("Digests of requests, kept for a day, so that a repeat does nothing."),
        Stays("Digests, for a day."),
    ),
    row("reportTallies", Nothing("A version, so that reports are counted."), Stays("A version.")),
    row("reports", File("reports.json"), Rewritten),
    row("revisions", File("revisions.json"), Rewritten),
    row("secondFactors", File("second-factors.json"), Goes),
    row("sessions", File("sessions.json"), Goes),
    row("signIns", File("sign-ins.json"), Goes),
    row(
        "signOns",
        Nothing("That somebody was sent to sign in elsewhere, for ten minutes: nobody knows yet who."),
        Stays("It is nobody's."),
    ),
    row(
        "successions",
        Nothing("What became of organisations."),
        Stays("Ids, of what became of organisations."),
    ),
    row(
        "tags",
        Nothing("Names and counts of tags; those that somebody used are in their posts."),
        Stays("It is nobody's."),
    ),
    row("threads", Nothing("Counts of comments, which are in their file."), Stays("Counts.")),
    row("topics", Nothing("Names of topics."), Stays("It is nobody's.")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_collection_is_forgotten() {
        let known: Vec<&str> = TABLE.iter().map(|row| row.collection).collect();
        let mut all: Vec<&str> =
            crate::domain::collections().iter().map(|collection| collection.name).collect();
        all.sort_unstable();
        assert_eq!(known, all, "each collection is exported and erased, or it is said why not");
    }
}
