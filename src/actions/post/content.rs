//! What an author wrote, what it refers to, and what an edit makes of it.

use super::super::{
    access::Viewer,
    mention,
    revision::{self, Edit},
};
use crate::{
    app::App,
    domain::{
        event::Event,
        member::Member,
        mention::named,
        post::{Post, PostContent, PostState},
        revision::difference,
        tag::TagName,
        text::{RichText, Written},
        topic::Topic,
    },
    error::{Code, Error, Problem, Result},
    ids::Id,
    store::Batch,
};

/// What an author wrote, once it is known to be right.
pub(super) struct Content {
    pub title: String,
    pub body: RichText,
    pub topics: Vec<Id<Topic>>,
    pub mentions: Vec<Id<Member>>,
}

/// Parses what an author wrote and checks that its topics and the members that it mentions exist. All
/// problems come at once, those that were found in the rest too.
pub(super) async fn content(
    app: &App,
    viewer: &Viewer,
    title: Written<'_>,
    body: Written<'_>,
    topics: &[String],
    complete: bool,
    mut problems: Vec<Problem>,
) -> Result<Content> {
    let (ids, places, malformed) = topic_ids(topics);
    problems.extend(malformed);
    let (mentioned, problem) = mention::look_up(app, "body", body.text()).await?;
    problems.extend(problem);
    let parsed = PostContent::parse(title, body, ids.clone(), complete);
    let known = app.store.get(&ids).await?;
    let missing = places.iter().zip(known).filter(|(_, topic)| topic.is_none());
    problems.extend(missing.map(|(place, _)| unknown_topic(*place)));
    if complete && problems.is_empty() {
        problems.extend(viewer.problem_with_topics(&ids));
    }
    match parsed {
        Ok(PostContent { title, body, topics }) if problems.is_empty() => {
            Ok(Content { title, body: named(body, &mentioned.names), topics, mentions: mentioned.members })
        }
        Ok(_) => Err(Error::Refused(problems)),
        Err(more) => Err(Error::Refused([more, problems].concat())),
    }
}

/// The ids among what was sent, their places in it, and the problems with the rest.
fn topic_ids(names: &[String]) -> (Vec<Id<Topic>>, Vec<usize>, Vec<Problem>) {
    let (mut ids, mut places, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    // Far more than allowed is refused by the content's own rule; no need to look all of them up.
    for (place, name) in names.iter().take(100).enumerate() {
        match Id::parse(name) {
            None => problems.push(unknown_topic(place)),
            Some(id) => {
                ids.push(id);
                places.push(place);
            }
        }
    }
    (ids, places, problems)
}

/// The field says which one. What was sent is not repeated: it may be anything.
fn unknown_topic(index: usize) -> Problem {
    let message = "There is no such topic. The query `topics` lists them.";
    Problem::new(&format!("topicIds.{index}"), Code::Unknown, message)
}

pub(super) fn names(topics: &[Id<Topic>]) -> Vec<String> {
    topics.iter().map(|topic| topic.as_str().to_owned()).collect()
}

/// What readers of a published post saw before an edit, in which its author typed these tags. Of a hidden
/// one nothing is kept: what a moderator takes out of it is what nobody may read.
pub(super) async fn keep(
    app: &App,
    viewer: &Viewer,
    before: &Post,
    after: &Post,
    typed: &[TagName],
) -> Result<(Batch, i64)> {
    let Some(published) = before.published_at else {
        return Ok((Batch::new(), 0));
    };
    if before.state == PostState::Hidden {
        return Ok((revision::forget(&before.id, before.revisions), 0));
    }
    let changes = [
        difference("title", &before.title, &after.title),
        difference("body", &before.body.markdown, &after.body.markdown),
        revision::topics(app, &before.topics, &after.topics).await?,
        revision::tags(app, &before.tags, &after.tags, typed).await?,
        revision::attachments(app, &before.attachments, &after.attachments).await?,
    ];
    let of_event = Event::changes(before.event.as_ref(), after.event.as_ref());
    let edit = Edit {
        of: &before.id,
        kept: before.revisions,
        written: (&before.author, published),
        changes: changes.into_iter().flatten().chain(of_event).collect(),
    };
    Ok(revision::keep(viewer, app.clock.now(), edit))
}
