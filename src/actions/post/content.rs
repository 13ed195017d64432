//! What an author wrote, and what it refers to.

use super::super::mention;
use crate::{
    app::App,
    domain::{
        member::Member,
        mention::named,
        post::PostContent,
        text::{RichText, Written},
        topic::Topic,
    },
    error::{Code, Error, Problem, Result},
    ids::Id,
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
