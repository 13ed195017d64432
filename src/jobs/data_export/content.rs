//! What is a member's, and how an export shows it: as it is stored, without secrets, without what the
//! store keeps for itself, and without other people.

mod shown;

use futures_util::StreamExt;
use serde_json::Value as Json;

use self::shown::*;
use super::{super::found::Found, NotMade, archive::Archive};
use crate::{
    app::App,
    blobs::BlobError,
    domain::{
        access_token::AccessToken,
        adoption::{Adoption, AdoptionStep},
        attachment::Attachment,
        audit::AuditEntry,
        bookmark::Bookmark,
        case_study::{CaseStudy, Edition},
        comment::Comment,
        contribution::{ContributionId, State},
        data_export::DataExport,
        device::Device,
        digest::Digest,
        entry::{Entry, Facet},
        follow::Follow,
        identity::Identity,
        invitation::Invitation,
        member::Member,
        notification::Notification,
        post::{Post, PostState},
        reaction::Reactions,
        read_mark::ReadMark,
        report::{Report, ReportState},
        revision::Revision,
        second_factor::SecondFactors,
        service_account,
        session::Session,
        sign_in::SignIn,
    },
    ids::{Id, Identified},
    query::{Document, Order},
};

const README: &str = "What the exchange holds of you: a file of JSON for each kind of thing, and the files that you \
uploaded in the folder attachments. Times are in UTC. Secrets are left out, and so are other people: their ids, and \
what they wrote. Numbers of people under 5 are left out of measures, as on the pages.\n";

/// Writes everything that is a member's.
pub(super) async fn write(app: &App, member: &Member, archive: &mut Archive) -> Result<(), NotMade> {
    let id = &member.id;
    archive.file("README.txt")?;
    archive.write(README.as_bytes()).await?;
    let mut writing = Writing { app, archive, member: id };
    writing.account(member).await?;
    writing.what_they_wrote().await?;
    writing.what_they_did().await?;
    writing.what_happened().await?;
    writing.files().await
}

struct Writing<'a> {
    app: &'a App,
    archive: &'a mut Archive,
    member: &'a Id<Member>,
}

impl Writing<'_> {
    async fn account(&mut self, member: &Member) -> Result<(), NotMade> {
        let id = self.member.clone();
        let mut accounts = Found::by(service_account::owned_by(Some(&id)), Order::default());
        let mut theirs = Vec::new();
        while let Some(page) = accounts.next(self.app).await? {
            theirs.extend(page.iter().map(account));
        }
        let mut value = account(member);
        value["serviceAccounts"] = Json::Array(theirs);
        self.archive.value("account.json", &value).await?;
        let sessions = Found::by(Session::MEMBER.eq(id.clone()), Session::CREATED_AT.desc());
        self.list("sessions.json", sessions, |one| without(one, &["member", "generation"])).await?;
        let devices = Found::by(Device::MEMBER.eq(id.clone()), Order::default());
        self.list("devices.json", devices, |one| without(one, &["id", "member"])).await?;
        let factors = self.app.store.one(&SecondFactors::id_of(&id)).await?;
        let factors = factors.iter().map(second_factors).collect();
        self.archive.value("second-factors.json", &Json::Array(factors)).await?;
        let identities = Found::by(Identity::MEMBER.eq(id.clone()), Identity::ISSUER.asc());
        self.list("identities.json", identities, |one| without(one, &["id", "member"])).await?;
        // Codes and links are derived from their ids.
        let sign_ins = Found::by(SignIn::EMAIL_KEY.eq(member.email_key.clone()), SignIn::CREATED_AT.desc());
        self.list("sign-ins.json", sign_ins, |one| without(one, &["id"])).await?;
        let invited = Invitation::EMAIL_KEY.eq(member.email_key.clone());
        let invitations = Found::by(invited, Invitation::STATE.asc());
        let private = ["emailKey", "sponsor", "acceptedBy"];
        self.list("invitations.json", invitations, |one| without(one, &private)).await?;
        let tokens = Found::by(AccessToken::MEMBER.eq(id.clone()), AccessToken::CREATED_AT.desc());
        self.list("access-tokens.json", tokens, |one| without(one, &["hash"])).await?;
        let exports = Found::by(DataExport::MEMBER.eq(id), DataExport::REQUESTED_AT.desc());
        self.list("data-exports.json", exports, |one| without(one, &["member", "turn"])).await
    }

    async fn what_they_wrote(&mut self) -> Result<(), NotMade> {
        let id = self.member.clone();
        self.list("posts.json", posts_of(&id), post).await?;
        self.case_studies().await?;
        let editions = Found::by(Edition::BY.eq(id.clone()), Edition::AT.desc());
        self.list("case-study-editions.json", editions, |one| edition(one, &id)).await?;
        self.list("comments.json", comments_of(&id), comment).await?;
        self.archive.list("revisions.json")?;
        self.revisions(posts_of(&id), |post| post.revisions > 0).await?;
        self.revisions(comments_of(&id), |comment| comment.revisions > 0).await?;
        let mut entries = case_studies_of(&id);
        while let Some(page) = entries.next(self.app).await? {
            for case_study in loaded(self.app, &page).await? {
                self.revisions_of(&case_study.id).await?;
            }
        }
        self.archive.end_of_list().await?;
        let adoptions = Found::by(Adoption::RECORDED_BY.eq(id.clone()), Adoption::UPDATED_AT.desc());
        self.list("adoptions.json", adoptions, |one| adoption(one, &id)).await?;
        let steps = Found::by(AdoptionStep::BY.eq(id), AdoptionStep::AT.desc());
        self.list("adoption-history.json", steps, |one| without(one, &["by"])).await
    }

    async fn what_they_did(&mut self) -> Result<(), NotMade> {
        let id = self.member.clone();
        // Of these the id is made of the member's first: they stand together.
        let reactions = Found::beginning(&format!("{}_{id}-", Reactions::PREFIX));
        self.list("reactions.json", reactions, |one: &Reactions| without(one, &["id", "member"])).await?;
        let marks = Found::beginning(&format!("{}_{id}-", ReadMark::PREFIX));
        self.list("read-marks.json", marks, |one: &ReadMark| without(one, &["id", "member"])).await?;
        let bookmarks = Found::by(Bookmark::MEMBER.eq(id.clone()), Bookmark::CREATED_AT.desc());
        self.list("bookmarks.json", bookmarks, |one| without(one, &["id", "member"])).await?;
        let follows = Found::beginning(&Follow::first_of(&id));
        self.list("follows.json", follows, |one: &Follow| without(one, &["id", "member"])).await?;
        let states = [ReportState::Open, ReportState::Upheld, ReportState::Dismissed];
        let reports = Report::REPORTER.eq(id).and(Report::STATE.is_in(states));
        let reports = Found::by(reports, Report::CREATED_AT.asc());
        self.list("reports.json", reports, |one| without(one, &["reporter", "open", "resolvedBy"])).await
    }

    async fn what_happened(&mut self) -> Result<(), NotMade> {
        let id = self.member.clone();
        let notifications = Found::by(Notification::of_member(&id), Notification::UPDATED_AT.desc());
        let private = ["member", "actors", "fold"];
        self.list("notifications.json", notifications, |one| without(one, &private)).await?;
        let digests = Found::by(Digest::of_member(&id), Digest::UNTIL.desc());
        self.list("digests.json", digests, |one| without(one, &["member"])).await?;
        self.archive.list("moderation.json")?;
        let about = Found::by(AuditEntry::SUBJECT.eq(id.to_string()), AuditEntry::AT.desc());
        self.items(about, act_on).await?;
        let did = Found::by(AuditEntry::ACTOR.eq(id), AuditEntry::AT.desc());
        self.items(did, act_by).await?;
        self.archive.end_of_list().await
    }

    /// What they uploaded: the list of it, then the files.
    async fn files(&mut self) -> Result<(), NotMade> {
        let id = self.member.clone();
        let uploaded = || Found::by(Attachment::UPLOADER.eq(id.clone()), Attachment::USED_BY.asc());
        self.list("attachments.json", uploaded(), |one| without(one, &["uploader"])).await?;
        let mut uploaded = uploaded();
        while let Some(page) = uploaded.next(self.app).await? {
            for attachment in page {
                self.file(&attachment).await?;
            }
        }
        Ok(())
    }

    async fn file(&mut self, attachment: &Attachment) -> Result<(), NotMade> {
        let mut bytes = match self.app.blobs.get(&attachment.id).await {
            Ok(bytes) => bytes,
            // An upload that a crash cut off, or that was forgotten meanwhile.
            Err(BlobError::Missing(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.archive.file(&format!("attachments/{}-{}", attachment.id, attachment.name))?;
        while let Some(piece) = bytes.next().await {
            let piece = piece.map_err(|error| BlobError::Away(error.to_string()))?;
            self.archive.write(&piece).await?;
        }
        Ok(())
    }

    /// Those that they began, and those that they write with others.
    async fn case_studies(&mut self) -> Result<(), NotMade> {
        self.archive.list("case-studies.json")?;
        let mut entries = case_studies_of(self.member);
        while let Some(page) = entries.next(self.app).await? {
            for found in loaded(self.app, &page).await? {
                self.archive.item(&case_study(&found, self.member)).await?;
            }
        }
        self.archive.end_of_list().await
    }

    /// What edits made of what they wrote.
    async fn revisions<D: Document>(
        &mut self,
        mut found: Found<D>,
        was_edited: fn(&D) -> bool,
    ) -> Result<(), NotMade> {
        while let Some(page) = found.next(self.app).await? {
            for document in page.iter().filter(|document| was_edited(document)) {
                self.revisions_of(document.id()).await?;
            }
        }
        Ok(())
    }

    async fn revisions_of<D: Identified>(&mut self, id: &Id<D>) -> Result<(), NotMade> {
        let of = Found::by(Revision::OF.eq(id.to_string()), Revision::NUMBER.desc());
        let member = self.member.clone();
        self.items(of, |one| revision(one, &member)).await
    }

    async fn list<D: Document>(
        &mut self,
        file: &str,
        found: Found<D>,
        shown: impl Fn(&D) -> Json,
    ) -> Result<(), NotMade> {
        self.archive.list(file)?;
        self.items(found, shown).await?;
        self.archive.end_of_list().await
    }

    async fn items<D: Document>(
        &mut self,
        mut found: Found<D>,
        shown: impl Fn(&D) -> Json,
    ) -> Result<(), NotMade> {
        while let Some(page) = found.next(self.app).await? {
            for document in &page {
                self.archive.item(&shown(document)).await?;
            }
        }
        Ok(())
    }
}

fn posts_of(member: &Id<Member>) -> Found<Post> {
    let states = [PostState::Draft, PostState::Published, PostState::Hidden, PostState::Deleted];
    let theirs = Post::AUTHOR.eq(member.clone()).and(Post::STATE.is_in(states));
    Found::by(theirs, Post::PUBLISHED_AT.desc())
}

fn comments_of(member: &Id<Member>) -> Found<Comment> {
    Found::by(Comment::AUTHOR.eq(member.clone()), Comment::CREATED_AT.desc())
}

fn case_studies_of(member: &Id<Member>) -> Found<Entry> {
    let states = [State::Draft, State::Published, State::Archived, State::Hidden, State::Deleted];
    let theirs = Entry::FACETS.contains(Facet::author(member)).and(Entry::STATE.is_in(states));
    Found::by(theirs, Entry::PUBLISHED_AT.desc())
}

async fn loaded(app: &App, entries: &[Entry]) -> Result<Vec<CaseStudy>, NotMade> {
    let id = |entry: &Entry| match &entry.contribution {
        ContributionId::CaseStudy(id) => Some(id.clone()),
        ContributionId::Post(_) => None,
    };
    let ids: Vec<Id<CaseStudy>> = entries.iter().filter_map(id).collect();
    Ok(app.store.get(&ids).await?.into_iter().flatten().collect())
}
