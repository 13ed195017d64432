//! The e-mail about what a member was told of a thread and has not read: one for all that came while it
//! was held.

use std::collections::HashMap;

use super::Failure;
use crate::{
    actions::{contribution, digest::unsubscribe_link_of},
    app::App,
    domain::{
        comment::Comment,
        contribution::Contribution,
        member::Member,
        notification::{Delivery, Kind, Notification},
        thread::Thread,
    },
    error::{Error, Result},
    ids::Id,
    mail::{
        List, Message,
        notification::{NotificationMail, Part},
    },
    query::{Order, Page},
    store::{Batch, Guard},
};

/// Kinds of notifications that a thread can have, with room for more kinds.
const IN_THREAD: usize = 20;

/// Tells a member by e-mail what they have not read of a thread, unless they read it meanwhile, were told
/// already, or may no longer see it.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn send(app: &App, member: &Id<Member>, thread: &Id<Thread>) -> Result<Batch, Failure> {
    let unread =
        app.store.find(Notification::unread_in(member, thread), Order::by_id(), Page::first(IN_THREAD));
    let mut due: Vec<Notification> = unread.await?;
    due.retain(Notification::is_to_mail);
    let (Some(member), false) = (app.store.one(member).await?, due.is_empty()) else {
        tracing::info!(%thread, "skipped: it was read, or told already");
        return Ok(Batch::new());
    };
    // What is added while the mail is on its way counts up further, and has a job of its own.
    let told = due.iter().fold(Batch::new(), |batch, due| {
        batch.patch(&due.id, Guard::Present, [Notification::MAILED.set(due.to_mail)])
    });
    due.retain(|due| member.notifications.of(due.kind) == Delivery::EmailAtOnce);
    due.sort_by_key(|due| due.kind);
    let Some(message) = compose(app, &member, &due).await? else {
        tracing::info!(%thread, "skipped: it is not wanted by e-mail, or can no longer be seen");
        return Ok(told);
    };
    app.mailer.send(&message).await?;
    Ok(told)
}

async fn compose(app: &App, member: &Member, due: &[Notification]) -> Result<Option<Message>> {
    let Some(first) = due.first() else { return Ok(None) };
    let subject = contribution::find(app, &first.subject).await?.filter(|subject| subject.can_see(member));
    let Some(subject) = subject else { return Ok(None) };
    let (names, comments) = what_it_names(app, due).await?;
    let part = |due: &Notification| part(app, member, due, &subject, &names, &comments);
    let (kinds, parts): (Vec<Kind>, Vec<Part>) = due.iter().filter_map(part).unzip();
    let (Some(kind), Some(strongest)) = (kinds.first(), parts.first()) else { return Ok(None) };
    let (config, network) = (&app.config, &app.config.network.name);
    let mail = NotificationMail {
        network: network.clone(),
        team: config.network.team.clone(),
        subject: match parts.as_slice() {
            [only] => only.sentence.clone(),
            _ => format!("{}, and more", strongest.sentence),
        },
        title: subject.title().to_owned(),
        url: config.link(&subject.path()),
        home_url: config.link("/"),
        parts,
    };
    let (text, html) = mail.render_both().map_err(Error::Fault)?;
    let told: i64 = due.iter().map(|due| due.to_mail).sum();
    Ok(Some(Message {
        to: member.email.clone(),
        to_name: member.name.clone(),
        subject: mail.subject,
        text,
        html,
        message_id: format!("{}-{told}@{}", first.id, config.host()),
        list: Some(List {
            id: format!("{}.{}", kind.slug(), config.host()),
            unsubscribe_url: unsubscribe_link_of(app, &member.id, *kind),
            unsubscribe_mailto: format!(
                "mailto:{}?subject=Stop%20e-mails%20of%20notifications",
                config.mail_from.reply_to
            ),
        }),
    }))
}

/// The names of those who did it, and the comments that it is about.
async fn what_it_names(
    app: &App,
    due: &[Notification],
) -> Result<(HashMap<Id<Member>, String>, HashMap<Id<Comment>, Comment>)> {
    let actors: Vec<Id<Member>> = due.iter().flat_map(|due| due.actors.clone()).collect();
    let comments: Vec<Id<Comment>> = due.iter().filter_map(|due| due.comment.clone()).collect();
    let (actors, comments) =
        futures_util::future::try_join(app.store.get(&actors), app.store.get(&comments)).await?;
    let names = actors.into_iter().flatten().map(|member| (member.id, member.name)).collect();
    let there = comments.into_iter().flatten().filter(|comment| !comment.is_deleted());
    Ok((names, there.map(|comment| (comment.id.clone(), comment)).collect()))
}

/// `None` when what it tells of is gone.
fn part(
    app: &App,
    member: &Member,
    due: &Notification,
    subject: &Contribution,
    names: &HashMap<Id<Member>, String>,
    comments: &HashMap<Id<Comment>, Comment>,
) -> Option<(Kind, Part)> {
    let summary = match &due.comment {
        Some(comment) => comments.get(comment)?.body.as_ref()?.summary.clone(),
        None => subject.summary().to_owned(),
    };
    let actors: Vec<&str> =
        due.actors.iter().filter_map(|actor| names.get(actor)).map(String::as_str).collect();
    let new = due.to_mail - due.mailed;
    let part = Part {
        sentence: due.sentence(&actors, subject.title(), new),
        summary,
        about: due.kind.about(),
        unsubscribe_url: unsubscribe_link_of(app, &member.id, due.kind),
    };
    Some((due.kind, part))
}
