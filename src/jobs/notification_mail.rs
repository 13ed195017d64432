//! The e-mail about what a member was told of a thread and has not read: one for all that came while it
//! was held.

use std::collections::HashMap;

use super::Failure;
use crate::{
    actions::{contribution, digest::unsubscribe::unsubscribe_link_of, mailbox::suppressing},
    app::App,
    domain::{
        audit::AuditEntry,
        comment::Comment,
        contribution::Contribution,
        mailbox::SuppressionReason,
        member::Member,
        notification::{Delivery, Kind, Notification},
        sight::Seen,
        thread::Thread,
    },
    error::{Error, Result},
    ids::Id,
    mail::{
        List, MailError, Message,
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
    let gets_mail = member.gets_mail(app.clock.now());
    due.retain(|due| gets_mail && member.notifications.of(due.kind) == Delivery::EmailAtOnce);
    due.sort_by_key(|due| due.kind);
    let Some(message) = compose(app, &member, &due).await? else {
        tracing::info!(%thread, "skipped: it is not wanted by e-mail, or can no longer be seen");
        return Ok(told);
    };
    match app.mailer.send(&message).await {
        Ok(()) => Ok(told),
        Err(MailError::NoMailbox(code)) => {
            tracing::warn!(member = %member.id, code, "an e-mail of news bounced");
            Ok(told.and(suppressing(app, &member.id, SuppressionReason::HardBounce, Some(&code))))
        }
        Err(error) => Err(error.into()),
    }
}

async fn compose(app: &App, member: &Member, due: &[Notification]) -> Result<Option<Message>> {
    let Some(first) = due.first() else { return Ok(None) };
    let subject = match &first.subject {
        Some(id) => contribution::find(app, id).await?,
        None => None,
    };
    // What is hidden is not sent about, to its author neither: it may be what must not be in a mailbox.
    let subject = subject.filter(|subject| subject.is_published() && subject.can_see(member));
    let named = Named::by(app, due).await?;
    let part = |due: &Notification| named.part(app, member, due, subject.as_ref());
    let (kinds, parts): (Vec<Kind>, Vec<Part>) = due.iter().filter_map(part).unzip();
    let (Some(kind), Some(strongest)) = (kinds.first(), parts.first()) else { return Ok(None) };
    let answers = kinds.iter().any(|kind| kind.is_answered());
    let (config, network) = (&app.config, &app.config.network.name);
    let mail = NotificationMail {
        network: network.clone(),
        team: config.network.team.clone(),
        subject: match parts.as_slice() {
            [only] => only.sentence.clone(),
            _ => format!("{}, and more", strongest.sentence),
        },
        title: subject.as_ref().map_or(network.as_str(), |subject| subject.title()).to_owned(),
        url: config.link(&subject.as_ref().map(Contribution::path).unwrap_or_default()),
        link: if answers { "Read and answer it" } else { "Read it" },
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

/// What notifications name: those who did it, the comments that it is about, and moderators' acts.
struct Named {
    actors: HashMap<Id<Member>, String>,
    comments: HashMap<Id<Comment>, Comment>,
    acts: HashMap<Id<AuditEntry>, AuditEntry>,
}

impl Named {
    async fn by(app: &App, due: &[Notification]) -> Result<Self> {
        let actors: Vec<Id<Member>> = due.iter().flat_map(|due| due.actors.clone()).collect();
        let comments: Vec<Id<Comment>> = due.iter().filter_map(|due| due.comment.clone()).collect();
        let acts: Vec<Id<AuditEntry>> = due.iter().filter_map(|due| due.entry.clone()).collect();
        let store = &app.store;
        let (actors, comments, acts) =
            futures_util::future::try_join3(store.get(&actors), store.get(&comments), store.get(&acts))
                .await?;
        let readable = comments.into_iter().flatten().filter(Comment::is_readable);
        Ok(Self {
            actors: actors.into_iter().flatten().map(|member| (member.id, member.name)).collect(),
            comments: readable.map(|comment| (comment.id.clone(), comment)).collect(),
            acts: acts.into_iter().flatten().map(|act| (act.id.clone(), act)).collect(),
        })
    }

    /// `None` when what it tells of is gone.
    fn part(
        &self,
        app: &App,
        member: &Member,
        due: &Notification,
        subject: Option<&Contribution>,
    ) -> Option<(Kind, Part)> {
        let (sentence, summary) = match &due.entry {
            Some(entry) => {
                let act = self.acts.get(entry)?;
                (act.sentence(subject.map(Contribution::title)), act.reason.clone().unwrap_or_default())
            }
            None => self.news(due, subject?)?,
        };
        let unsubscribe_url = unsubscribe_link_of(app, &member.id, due.kind);
        Some((due.kind, Part { sentence, summary, about: due.kind.about(), unsubscribe_url }))
    }

    fn news(&self, due: &Notification, subject: &Contribution) -> Option<(String, String)> {
        let summary = match &due.comment {
            Some(comment) => self.comments.get(comment)?.body.as_ref()?.summary.clone(),
            None => subject.summary().to_owned(),
        };
        let names = due.actors.iter().filter_map(|actor| self.actors.get(actor));
        let names: Vec<&str> = names.map(String::as_str).collect();
        Some((due.sentence(&names, subject.title(), due.to_mail - due.mailed), summary))
    }
}
