//! Telling members of what happened and concerns them.
//!
//! First those whom it concerns in any case, then the followers, page by page. The notifications of a
//! page are committed together with how far the activity has been told, guarded by its version: a page
//! is told once, whoever runs the job, however often, and wherever a worker dies.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::future::try_join3;

use super::Failure;
use crate::{
    actions::contribution,
    app::App,
    domain::{
        activity::{Activity, Told, What},
        adoption::AdoptionStep,
        audit::AuditEntry,
        comment::Comment,
        contribution::Contribution,
        entry::Entry,
        follow::{Follow, Stance, Target},
        job::{Job, Task},
        member::Member,
        notification::{Delivery, Kind, News, Notification},
        post::PostKind,
        sight::Seen,
    },
    error::{Result, StoreError},
    ids::Id,
    query::{Order, Page, Scalar},
    store::{Batch, Guard},
};

/// Followers told in one commit.
const FOLLOWERS: usize = 100;
/// Commits before other news has its turn: they are told within a second or two, which is far below a
/// lease.
const PAGES: usize = 10;

/// Notifies those whom an activity concerns.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn run(app: &App, id: &Id<Activity>) -> Result<Batch, Failure> {
    for _ in 0..PAGES {
        let Some(activity) = app.store.one(id).await? else {
            tracing::info!(activity = %id, "skipped: it was too long ago");
            return Ok(Batch::new());
        };
        if activity.told {
            return Ok(Batch::new());
        }
        match app.store.commit(next_page(app, &activity).await?).await {
            Ok(()) => {}
            // Another worker told this page, or a member read what was to be added to: look again.
            Err(StoreError::Conflict { .. } | StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let rest = Task::Notify { activity: id.clone() };
    Ok(Batch::new().insert(&Job::new(app.ids.fresh(), rest, app.clock.now())))
}

/// What an activity is about, and whom it concerns.
struct Story {
    subject: Contribution,
    comment: Option<Comment>,
    /// Those whom it concerns in any case, with the strongest reason.
    directly: BTreeMap<Id<Member>, Kind>,
    /// Whose followers are told, and why.
    followed: Vec<Target>,
    following: Kind,
    /// What members mute to hear nothing of it.
    muted_by: Vec<Target>,
}

/// The notifications of the next page of recipients, and how far that is.
async fn next_page(app: &App, activity: &Activity) -> Result<Batch> {
    let done = |told: bool, up_to: Option<String>| {
        let changes = [Activity::TOLD.set(told), Activity::TOLD_UP_TO.set(up_to)];
        Batch::new().patch(&activity.id, Guard::Version(activity.version), changes)
    };
    if let What::Moderated { entry, member } = &activity.what {
        return Ok(done(true, None).and(moderated(app, activity, entry, member).await?));
    }
    let Some(story) = Story::of(app, activity).await? else {
        tracing::info!(activity = %activity.id, "skipped: what it is about is gone");
        return Ok(done(true, None));
    };
    let Some(last) = &activity.told_up_to else {
        let told = notify(app, activity, &story, story.directly.clone()).await?;
        return Ok(told.and(done(story.followed.is_empty(), Some(String::new()))));
    };
    let followers = Follow::followers_of(story.followed.iter().cloned());
    let after = (!last.is_empty()).then(|| vec![last.value()]);
    let page = app.store.find(followers, Order::by_id(), Page::first(FOLLOWERS).after(after)).await?;
    // Those of one member stand together, so whoever follows two of the targets is told once.
    let new = page.iter().filter(|follow| {
        !story.directly.contains_key(&follow.member) && !Follow::is_of(last, &follow.member)
    });
    let recipients = new.map(|follow| (follow.member.clone(), story.following)).collect();
    let told = notify(app, activity, &story, recipients).await?;
    let up_to = page.last().map_or_else(|| last.clone(), |follow| follow.id.as_str().to_owned());
    Ok(told.and(done(page.len() < FOLLOWERS, Some(up_to))))
}

impl Story {
    /// `None` when there is nothing left to tell.
    async fn of(app: &App, activity: &Activity) -> Result<Option<Self>> {
        let Some(thread) = app.store.one(&activity.thread).await? else { return Ok(None) };
        let (comment, step, entry) = try_join3(comment_of(app, activity), step_of(app, activity), async {
            Ok(app.store.one(&Entry::id_of(&thread.subject)).await?)
        })
        .await?;
        let subject = contribution::find(app, &thread.subject).await?;
        let Some(subject) = subject else { return Ok(None) };
        let of_comment = matches!(
            activity.what,
            What::CommentAdded { .. } | What::CommentChanged { .. } | What::AnswerAccepted { .. }
        );
        if of_comment && comment.is_none() {
            return Ok(None);
        }
        let of_subject: Vec<Target> = entry.iter().flat_map(Entry::targets).collect();
        let here = Target::Thread(activity.thread.clone());
        let mut story = Self {
            directly: BTreeMap::new(),
            followed: Vec::new(),
            following: Kind::FollowedNew,
            muted_by: [&here, &Target::Member(activity.actor.clone())]
                .into_iter()
                .chain(&of_subject)
                .cloned()
                .collect(),
            subject,
            comment,
        };
        activity.mentioned.iter().for_each(|member| story.concerns(member, Kind::Mentioned));
        match &activity.what {
            What::Published { .. } => story.followed = of_subject,
            What::CommentAdded { .. } => story.tell_of_comment(here),
            What::AnswerAccepted { .. } => {
                if let Some(comment) = story.comment.clone() {
                    story.concerns(&comment.author, Kind::Accepted);
                }
            }
            What::AdoptionRecorded { .. } if step.is_some() => {
                let authors: Vec<Id<Member>> = story.subject.authors().cloned().collect();
                authors.iter().for_each(|author| story.concerns(author, Kind::Adopted));
            }
            What::AdoptionRecorded { .. }
            | What::Changed { .. }
            | What::CommentChanged { .. }
            | What::Moderated { .. }
            | What::Notified { .. } => {}
        }
        // Their authors may still have to hear of what is no longer there for everybody.
        if !story.subject.is_published() {
            story.followed.clear();
        }
        Ok(Some(story))
    }

    fn concerns(&mut self, member: &Id<Member>, kind: Kind) {
        let strongest = self.directly.entry(member.clone()).or_insert(kind);
        *strongest = kind.min(*strongest);
    }

    fn tell_of_comment(&mut self, thread: Target) {
        let Some(comment) = &self.comment else { return };
        let asked = matches!(&self.subject, Contribution::Post(post) if post.kind == PostKind::Question);
        let answers = asked && comment.parent.is_none();
        if let Some(member) = comment.answers.clone() {
            self.concerns(&member, if answers { Kind::Answered } else { Kind::Replied });
        }
        self.followed = vec![thread];
        self.following = if answers { Kind::Answered } else { Kind::FollowedNew };
    }
}

/// The comment that an activity is about, while there is something to read in it.
async fn comment_of(app: &App, activity: &Activity) -> Result<Option<Comment>> {
    let (What::CommentAdded { comment }
    | What::CommentChanged { comment }
    | What::AnswerAccepted { comment }) = &activity.what
    else {
        return Ok(None);
    };
    Ok(app.store.one(comment).await?.filter(Comment::is_readable))
}

async fn step_of(app: &App, activity: &Activity) -> Result<Option<AdoptionStep>> {
    match &activity.what {
        What::AdoptionRecorded { step } => Ok(app.store.one(step).await?),
        _ => Ok(None),
    }
}

/// The notifications of these recipients, as far as they want them and may see what they are about.
async fn notify(
    app: &App,
    activity: &Activity,
    story: &Story,
    recipients: BTreeMap<Id<Member>, Kind>,
) -> Result<Batch> {
    let ids: Vec<Id<Member>> = recipients.keys().filter(|id| **id != activity.actor).cloned().collect();
    let members = app.store.get(&ids).await?.into_iter().flatten();
    let members: Vec<Member> = members.filter(|member| story.subject.can_see(member)).collect();
    let muting = who_mutes(app, &members, &story.muted_by).await?;
    let told = members.iter().filter_map(|member| {
        let kind = *recipients.get(&member.id)?;
        let delivery = member.notifications.of(kind);
        let wanted = delivery.is_on_site() && (kind == Kind::Mentioned || !muting.contains(&member.id));
        wanted.then_some((member, kind, delivery))
    });
    write(app, activity, story, told.collect()).await
}

/// A moderator's act, told to the member whom it concerns: muting does not keep it away.
async fn moderated(
    app: &App,
    activity: &Activity,
    entry: &Id<AuditEntry>,
    member: &Id<Member>,
) -> Result<Batch> {
    let (thread, member) =
        futures_util::future::try_join(app.store.one(&activity.thread), app.store.one(member)).await?;
    let Some(member) = member else { return Ok(Batch::new()) };
    let delivery = member.notifications.of(Kind::Moderated);
    if !delivery.is_on_site() {
        return Ok(Batch::new());
    }
    let subject = thread.map(|thread| thread.subject);
    let news = News {
        activity,
        kind: Kind::Moderated,
        subject: subject.as_ref(),
        entry: Some(entry),
        comment: None,
        by_mail: delivery == Delivery::EmailAtOnce,
    };
    let (notification, batch) = told(app, &member, &news, None);
    Ok(batch.and(notified(app, activity, vec![Told { member: member.id, notification }])))
}

/// Those of `members` who mute one of `targets`.
async fn who_mutes(app: &App, members: &[Member], targets: &[Target]) -> Result<HashSet<Id<Member>>> {
    let muting = members.iter().filter(|member| member.follows.mutes_something());
    let ids: Vec<Id<Follow>> =
        muting.flat_map(|member| targets.iter().map(|target| Follow::id_of(&member.id, target))).collect();
    let found = app.store.get(&ids).await?.into_iter().flatten();
    Ok(found.filter(|found| found.stance == Stance::Muted).map(|found| found.member).collect())
}

/// Adds to what each has not read of the same sort, or begins something new to read.
async fn write(
    app: &App,
    activity: &Activity,
    story: &Story,
    recipients: Vec<(&Member, Kind, Delivery)>,
) -> Result<Batch> {
    let folds = recipients
        .iter()
        .map(|(member, kind, _)| Some(Notification::fold_of(&member.id, *kind, &activity.thread)));
    let unread = Notification::FOLD.is_in(folds);
    let found = app.store.find(unread, Order::by_id(), Page::first(recipients.len())).await?;
    let mut unread: HashMap<Id<Member>, Notification> =
        found.into_iter().map(|found| (found.member.clone(), found)).collect();
    let subject = story.subject.id();
    let (mut batch, mut all) = (Batch::new(), Vec::new());
    for (member, kind, delivery) in recipients {
        let news = News {
            activity,
            kind,
            subject: Some(&subject),
            entry: None,
            comment: story.comment.as_ref().map(|comment| &comment.id),
            by_mail: delivery == Delivery::EmailAtOnce,
        };
        let (notification, told) = told(app, member, &news, unread.remove(&member.id));
        batch = batch.and(told);
        all.push(Told { member: member.id.clone(), notification });
    }
    Ok(if all.is_empty() { batch } else { batch.and(notified(app, activity, all)) })
}

/// For those who look on, in the same commit.
fn notified(app: &App, activity: &Activity, told: Vec<Told>) -> Batch {
    let (what, now) = (What::Notified { told }, app.clock.now());
    let news = Activity::new(app.ids.fresh(), &activity.actor, what, &activity.thread, Vec::new(), now);
    Batch::new().insert(&news)
}

/// One more thing to tell a member of, and the e-mail that waits until they had time to read it.
fn told(
    app: &App,
    member: &Member,
    news: &News<'_>,
    unread: Option<Notification>,
) -> (Id<Notification>, Batch) {
    let now = app.clock.now();
    let (id, batch) = match unread {
        Some(mut unread) => {
            unread.add(news, &app.config.retention, now);
            (unread.id.clone(), Batch::new().replace(&unread))
        }
        None => {
            let new = Notification::new(&member.id, news, &app.config.retention, now);
            (new.id.clone(), Batch::new().insert(&new))
        }
    };
    if !news.by_mail {
        return (id, batch);
    }
    let hold = chrono::TimeDelta::seconds(app.config.notifications.hold_seconds.max(0));
    let (member, thread) = (member.id.clone(), news.activity.thread.clone());
    let mail = Task::SendNotificationMail { member, thread };
    (id, batch.insert(&Job::new(app.ids.fresh(), mail, now).at(now.plus(hold))))
}
