//! The written content.

use serde::Deserialize;

use super::event::WrittenEvent;
use crate::domain::{member::Role, post::PostKind};

const ORGANISATIONS: &str = include_str!("content/organisations.toml");
const PEOPLE: &str = include_str!("content/people.toml");
const POSTS: [&str; 15] = [
    include_str!("content/a1.toml"),
    include_str!("content/a2.toml"),
    include_str!("content/a3.toml"),
    include_str!("content/a4.toml"),
    include_str!("content/a5.toml"),
    include_str!("content/b1.toml"),
    include_str!("content/b2.toml"),
    include_str!("content/b3.toml"),
    include_str!("content/b4.toml"),
    include_str!("content/b5.toml"),
    include_str!("content/c1.toml"),
    include_str!("content/c2.toml"),
    include_str!("content/c3.toml"),
    include_str!("content/c4.toml"),
    include_str!("content/c5.toml"),
];

pub struct Content {
    pub organisations: Vec<WrittenOrganisation>,
    pub people: People,
    /// Mixed, so that neighbours in time differ in theme.
    pub posts: Vec<WrittenPost>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenOrganisation {
    pub code: String,
    pub name: String,
    /// As the taxonomy names types.
    #[serde(rename = "type")]
    pub kind: String,
    pub region: String,
    /// The code of a real integrated care board of the region: the place is as real as the region is.
    pub icb: String,
    pub domain: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    #[serde(default)]
    pub former: Vec<WrittenName>,
}

/// A name that an organisation had.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenName {
    pub name: String,
    pub until: chrono::NaiveDate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    pub names: Vec<String>,
    pub roles: Vec<String>,
    /// What somebody may have experience of, besides topics.
    pub experience: Vec<String>,
    pub pronouns: Vec<String>,
    /// Who of them looks after the house rules.
    moderator: String,
    /// Who of them runs the service.
    administrator: String,
}

impl People {
    pub fn role_of(&self, name: &str) -> Role {
        match name {
            name if name == self.moderator => Role::Moderator,
            name if name == self.administrator => Role::Administrator,
            _ => Role::Member,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenPost {
    pub kind: PostKind,
    pub title: String,
    pub topics: Vec<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    /// When and where an event is.
    pub event: Option<WrittenEvent>,
    pub body: String,
    /// One `>` for each level that a comment is below the first.
    pub comments: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganisationFile {
    organisation: Vec<WrittenOrganisation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostFile {
    post: Vec<WrittenPost>,
}

/// # Errors
/// When a file is not of the form above.
pub fn read() -> Result<Content, String> {
    let wrong = |error: toml::de::Error| format!("the demonstration content can't be read: {error}");
    let organisations: OrganisationFile = toml::from_str(ORGANISATIONS).map_err(wrong)?;
    let people: People = toml::from_str(PEOPLE).map_err(wrong)?;
    let mut posts = Vec::new();
    for file in POSTS {
        let file: PostFile = toml::from_str(file).map_err(wrong)?;
        posts.extend(file.post);
    }
    // A stride that shares no factor with the count visits every post once, far from its neighbours.
    let count = posts.len();
    let stride = (count * 5 / 13..).find(|stride| gcd(*stride, count) == 1).unwrap_or(1);
    let mut slots: Vec<Option<WrittenPost>> = posts.into_iter().map(Some).collect();
    let posts = (0..count).filter_map(|index| slots[index * stride % count].take()).collect();
    Ok(Content { organisations: organisations.organisation, people, posts })
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{
        domain::case_study::problems::Problems,
        domain::event::{Event, TypedEvent},
        domain::post::PostContent,
        domain::tag::TagName,
        domain::text::{COMMENT_MAX, RichText},
        ids::Id,
    };

    #[test]
    fn the_network_is_as_large_as_promised_and_keeps_the_rules() {
        let content = read().unwrap();
        assert_eq!(content.organisations.len(), 60);
        let regions: HashSet<_> =
            content.organisations.iter().map(|organisation| &organisation.region).collect();
        assert_eq!(regions.len(), 7);
        assert_eq!(content.people.names.iter().collect::<HashSet<_>>().len(), 200);
        assert_eq!(content.posts.len(), 300);
        let comments: Vec<&String> = content.posts.iter().flat_map(|post| &post.comments).collect();
        assert!(comments.len() >= 2_000);
        for post in &content.posts {
            let topics = post.topics.iter().map(|slug| Id::of(slug)).collect();
            assert!(PostContent::parse(&post.title, &post.body, topics, true).is_ok(), "{}", post.title);
            let published = "2026-03-02T09:00:00Z".parse().unwrap();
            let event = post.event.as_ref().map(|event| TypedEvent::from(event.event(published, 0)));
            let mut problems = Problems::default();
            Event::read(post.kind, event.as_ref(), None, true, &mut problems);
            TagName::read(&post.tags, &[], &mut problems);
            assert_eq!(problems.into_vec(), [], "{}", post.title);
        }
        assert!(comments.iter().all(|text| RichText::parse("body", text, COMMENT_MAX).is_ok()));
    }
}
