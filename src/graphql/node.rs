//! Anything that has an id.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Result};

use super::{
    adoption::Adoption, attachment::Attachment, audit::AuditEntry, case_study::CaseStudy, comment::Comment,
    context::Ask, contribution::Contribution, invitation::Invitation, member::Member,
    organisation::Organisation, payload::top, post::Post, report::Report, succession::Succession, tag::Tag,
    thread::Thread, topic::Topic,
};
use crate::{domain, ids::Id};

/// Anything that has an id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID"))]
pub enum Node {
    Post(Post),
    CaseStudy(CaseStudy),
    Adoption(Adoption),
    Attachment(Attachment),
    Thread(Thread),
    Comment(Comment),
    Member(Member),
    Organisation(Organisation),
    Topic(Topic),
    Tag(Tag),
    Report(Report),
    AuditEntry(AuditEntry),
    Invitation(Invitation),
    Succession(Succession),
}

/// What the id belongs to, when there is such a thing and the viewer may see it: the two cases in
/// which there is nothing look the same.
pub async fn find(ctx: &Context<'_>, id: &str) -> Result<Option<Node>> {
    let loaders = ctx.loaders();
    let node = match id.split('_').next().unwrap_or_default() {
        "pst" => match Id::parse(id) {
            Some(id) => Post::visible(ctx, &id).await?.map(Node::Post),
            None => None,
        },
        "cst" => match Id::parse(id) {
            Some(id) => CaseStudy::visible(ctx, &id).await?.map(Node::CaseStudy),
            None => None,
        },
        "adp" => match Id::parse(id) {
            Some(id) => Adoption::visible(ctx, &id).await?.map(Node::Adoption),
            None => None,
        },
        "att" => match Id::parse(id) {
            Some(id) => Attachment::visible(ctx, &id).await?.map(Node::Attachment),
            None => None,
        },
        "thr" => visible_thread(ctx, Id::parse(id)).await?.map(|thread| Node::Thread(Thread(thread))),
        "cmt" => visible_comment(ctx, Id::parse(id)).await?.map(|comment| Node::Comment(Comment(comment))),
        "mbr" => match Id::parse(id) {
            Some(id) => Member::visible(ctx, &id).await?.map(Node::Member),
            None => None,
        },
        "org" => match Id::parse(id) {
            Some(id) => loaders
                .organisation(&id)
                .await
                .map_err(top)?
                .map(|found| Node::Organisation(Organisation(found))),
            None => None,
        },
        "top" => match Id::parse(id) {
            Some(id) => loaders.topic(&id).await.map_err(top)?.map(|topic| Node::Topic(Topic(topic))),
            None => None,
        },
        "tag" => match Id::parse(id) {
            Some(id) => Tag::visible(ctx, &id).await?.map(Node::Tag),
            None => None,
        },
        "rpt" => match Id::parse(id) {
            Some(id) => Report::visible(ctx, &id).await?.map(Node::Report),
            None => None,
        },
        "aud" => match Id::parse(id) {
            Some(id) => AuditEntry::visible(ctx, &id).await?.map(Node::AuditEntry),
            None => None,
        },
        "inv" => match Id::parse(id) {
            Some(id) => Invitation::visible(ctx, &id).await?.map(Node::Invitation),
            None => None,
        },
        "suc" => match Id::parse(id) {
            Some(id) => Succession::visible(ctx, &id).await?.map(Node::Succession),
            None => None,
        },
        _ => None,
    };
    Ok(node)
}

/// The thread, when the viewer may see what it discusses.
pub async fn visible_thread(
    ctx: &Context<'_>,
    id: Option<Id<domain::thread::Thread>>,
) -> Result<Option<Arc<domain::thread::Thread>>> {
    let Some(id) = id else { return Ok(None) };
    let Some(thread) = ctx.loaders().thread(&id).await.map_err(top)? else {
        return Ok(None);
    };
    Ok(Contribution::visible(ctx, &thread.subject).await?.map(|_| thread))
}

/// The comment as the viewer sees it, when they see its thread.
pub async fn visible_comment(
    ctx: &Context<'_>,
    id: Option<Id<domain::comment::Comment>>,
) -> Result<Option<Arc<domain::comment::Comment>>> {
    let Some(id) = id else { return Ok(None) };
    let Some(comment) = ctx.loaders().comment(&id).await.map_err(top)? else {
        return Ok(None);
    };
    Ok(visible_thread(ctx, Some(comment.thread.clone())).await?.map(|_| comment))
}

/// The nodes with these ids, in this order.
pub async fn find_all(ctx: &Context<'_>, ids: &[ID]) -> Result<Vec<Option<Node>>> {
    futures_util::future::try_join_all(ids.iter().map(|id| find(ctx, id))).await
}
