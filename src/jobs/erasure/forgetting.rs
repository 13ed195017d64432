//! What is a member's alone, and goes with them.

use super::{
    super::{attachment, data_export, found::Found},
    Step,
};
use crate::{
    actions::{access::Viewer, case_study, once::Request, post},
    app::App,
    domain::{
        access_token::AccessToken,
        activity::Activity,
        attachment::{AttachedTo, Attachment},
        bookmark::Bookmark,
        case_study::Edition,
        contribution::{ContributionId, State},
        data_export::DataExport,
        device::Device,
        digest::Digest,
        entry::Entry,
        erasure::{Erasure, Stage, Traces},
        follow::Follow,
        identity::Identity,
        invitation::Invitation,
        member::Member,
        moderation::Suspension,
        notification::Notification,
        post::{Post, PostState},
        read_mark::ReadMark,
        second_factor::SecondFactors,
        service_account,
        session::Session,
        sign_in::{Attempts, SignIn},
    },
    error::{Error, Result},
    ids::{Id, Identified},
    query::{Document, Filter, Order, Page},
    store::{Batch, Guard},
};

pub(super) async fn step(app: &App, erasure: &Erasure) -> Result<Step> {
    let id = erasure.member.clone();
    match erasure.stage {
        Stage::Sessions => by(app, Session::MEMBER.eq(id), Session::CREATED_AT.desc()).await,
        Stage::Devices => by(app, Device::MEMBER.eq(id), Order::default()).await,
        Stage::SecondFactors => second_factors(app, &id).await,
        Stage::Identities => by(app, Identity::MEMBER.eq(id), Identity::ISSUER.asc()).await,
        Stage::SignIns => sign_ins(app, erasure).await,
        Stage::Invitations => invitations(app, erasure).await,
        Stage::AccessTokens => by(app, AccessToken::MEMBER.eq(id), AccessToken::CREATED_AT.desc()).await,
        Stage::ServiceAccounts => service_account(app, &id).await,
        Stage::Follows => beginning::<Follow>(app, &Follow::first_of(&id)).await,
        Stage::Bookmarks => by(app, Bookmark::of_member(&id), Bookmark::CREATED_AT.desc()).await,
        Stage::ReadMarks => beginning::<ReadMark>(app, &format!("{}_{id}-", ReadMark::PREFIX)).await,
        Stage::Notifications => by(app, Notification::of_member(&id), Notification::UPDATED_AT.desc()).await,
        Stage::Digests => by(app, Digest::of_member(&id), Digest::UNTIL.desc()).await,
        Stage::DataExports => {
            let mut theirs = Found::by(DataExport::MEMBER.eq(id), DataExport::REQUESTED_AT.desc());
            deleted(app, &mut theirs, |export| data_export::with(app, export)).await
        }
        Stage::Attachments => attachments(app, &id).await,
        Stage::Drafts => draft(app, &id).await,
        Stage::CaseStudyDrafts => case_study_draft(app, &id).await,
        stage => Err(Error::Fault(format!("an erasure has no stage {stage:?} of its own"))),
    }
}

async fn by<D: Document>(app: &App, filter: Filter<D>, order: Order<D>) -> Result<Step> {
    deleted(app, &mut Found::by(filter, order), |_| Batch::new()).await
}

async fn beginning<D: Document>(app: &App, prefix: &str) -> Result<Step> {
    deleted(app, &mut Found::beginning(prefix), |_: &D| Batch::new()).await
}

/// Deletes a page, with what belongs to each. What is deleted is not found again.
async fn deleted<D: Document>(app: &App, found: &mut Found<D>, with: impl Fn(&D) -> Batch) -> Result<Step> {
    let Some(page) = found.next(app).await? else { return Ok(Step::last(Batch::new())) };
    let batch = page.iter().fold(Batch::new(), |batch, document| {
        batch.delete(document.id(), Guard::Version(document.version())).and(with(document))
    });
    Ok(Step { batch, after: None, last: false })
}

async fn second_factors(app: &App, member: &Id<Member>) -> Result<Step> {
    let known = app.store.one(&SecondFactors::id_of(member)).await?;
    let delete = |known: SecondFactors| Batch::new().delete(&known.id, Guard::Version(known.version));
    Ok(Step::last(known.map(delete).unwrap_or_default()))
}

/// Requests for codes have the address that they were for.
async fn sign_ins(app: &App, erasure: &Erasure) -> Result<Step> {
    let Some(key) = erasure.traces.as_ref().map(Traces::email_key) else {
        return Ok(Step::last(Batch::new()));
    };
    let attempts = Attempts::id_of(key);
    let step = by(app, SignIn::EMAIL_KEY.eq(key), SignIn::CREATED_AT.desc()).await?;
    match app.store.one(&attempts).await? {
        Some(found) if step.last => {
            Ok(Step::last(step.batch.delete(&attempts, Guard::Version(found.version))))
        }
        _ => Ok(step),
    }
}

/// Invitations to their address, which have that and their name.
async fn invitations(app: &App, erasure: &Erasure) -> Result<Step> {
    match erasure.traces.as_ref().map(Traces::email_key) {
        Some(key) => by(app, Invitation::EMAIL_KEY.eq(key), Invitation::STATE.asc()).await,
        None => Ok(Step::last(Batch::new())),
    }
}

/// Closes a service account that nobody answers for any more: its tokens go, and nobody finds it.
async fn service_account(app: &App, owner: &Id<Member>) -> Result<Step> {
    let open = |account: &Member| account.suspension.is_none();
    let mut accounts = Found::by(service_account::owned_by(Some(owner)), Order::default());
    while let Some(page) = accounts.next(app).await? {
        let Some(mut account) = page.into_iter().find(open) else { continue };
        let tokens = AccessToken::MEMBER.eq(account.id.clone());
        let mut tokens = Found::by(tokens, AccessToken::CREATED_AT.desc());
        let step = deleted(app, &mut tokens, |_| Batch::new()).await?;
        if !step.last {
            return Ok(step);
        }
        let reason = "Nobody answers for it any more.".to_owned();
        let (by, at) = (Activity::nobody(), app.clock.now());
        account.suspension = Some(Suspension { until: None, reason, by, at });
        return Ok(Step { batch: Batch::new().replace(&account), after: None, last: false });
    }
    Ok(Step::last(Batch::new()))
}

/// Files that nothing uses go, and so does their photo; the others stay with what they belong to, and nobody has uploaded them.
async fn attachments(app: &App, uploader: &Id<Member>) -> Result<Step> {
    let mut theirs = Found::by(Attachment::UPLOADER.eq(uploader.clone()), Attachment::USED_BY.asc());
    let Some(page) = theirs.next(app).await? else { return Ok(Step::last(Batch::new())) };
    let batch = page.iter().fold(Batch::new(), |batch, one| {
        let unchanged = Guard::Version(one.version);
        match one.used_by {
            None | Some(AttachedTo::Member(_)) => {
                batch.delete(&one.id, unchanged).and(attachment::with(app, one))
            }
            Some(_) => batch.patch(&one.id, unchanged, [Attachment::UPLOADER.set(Activity::nobody())]),
        }
    });
    Ok(Step { batch, after: None, last: false })
}

/// Nobody else has seen a draft: it is deleted as its author would.
async fn draft(app: &App, author: &Id<Member>) -> Result<Step> {
    let drafts = Post::AUTHOR.eq(author.clone()).and(Post::STATE.eq(PostState::Draft));
    let found = app.store.find(drafts, Post::PUBLISHED_AT.desc(), Page::first(1)).await?;
    let Some(draft) = found.first() else { return Ok(Step::last(Batch::new())) };
    let viewer = acting(app, author).await?;
    post::delete(app, &viewer, &draft.id, None, &Request::unnamed("deletePost")).await?;
    Ok(Step { batch: Batch::new(), after: None, last: false })
}

/// The same, unless others write it, too: then it is the first of theirs.
async fn case_study_draft(app: &App, author: &Id<Member>) -> Result<Step> {
    let step = |batch| Step { batch, after: None, last: false };
    let drafts = Entry::drafts_of(author);
    let mut entries = Found::by(drafts, Entry::UPDATED_AT.desc());
    while let Some(page) = entries.next(app).await? {
        for mut entry in page {
            let ContributionId::CaseStudy(id) = &entry.contribution else { continue };
            let Some(mut draft) = app.store.one(id).await? else { continue };
            if draft.state != State::Draft {
                continue;
            }
            if draft.author == *author && draft.co_authors.is_empty() {
                let viewer = acting(app, author).await?;
                let unnamed = Request::unnamed("deleteCaseStudy");
                case_study::delete(app, &viewer, &draft.id, None, &unnamed).await?;
                return Ok(step(Batch::new()));
            }
            draft.co_authors.retain(|other| other != author);
            if draft.author == *author {
                draft.author = draft.co_authors.remove(0);
            }
            let batch = Batch::new().replace(&draft);
            draft.version += 1;
            let region = case_study::region(app, &draft.content).await?;
            entry.follow(&draft, region.as_deref());
            return Ok(step(batch.insert(&Edition::of(&draft)).replace(&entry)));
        }
    }
    Ok(Step::last(Batch::new()))
}

/// What they would do themselves.
async fn acting(app: &App, author: &Id<Member>) -> Result<Viewer> {
    let member = app.store.one(author).await?;
    let member = member.ok_or_else(|| Error::Fault("a former member is gone".to_owned()))?;
    Ok(Viewer::of_job(member))
}
