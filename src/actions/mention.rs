//! Mentions: the directory says who they are of.

use std::collections::HashMap;

use crate::{
    app::App,
    domain::{
        member::Member,
        mention::{MAX, mentions, named},
    },
    error::{Code, Problem, Result},
    ids::Id,
};

/// A text whose mentions have been looked up.
pub struct Mentioning {
    /// With the names of the directory.
    pub markdown: String,
    /// Each member once, in the order of the text.
    pub members: Vec<Id<Member>>,
}

/// Looks the mentions of a text up. No store call for a text without any.
///
/// # Errors
/// When the store fails. What is wrong with the mentions is told beside the text, so that it comes
/// with whatever else is to be put right.
pub async fn look_up(app: &App, field: &str, markdown: &str) -> Result<(Mentioning, Option<Problem>)> {
    let found = mentions(markdown);
    let mut members: Vec<Id<Member>> = Vec::new();
    for mention in &found {
        if !members.contains(&mention.member) {
            members.push(mention.member.clone());
        }
    }
    if members.len() > MAX {
        let message = format!("Mention at most {MAX} members. There are {}.", members.len());
        let unchanged = Mentioning { markdown: markdown.to_owned(), members: Vec::new() };
        return Ok((unchanged, Some(Problem::new(field, Code::TooMany, message))));
    }
    let known = app.store.get(&members).await?;
    let names: HashMap<Id<Member>, String> =
        known.into_iter().flatten().map(|member| (member.id, member.name)).collect();
    let problem = members.iter().find(|id| !names.contains_key(id)).map(|id| {
        let message = format!("There is no member {id} to mention.");
        Problem::new(field, Code::Unknown, message)
    });
    Ok((Mentioning { markdown: named(markdown, &found, &names), members }, problem))
}
