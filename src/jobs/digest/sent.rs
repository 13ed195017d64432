//! A digest that was sent, read once more: for whom a page is easier to read than a mail.

use futures_util::future::try_join3;

use super::{
    content::{by_id, distinct, sections},
    pool,
    words::{Words, in_words},
};
use crate::{
    app::App,
    domain::{
        comment::Comment,
        digest::{Digest, DigestState, Window, candidate::Spread, choice::What},
        member::Member,
        text::RichText,
    },
    error::Result,
    ids::Id,
    mail::digest as mail,
};

/// What a digest told its member of, as it is now: without what was taken away or moved out of their sight
/// since.
pub struct Sent {
    pub digest: Digest,
    pub note: Option<RichText>,
    pub sections: Vec<mail::Section>,
}

/// A member's own digest; `None` when it is not theirs, was not sent, or is no longer kept.
///
/// # Errors
/// When the store is away.
pub async fn sent(app: &App, member: &Member, id: &Id<Digest>) -> Result<Option<Sent>> {
    let digest = app.store.one(id).await?;
    let theirs = |digest: &Digest| digest.member == member.id && digest.state == DigestState::Sent;
    let Some(digest) = digest.filter(theirs) else { return Ok(None) };
    let (mut comments, mut steps) = (Vec::new(), Vec::new());
    for told in &digest.told {
        match &told.what {
            What::Comment(id) => comments.push(id.clone()),
            What::Adoption(id) => steps.push(id.clone()),
            What::Contribution(_) => {}
        }
    }
    let notes = pool::notes(app, digest.until);
    let (comments, steps, notes) = try_join3(by_id(app, &comments), by_id(app, &steps), notes).await?;
    let adopted = by_id(app, &distinct(steps.values().map(|step| &step.case_study))).await?;
    let spread = steps.values().filter_map(|step| Some(Spread::of(step, adopted.get(&step.case_study)?)));
    let said: Vec<Comment> = comments.into_values().filter(Comment::is_readable).collect();
    let words = Words::load(app, &digest.told, &said, &spread.collect::<Vec<_>>()).await?;
    let told = digest.told.iter();
    let items: Vec<_> =
        told.filter_map(|told| Some((told.section, in_words(app, member, &words, told)?))).collect();
    let window = Window { from: digest.from, until: digest.until };
    let note = notes.into_iter().map(|(note, _)| note).find(|note| note.is_for(window));
    Ok(Some(Sent {
        note: note.and_then(|note| note.text),
        sections: sections(items.iter().map(|(section, words)| (*section, words))),
        digest,
    }))
}
