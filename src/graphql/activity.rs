//! Subscriptions: what happens, for whoever looks on.
//!
//! A subscription is executed once when a member subscribes, to say what they wait for, and then once
//! for each thing that happened and may be that. Every execution is a request of its own, with the
//! viewer as they are then and loaders that know nothing yet: what is passed on is what the viewer may
//! see at that moment.

use std::sync::{Arc, OnceLock};

use async_graphql::{Context, Enum, ID, InputObject, Result, SimpleObject, Subscription};
use futures_util::stream;

use super::{
    comment::Comment, context::Ask, contribution::Contribution, node::visible_thread,
    notification::Notification, payload::top, query::parse, thread::Thread,
};
use crate::{
    domain::{
        activity::{Activity, What},
        contribution::{ContributionId, State},
        member::Member,
        organisation::Organisation,
        post::{PostKind, PostState},
        thread,
        topic::Topic,
    },
    error::{Code, Error, not_found},
    ids::Id,
};

/// Why a subscription is executed.
pub enum Occasion {
    /// A member subscribes. What they wait for is put here.
    Begins(Arc<OnceLock<Interest>>),
    /// This happened.
    Happened(Arc<Activity>),
}

/// What a subscription waits for, as far as ids tell.
pub enum Interest {
    /// What happens in a thread, and to what it discusses.
    Thread(Id<thread::Thread>),
    Published {
        posts: bool,
        case_studies: bool,
    },
    /// What this member is notified of.
    Notifications(Id<Member>),
}

impl Interest {
    /// Whether it is worth the look at what the activity is about.
    #[must_use]
    pub fn may_be(&self, activity: &Activity) -> bool {
        match (self, &activity.what) {
            (Self::Thread(thread), what) => {
                activity.thread == *thread && !matches!(what, What::Notified { .. } | What::Moderated { .. })
            }
            (Self::Published { posts, case_studies }, What::Published { contribution }) => match contribution
            {
                ContributionId::Post(_) => *posts,
                ContributionId::CaseStudy(_) => *case_studies,
            },
            (Self::Notifications(member), What::Notified { told }) => {
                told.iter().any(|told| told.member == *member)
            }
            (Self::Published { .. } | Self::Notifications(_), _) => false,
        }
    }
}

/// At most one thing of each execution.
type AtMostOne<T> = stream::Iter<std::option::IntoIter<T>>;

fn at_most_one<T>(item: Option<T>) -> AtMostOne<T> {
    stream::iter(item)
}

/// What happened, or `None` when the member subscribes: then `interest` is what they wait for.
fn happened<'a>(ctx: &'a Context<'_>, interest: Interest) -> Result<Option<&'a Activity>> {
    match ctx.data_unchecked::<Occasion>() {
        Occasion::Happened(activity) => Ok(Some(activity)),
        Occasion::Begins(place) => place.set(interest).map(|()| None).map_err(|_| {
            let message = "A subscription asks for one thing (GraphQL, 5.2.3.1). Use several.".to_owned();
            top(Error::Coded(Code::BadRequest, message))
        }),
    }
}

/// What happened in a thread.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum ThreadActivityKind {
    CommentAdded,
    /// Its text changed, or it was deleted: then it is there without its text.
    CommentChanged,
    AnswerAccepted,
    /// What is discussed was published or changed.
    SubjectChanged,
}

/// Something that happened in a thread, and how it is now.
#[derive(SimpleObject)]
pub struct ThreadActivity {
    kind: ThreadActivityKind,
    thread: Thread,
    /// The comment that it happened to; none when it is the subject.
    comment: Option<Comment>,
}

impl ThreadActivity {
    /// `None` when it is nothing for those who read the thread, or the viewer may not see it.
    async fn of(ctx: &Context<'_>, activity: &Activity) -> Result<Option<Self>> {
        let (kind, comment) = match &activity.what {
            What::CommentAdded { comment } => (ThreadActivityKind::CommentAdded, Some(comment)),
            What::CommentChanged { comment } => (ThreadActivityKind::CommentChanged, Some(comment)),
            What::AnswerAccepted { comment } => (ThreadActivityKind::AnswerAccepted, Some(comment)),
            What::Published { .. } | What::Changed { .. } => (ThreadActivityKind::SubjectChanged, None),
            What::AdoptionRecorded { .. } | What::Moderated { .. } | What::Notified { .. } => {
                return Ok(None);
            }
        };
        let Some(thread) = visible_thread(ctx, Some(activity.thread.clone())).await?.map(Thread) else {
            return Ok(None);
        };
        let comment = match comment {
            None => None,
            Some(id) => match ctx.loaders().comment(id).await.map_err(top)? {
                None => return Ok(None),
                Some(comment) => Some(Comment(comment)),
            },
        };
        Ok(Some(Self { kind, thread, comment }))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum ContributionKind {
    Idea,
    Question,
    Update,
    Event,
    CaseStudy,
}

impl From<PostKind> for ContributionKind {
    fn from(kind: PostKind) -> Self {
        match kind {
            PostKind::Idea => Self::Idea,
            PostKind::Question => Self::Question,
            PostKind::Update => Self::Update,
            PostKind::Event => Self::Event,
        }
    }
}

/// Which contributions; every part narrows.
#[derive(Clone, Default, InputObject)]
pub struct PublishedFilterInput {
    /// Any of these.
    pub kinds: Option<Vec<ContributionKind>>,
    pub topic_id: Option<ID>,
    /// Where a post's author worked; of a case study, the lead organisation or a partner.
    pub organisation_id: Option<ID>,
}

/// Which contributions, with ids that were read.
struct Published {
    kinds: Option<Vec<ContributionKind>>,
    topic: Option<Id<Topic>>,
    organisation: Option<Id<Organisation>>,
}

impl From<PublishedFilterInput> for Published {
    fn from(input: PublishedFilterInput) -> Self {
        let (topic, organisation) = (parse(input.topic_id), parse(input.organisation_id));
        Self { kinds: input.kinds, topic, organisation }
    }
}

impl Published {
    fn interest(&self) -> Interest {
        let wants = |kind: &ContributionKind| self.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind));
        let posts = [
            ContributionKind::Idea,
            ContributionKind::Question,
            ContributionKind::Update,
            ContributionKind::Event,
        ];
        Interest::Published {
            posts: posts.iter().any(wants),
            case_studies: wants(&ContributionKind::CaseStudy),
        }
    }

    fn matches(&self, contribution: &Contribution) -> bool {
        let (kind, published, topics, organisations) = match contribution {
            Contribution::Post(post) => {
                let organisations: Vec<_> = post.0.organisation.iter().collect();
                let published = post.0.state == PostState::Published;
                (post.0.kind.into(), published, &post.0.topics, organisations)
            }
            Contribution::CaseStudy(case_study) => {
                let content = &case_study.0.content;
                let named = content.lead_organisation.iter().chain(&content.partner_organisations);
                let organisations = named.filter_map(|organisation| organisation.id()).collect();
                let published = case_study.0.state == State::Published;
                (ContributionKind::CaseStudy, published, &content.topics, organisations)
            }
        };
        published
            && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
            && self.topic.as_ref().is_none_or(|topic| topics.contains(topic))
            && self.organisation.as_ref().is_none_or(|wanted| organisations.contains(&wanted))
    }
}

#[derive(Default)]
pub struct ActivitySubscription;

#[Subscription]
impl ActivitySubscription {
    /// What happens in a thread from now on, and to what it discusses. Read the thread after you
    /// subscribed, and take comments by their id: what happened a moment ago may be told too.
    async fn thread_activity(&self, ctx: &Context<'_>, thread_id: ID) -> Result<AtMostOne<ThreadActivity>> {
        let missing = || top(not_found("thread"));
        let id = Id::parse(&thread_id).ok_or_else(missing)?;
        match happened(ctx, Interest::Thread(id.clone()))? {
            Some(activity) => ThreadActivity::of(ctx, activity).await.map(at_most_one),
            None => visible_thread(ctx, Some(id)).await?.map(|_| at_most_one(None)).ok_or_else(missing),
        }
    }

    /// Contributions that every member can see from now on.
    async fn contribution_published(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] filter: PublishedFilterInput,
    ) -> Result<AtMostOne<Contribution>> {
        let filter = Published::from(filter);
        let published = match happened(ctx, filter.interest())?.map(|activity| &activity.what) {
            Some(What::Published { contribution }) => Contribution::visible(ctx, contribution).await?,
            _ => None,
        };
        Ok(at_most_one(published.filter(|contribution| filter.matches(contribution))))
    }

    /// What the viewer is notified of from now on, and again when more of the same is added to it before
    /// it is read.
    async fn notification_received(&self, ctx: &Context<'_>) -> Result<AtMostOne<Notification>> {
        let me = &ctx.viewer().id;
        let what = happened(ctx, Interest::Notifications(me.clone()))?.map(|activity| &activity.what);
        let Some(What::Notified { told }) = what else { return Ok(at_most_one(None)) };
        let mine = told.iter().find(|told| told.member == *me);
        let Some(mine) = mine else { return Ok(at_most_one(None)) };
        let notification = ctx.loaders().notification(&mine.notification).await.map_err(top)?;
        Ok(at_most_one(notification.map(Notification)))
    }
}
