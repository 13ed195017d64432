//! The items of a digest in words: titles and summaries, who says it, and why it is there.
//!
//! What was chosen is read once more here, so that nothing is told that was taken away or moved out of
//! the member's sight since it was offered.

use std::collections::HashMap;

use futures_util::future::{try_join, try_join4};

use super::content::{by_id, distinct, subjects};
use crate::{
    app::App,
    domain::{
        adoption::{AdoptionStatus, AdoptionStep},
        comment::Comment,
        contribution::{Contribution, ContributionId},
        digest::{
            Told,
            candidate::Spread,
            choice::{Section, What},
            score::Reason,
        },
        event::Event,
        follow::Target,
        guard,
        member::Member,
        organisation::Organisation,
        post::PostKind,
        sight::Seen,
        tag::Tag,
        thread::Thread,
        topic::Topic,
    },
    error::Result,
    ids::Id,
    mail::digest as mail,
};

/// What it takes to put items in words.
pub(super) struct Words {
    comments: HashMap<Id<Comment>, Comment>,
    steps: HashMap<Id<AdoptionStep>, AdoptionStep>,
    subjects: HashMap<ContributionId, Contribution>,
    threads: HashMap<Id<Thread>, Thread>,
    members: HashMap<Id<Member>, Member>,
    organisations: HashMap<Id<Organisation>, Organisation>,
    topics: HashMap<Id<Topic>, Topic>,
    tags: HashMap<Id<Tag>, Tag>,
}

impl Words {
    /// Of what is told: of the comments among it that are in `said`, and the adoptions in `spread`.
    pub async fn load(app: &App, all: &[Told], said: &[Comment], spread: &[Spread]) -> Result<Self> {
        let said: HashMap<&Id<Comment>, &Comment> =
            said.iter().map(|comment| (&comment.id, comment)).collect();
        let (mut comments, mut steps) = (HashMap::new(), Vec::new());
        let mut contributions: Vec<ContributionId> = Vec::new();
        for told in all {
            match &told.what {
                What::Contribution(id) => contributions.push(id.clone()),
                What::Comment(id) => {
                    comments.extend(said.get(id).map(|comment| (id.clone(), (*comment).clone())));
                }
                What::Adoption(id) => steps.push(id),
            }
        }
        let threads = distinct(comments.values().map(|comment: &Comment| &comment.thread));
        let of_step = |spread: &&Spread| steps.contains(&&spread.step);
        let adopted = spread.iter().filter(of_step);
        contributions.extend(adopted.map(|spread| ContributionId::from(&spread.case_study)));
        let steps = distinct(steps.into_iter());
        let (steps, threads) = try_join(by_id(app, &steps), by_id(app, &threads)).await?;
        contributions.extend(threads.values().map(|thread| thread.subject.clone()));
        let subjects = subjects(app, contributions.iter()).await?;

        let authors = comments.values().map(|comment: &Comment| &comment.author);
        let authors = authors.chain(subjects.values().map(Contribution::author));
        let works_at = comments.values().filter_map(|comment: &Comment| comment.organisation.as_ref());
        let works_at = works_at.chain(subjects.values().filter_map(Contribution::organisation));
        let works_at = works_at.chain(steps.values().map(|step: &AdoptionStep| &step.organisation));
        let (mut members, mut organisations) = (authors.collect::<Vec<_>>(), works_at.collect::<Vec<_>>());
        let (mut topics, mut tags) = (Vec::new(), Vec::new());
        for target in all.iter().filter_map(|told| told.reason.as_ref()?.target()) {
            match target {
                Target::Topic(id) => topics.push(id),
                Target::Tag(id) => tags.push(id),
                Target::Member(id) => members.push(id),
                Target::Organisation(id) => organisations.push(id),
                Target::Thread(_) => {}
            }
        }
        let (members, organisations) = (distinct(members.into_iter()), distinct(organisations.into_iter()));
        let (topics, tags) = (distinct(topics.into_iter()), distinct(tags.into_iter()));
        let (members, organisations, topics, tags) = try_join4(
            by_id(app, &members),
            by_id(app, &organisations),
            by_id(app, &topics),
            by_id(app, &tags),
        )
        .await?;
        Ok(Self { comments, steps, subjects, threads, members, organisations, topics, tags })
    }

    /// Whether somebody has answered it, where it is a question, since it was offered.
    pub fn answered(&self, told: &Told) -> bool {
        let What::Contribution(id) = &told.what else { return false };
        self.subjects.get(id).is_some_and(is_answered)
    }

    /// "Asha O'Neill, Leeds Teaching Hospitals NHS Trust"
    fn by(&self, author: &Id<Member>, organisation: Option<&Id<Organisation>>) -> String {
        let name = self.members.get(author).map_or("a former member", |member| &member.name);
        match organisation.and_then(|id| self.organisations.get(id)) {
            Some(organisation) => format!("{name}, {}", organisation.name),
            None => name.to_owned(),
        }
    }

    fn name_of(&self, target: &Target) -> Option<&str> {
        match target {
            Target::Topic(id) => self.topics.get(id).map(|topic| topic.name.as_str()),
            Target::Tag(id) => self.tags.get(id).map(|tag| tag.name.as_str()),
            Target::Member(id) => self.members.get(id).map(|member| member.name.as_str()),
            Target::Organisation(id) => self.organisations.get(id).map(|found| found.name.as_str()),
            Target::Thread(_) => None,
        }
    }

    /// Why a contribution is there: the strongest reason.
    fn reason(&self, told: &Told) -> Option<String> {
        Some(match told.reason.as_ref()? {
            Reason::Experience(target) => format!("You have experience of {}.", self.name_of(target)?),
            Reason::Follows(target @ Target::Topic(_)) => {
                format!("It is about {}, which you chose to hear of.", self.name_of(target)?)
            }
            Reason::Follows(target) => format!("You follow {}.", self.name_of(target)?),
            Reason::SameType => "It is from an organisation like yours.".to_owned(),
            Reason::SameIcb => "It is from your integrated care board's area.".to_owned(),
            Reason::SameRegion => "It is from your region.".to_owned(),
        })
    }
}

/// Something as a person reads it; `None` when it is not there for them any more.
pub(super) fn in_words(app: &App, member: &Member, words: &Words, told: &Told) -> Option<mail::Item> {
    let may_read = |found: &&Contribution| found.is_published() && found.can_see(member);
    Some(match &told.what {
        What::Contribution(id) => {
            let found = words.subjects.get(id).filter(may_read)?;
            contribution(app, words, told, found)
        }
        What::Comment(id) => {
            let comment = words.comments.get(id)?;
            let subject = words.subjects.get(&words.threads.get(&comment.thread)?.subject);
            reply(app, member, words, comment, subject.filter(may_read)?)
        }
        What::Adoption(id) => {
            let step = words.steps.get(id)?;
            let found = words.subjects.get(&ContributionId::from(&step.case_study));
            adoption(app, member, words, step, found.filter(may_read)?)
        }
    })
}

fn is_answered(found: &Contribution) -> bool {
    matches!(found, Contribution::Post(post) if post.answered)
}

fn contribution(app: &App, words: &Words, told: &Told, found: &Contribution) -> mail::Item {
    let kind = kind_of_post(found);
    let label = kind.map_or("Case study", mail::kind_name);
    let reason = words.reason(told);
    let published = || format!("New to the network on {}.", found.began_at().date_in_words());
    let why = match told.section {
        Section::Pinned => "Moderators put this at the top this week.".to_owned(),
        Section::Questions => {
            let so_far =
                if is_answered(found) { "It has an answer now." } else { "Nobody has answered it yet." };
            format!("{} {so_far}", reason.unwrap_or_else(published))
        }
        Section::Replies => "You are mentioned in it.".to_owned(),
        Section::Library => {
            format!("From {}. {}", found.began_at().date_in_words(), reason.unwrap_or_default())
                .trim_end()
                .to_owned()
        }
        Section::New | Section::Adoptions | Section::Events => reason.unwrap_or_else(published),
    };
    let event = match found {
        Contribution::Post(post) => post.event.as_ref().and_then(when_and_where),
        Contribution::CaseStudy(_) => None,
    };
    let summary = mailable(found.summary()).unwrap_or_default();
    mail::Item {
        title: title(found),
        label,
        by: words.by(found.author(), found.organisation()),
        summary: match event {
            Some(event) => format!("{event} {summary}").trim_end().to_owned(),
            None => summary.to_owned(),
        },
        url: app.config.link(&found.path()),
        why,
    }
}

fn reply(app: &App, member: &Member, words: &Words, comment: &Comment, subject: &Contribution) -> mail::Item {
    let what = kind_of_post(subject).map_or("case study", |kind| match kind {
        PostKind::Idea => "idea",
        PostKind::Question => "question",
        PostKind::Update => "update",
        PostKind::Event => "event",
    });
    let (label, why) = match (&comment.answers, &comment.parent) {
        (Some(whom), Some(_)) if *whom == member.id => {
            ("Reply", "This is a reply to your comment.".to_owned())
        }
        (Some(whom), None) if *whom == member.id => ("Reply", format!("This is a reply to your {what}.")),
        _ => ("Comment", "You are mentioned in it.".to_owned()),
    };
    let summary = comment.body.as_ref().and_then(|body| mailable(&body.summary)).unwrap_or_default();
    mail::Item {
        title: title(subject),
        label,
        by: words.by(&comment.author, comment.organisation.as_ref()),
        summary: summary.to_owned(),
        url: app.config.link(&format!("{}#{}", subject.path(), comment.id)),
        why,
    }
}

fn adoption(
    app: &App,
    member: &Member,
    words: &Words,
    step: &AdoptionStep,
    found: &Contribution,
) -> mail::Item {
    let organisation = words.organisations.get(&step.organisation);
    let organisation = organisation.map_or("another organisation", |found| found.name.as_str());
    let says = match step.record.status {
        AdoptionStatus::Interested => "is interested in it",
        AdoptionStatus::Testing => "is testing it",
        AdoptionStatus::Adopted => "has adopted it",
        AdoptionStatus::Adapted => "has adapted it",
        AdoptionStatus::Stopped => "has stopped doing it",
    };
    let wrote = found.authors().any(|author| *author == member.id);
    mail::Item {
        title: title(found),
        label: "Adoption",
        by: organisation.to_owned(),
        summary: format!("{organisation} {says}."),
        url: app.config.link(&found.path()),
        why: if wrote { "You wrote this case study." } else { "You follow this case study." }.to_owned(),
    }
}

/// A title that may be mailed. What the guard has asked about stays where one has to sign in.
fn title(found: &Contribution) -> String {
    let without = || match kind_of_post(found) {
        Some(PostKind::Idea) => "An idea",
        Some(PostKind::Question) => "A question",
        Some(PostKind::Update) => "An update",
        Some(PostKind::Event) => "An event",
        None => "A case study",
    };
    mailable(found.title()).unwrap_or_else(without).to_owned()
}

/// A text in which the guard finds nothing.
fn mailable(text: &str) -> Option<&str> {
    guard::check(text).is_empty().then_some(text)
}

/// "12 March 2026 at 14:00, Leeds Civic Hall."
fn when_and_where(event: &Event) -> Option<String> {
    let starts = event.starts_at?;
    let time = starts.london().format("%H:%M");
    let place = event.location.as_deref().and_then(mailable);
    let online = event.join_url.as_ref().map(|_| "online");
    let place = place.or(online).map(|place| format!(", {place}")).unwrap_or_default();
    Some(format!("{} at {time}{place}.", starts.date_in_words()))
}

const fn kind_of_post(contribution: &Contribution) -> Option<PostKind> {
    match contribution {
        Contribution::Post(post) => Some(post.kind),
        Contribution::CaseStudy(_) => None,
    }
}
