//! The audit log: an entry for each act, in the act's own commit, and for whom it concerns the news of
//! it. The only writer of entries, and it only adds them.

use super::{
    access::{Moderator, Viewer},
    activity::happened_by,
    page::Listing,
};
use crate::{
    app::App,
    domain::{
        activity::{Activity, What},
        audit::{AuditAction, AuditEntry, Facts, Place},
        case_study::CaseStudy,
        comment::Comment,
        contribution::Contribution,
        guard::Acknowledged,
        member::Member,
        moderation::REASON_MAX,
        post::Post,
        text::{Written, line},
        thread::Thread,
    },
    error::{Error, Result, forbidden},
    ids::Id,
    query::{Filter, Page},
    store::Batch,
};

/// Acts on one thing that are looked through for a certain one.
const LOOKED_AT: usize = 20;

/// Why a moderator does something, in words that passed the guard.
#[derive(Clone)]
pub struct Reason(String);

impl Reason {
    /// # Errors
    /// When it is empty, too long, or the guard refuses it.
    pub fn parse(field: &str, reason: &str, acknowledged: Acknowledged) -> Result<Self> {
        line("reason", Written::new(reason, acknowledged), REASON_MAX).map(Self).map_err(|mut problem| {
            problem.field = field.split('.').map(str::to_owned).collect();
            Error::Refused(vec![problem])
        })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Reason {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// What was done.
pub(super) struct Act<'a> {
    action: AuditAction,
    subject: &'a str,
    about: Option<&'a str>,
    reason: Option<&'a str>,
    before: Facts,
    after: Facts,
}

impl<'a> Act<'a> {
    /// `subject` is the id of what it was done to.
    pub fn new(action: AuditAction, subject: &'a str) -> Self {
        let (before, after) = (Facts::default(), Facts::default());
        Self { action, subject, about: None, reason: None, before, after }
    }

    pub fn because(self, reason: &'a (impl AsRef<str> + ?Sized)) -> Self {
        Self { reason: Some(reason.as_ref()), ..self }
    }

    /// The id of what gave rise to it.
    pub fn about(self, about: Option<&'a str>) -> Self {
        Self { about, ..self }
    }

    /// How the subject stood before and after.
    pub fn changed(self, before: Facts, after: Facts) -> Self {
        Self { before, after, ..self }
    }
}

/// Members who are told of an act, and the thread that it happened in.
pub(super) struct Concerned<'a> {
    pub members: Vec<&'a Id<Member>>,
    pub thread: Id<Thread>,
}

impl<'a> Concerned<'a> {
    pub fn nobody() -> Self {
        Self { members: Vec::new(), thread: Activity::nowhere() }
    }

    pub fn member(member: &'a Id<Member>) -> Self {
        Self { members: vec![member], thread: Activity::nowhere() }
    }

    /// Its authors.
    pub fn contribution(of: &'a Contribution) -> Self {
        let members = match of {
            Contribution::Post(post) => vec![&post.author],
            Contribution::CaseStudy(case_study) => case_study.authors().collect(),
        };
        Self { members, thread: of.thread().clone() }
    }

    pub fn post(post: &'a Post) -> Self {
        Self { members: vec![&post.author], thread: post.thread.clone() }
    }

    pub fn case_study(case_study: &'a CaseStudy) -> Self {
        Self { members: case_study.authors().collect(), thread: case_study.thread.clone() }
    }

    pub fn comment(comment: &'a Comment) -> Self {
        Self { members: vec![&comment.author], thread: comment.thread.clone() }
    }
}

/// The entry of an act of a moderator, and the news of it for those whom it concerns.
pub(super) fn acted(app: &App, moderator: &Viewer, act: Act<'_>, concerned: &Concerned<'_>) -> Batch {
    let others = concerned.members.iter().filter(|member| ***member != moderator.id);
    let entry = entry(app, &moderator.id, act, Vec::new());
    let told = others.map(|member| told(app, &moderator.id, &entry, member, &concerned.thread));
    told.fold(Batch::new().insert(&entry), Batch::and)
}

/// The same of what a member's report did. Who it was is told to nobody.
pub(super) fn acted_on_report(
    app: &App,
    reporter: &Viewer,
    act: Act<'_>,
    concerned: &Concerned<'_>,
) -> Batch {
    let entry = entry(app, &reporter.id, act, Vec::new());
    let told = concerned
        .members
        .iter()
        .map(|member| told(app, &Activity::nobody(), &entry, member, &concerned.thread));
    told.fold(Batch::new().insert(&entry), Batch::and)
}

/// The same of what an operator of the installation did, by a command.
pub(super) fn acted_by_operator(app: &App, act: Act<'_>, concerned: &Concerned<'_>) -> Batch {
    let entry = entry(app, &Activity::nobody(), act, Vec::new());
    let told = concerned
        .members
        .iter()
        .map(|member| told(app, &Activity::nobody(), &entry, member, &concerned.thread));
    told.fold(Batch::new().insert(&entry), Batch::and)
}

/// That somebody who wanted it was erased: told to nobody, as there is nobody to tell.
pub(super) fn audited_of_erased(app: &App, member: &Id<Member>) -> Batch {
    let act = Act::new(AuditAction::EraseMember, member.as_str());
    Batch::new().insert(&entry(app, member, act, Vec::new()))
}

fn told(
    app: &App,
    actor: &Id<Member>,
    entry: &AuditEntry,
    member: &Id<Member>,
    thread: &Id<Thread>,
) -> Batch {
    let what = What::Moderated { entry: entry.id.clone(), member: member.clone() };
    happened_by(app, actor, what, thread, Vec::new())
}

/// The same of what a moderator did to what others wrote; nothing of what members do to their own.
pub(super) fn acted_on_others(app: &App, viewer: &Viewer, act: Act<'_>, concerned: &Concerned<'_>) -> Batch {
    if concerned.members.contains(&&viewer.id) {
        return Batch::new();
    }
    acted(app, viewer, act, concerned)
}

fn entry(app: &App, actor: &Id<Member>, act: Act<'_>, findings: Vec<Place>) -> AuditEntry {
    AuditEntry {
        id: app.ids.fresh(),
        version: 1,
        actor: actor.clone(),
        action: act.action,
        subject: act.subject.to_owned(),
        about: act.about.map(str::to_owned),
        reason: act.reason.map(str::to_owned),
        before: act.before,
        after: act.after,
        findings,
        at: app.clock.now(),
    }
}

/// What a moderator sends to publish text that the guard blocks.
pub struct Override {
    pub reason: String,
}

/// How much of what the guard finds is taken, and on whose word.
pub(super) struct Taken {
    pub acknowledged: Acknowledged,
    reason: Option<Reason>,
}

impl Taken {
    /// # Errors
    /// Forbidden to all but moderators; problems of the reason.
    pub fn of(viewer: &Viewer, acknowledged: Acknowledged, wanted: Option<&Override>) -> Result<Self> {
        let Some(Override { reason }) = wanted else {
            return Ok(Self { acknowledged, reason: None });
        };
        if !viewer.moderates() {
            return Err(forbidden("Only moderators can publish what the guard blocks."));
        }
        let reason = Reason::parse("overridePersonalData.reason", reason, acknowledged)?;
        Ok(Self { acknowledged: Acknowledged::All, reason: Some(reason) })
    }

    /// The places in these texts, each with its field, that nobody else could have them taken with.
    pub fn found<'a>(&self, texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Place> {
        match self.reason {
            Some(_) => texts.into_iter().flat_map(|(field, text)| Place::blocked(field, text)).collect(),
            None => Vec::new(),
        }
    }

    /// The entry of an override, when there was something to override. Places alone: the words are what
    /// must not be kept.
    pub fn audited(&self, app: &App, viewer: &Viewer, subject: &str, places: Vec<Place>) -> Batch {
        let Some(reason) = self.reason.as_ref().filter(|_| !places.is_empty()) else {
            return Batch::new();
        };
        let act = Act::new(AuditAction::OverridePersonalData, subject).because(reason);
        Batch::new().insert(&entry(app, &viewer.id, act, places))
    }
}

/// The latest of some acts on something, among the last [`LOOKED_AT`].
///
/// # Errors
/// When the store fails.
pub async fn latest(app: &App, subject: &str, actions: &[AuditAction]) -> Result<Option<AuditEntry>> {
    let acts = AuditEntry::SUBJECT.eq(subject);
    let acts = app.store.find(acts, AuditEntry::AT.desc(), Page::first(LOOKED_AT)).await?;
    Ok(acts.into_iter().find(|act| actions.contains(&act.action)))
}

/// Which acts; every part narrows.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    pub actor: Option<Id<Member>>,
    pub subject: Option<String>,
    pub action: Option<AuditAction>,
}

/// The audit log, latest first.
#[must_use]
pub fn log(_moderator: &Moderator, wanted: AuditFilter) -> Listing<AuditEntry> {
    let mut filter = Filter::all();
    if let Some(actor) = wanted.actor {
        filter = filter.and(AuditEntry::ACTOR.eq(actor));
    }
    if let Some(subject) = wanted.subject {
        filter = filter.and(AuditEntry::SUBJECT.eq(subject));
    }
    if let Some(action) = wanted.action {
        filter = filter.and(AuditEntry::ACTION.eq(action));
    }
    Listing { name: "auditLog", filter, order: AuditEntry::AT.desc() }
}
