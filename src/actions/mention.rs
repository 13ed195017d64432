//! Mentions: the directory says who they are of.

use std::collections::HashMap;

use crate::{
    app::App,
    domain::{
        member::Member,
        mention::{MAX, mentions},
        standing::MemberState,
    },
    error::{Code, Problem, Result},
    ids::Id,
};

/// The members that a text mentions.
#[derive(Default)]
pub struct Mentioned {
    /// Each once, in the order of the text.
    pub members: Vec<Id<Member>>,
    /// As the directory has them.
    pub names: HashMap<Id<Member>, String>,
}

/// Looks the mentions of a text up. No store call for a text without any.
///
/// # Errors
/// When the store fails. What is wrong with the mentions is told beside them, so that it comes with
/// whatever else is to be put right.
pub async fn look_up(app: &App, field: &str, markdown: &str) -> Result<(Mentioned, Option<Problem>)> {
    let mut members: Vec<Id<Member>> = Vec::new();
    for mention in mentions(markdown) {
        if !members.contains(&mention.member) {
            members.push(mention.member);
        }
    }
    if members.len() > MAX {
        let message = format!("Mention at most {MAX} members. There are {}.", members.len());
        return Ok((Mentioned::default(), Some(Problem::new(field, Code::TooMany, message))));
    }
    let known = app.store.get(&members).await?;
    let names: HashMap<Id<Member>, String> = known
        .into_iter()
        .flatten()
        .filter(|member| member.standing.state == MemberState::Active)
        .map(|member| (member.id, member.name))
        .collect();
    let problem = members.iter().find(|id| !names.contains_key(id)).map(|id| {
        let message = format!("There is no member {id} to mention.");
        Problem::new(field, Code::Unknown, message)
    });
    Ok((Mentioned { members, names }, problem))
}
