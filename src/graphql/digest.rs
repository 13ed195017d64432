//! Digests: when they come, what would be in one now, what was sent, and what moderators say in them.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};

use super::{
    comment::Comment,
    context::{Ask, request},
    contribution::{Contribution, RichText},
    member::{Member, Weekday},
    moderation::moderator,
    payload::{payload, top},
};
use crate::{
    actions::digest::{note, preferences},
    clock::Timestamp,
    domain::{
        calendar::Date,
        digest::{
            self as domain, DigestState,
            choice::{Section, What},
        },
        member::{self, DigestFrequency},
        sight::Seen,
    },
    jobs::digest as job,
};

/// When the digest arrives.
#[derive(SimpleObject)]
pub struct DigestPreferences {
    pub frequency: DigestFrequency,
    pub weekday: Weekday,
    /// In London, for example 07:30.
    pub time: String,
    /// No digest comes before this day; the one that comes then covers the pause.
    pub paused_until: Option<Date>,
    /// When the next one is planned; none when digests are off.
    pub next_at: Option<Timestamp>,
}

impl DigestPreferences {
    pub fn of(member: &member::Member) -> Self {
        let digest = &member.digest;
        Self {
            frequency: digest.frequency,
            weekday: Weekday::from(digest.weekday),
            time: format!("{:02}:{:02}", digest.minute / 60, digest.minute % 60),
            paused_until: digest.paused_until,
            next_at: member.digest_due_at,
        }
    }
}

/// The digest that a member would get if it were due now.
#[derive(SimpleObject)]
pub struct DigestPreview {
    /// After this moment…
    pub from: Timestamp,
    /// …and up to this one.
    pub until: Timestamp,
    pub subject: String,
    pub html: String,
    pub text: String,
    /// In reading order.
    pub items: Vec<DigestPreviewItem>,
    /// Whether there is more than fits.
    pub more: bool,
}

/// Something in a digest.
#[derive(SimpleObject)]
pub struct DigestPreviewItem {
    pub section: Section,
    /// The id of the contribution, the comment, or the record of adoption.
    pub about_id: ID,
    pub title: String,
    pub summary: String,
    pub url: String,
    /// Why it is there, as the member reads it.
    pub why: String,
    /// How it compares with others of its section; the best come first.
    pub score: f64,
    /// What made up the score, besides age.
    pub reasons: Vec<DigestReason>,
}

/// A reason for which something is in a digest, and how much it counts.
#[derive(SimpleObject)]
pub struct DigestReason {
    /// `EXPERIENCE`, `FOLLOWS`, `SAME_TYPE`, `SAME_ICB` or `SAME_REGION`.
    pub reason: &'static str,
    /// The topic, tag, member or organisation that it is about.
    pub about_id: Option<ID>,
    pub points: f64,
}

impl DigestPreview {
    fn of(preview: job::Preview) -> Self {
        let job::Preview { window, content, message } = preview;
        let items = content.items.into_iter().map(|(item, words)| {
            let reasons = item.reasons.iter().map(|reason| DigestReason {
                reason: reason.name(),
                about_id: reason.target().map(|target| target.as_str().into()),
                points: reason.points(),
            });
            DigestPreviewItem {
                section: item.section,
                about_id: item.what.as_str().into(),
                title: words.title,
                summary: words.summary,
                url: words.url,
                why: words.why,
                score: item.score,
                reasons: reasons.collect(),
            }
        });
        Self {
            from: window.from,
            until: window.until,
            subject: message.subject,
            html: message.html,
            text: message.text,
            items: items.collect(),
            more: content.more,
        }
    }

    /// What `member` would get.
    pub async fn load(ctx: &Context<'_>, member: &member::Member) -> Result<Option<Self>> {
        let preview = Box::pin(job::preview(ctx.app(), member)).await.map_err(top)?;
        Ok(preview.map(Self::of))
    }
}

/// A digest that was sent, or what became of it.
pub struct Digest(pub Arc<domain::Digest>);

/// A digest that was sent, or what became of it.
#[Object]
impl Digest {
    async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    async fn member(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.member).await
    }

    /// It covers what happened after this moment…
    async fn from(&self) -> Timestamp {
        self.0.from
    }

    /// …and up to this one, when it was due.
    async fn until(&self) -> Timestamp {
        self.0.until
    }

    async fn state(&self) -> DigestState {
        self.0.state
    }

    async fn sent_at(&self) -> Option<Timestamp> {
        self.0.sent_at
    }

    /// What was in it, in reading order; nothing before it was sent.
    async fn items(&self) -> Vec<DigestItem> {
        self.0.told.iter().cloned().map(DigestItem).collect()
    }
}

/// Something that a digest told of.
pub struct DigestItem(domain::Told);

/// Something that a digest told of.
#[Object]
impl DigestItem {
    async fn section(&self) -> Section {
        self.0.section
    }

    async fn score(&self) -> f64 {
        self.0.score
    }

    /// The id of the contribution, the comment, or the record of adoption.
    async fn about_id(&self) -> ID {
        self.0.what.as_str().into()
    }

    /// The contribution, where it told of one that can still be seen.
    async fn contribution(&self, ctx: &Context<'_>) -> Result<Option<Contribution>> {
        match &self.0.what {
            What::Contribution(id) => Contribution::visible(ctx, id).await,
            What::Comment(_) | What::Adoption(_) => Ok(None),
        }
    }

    /// The comment, where it told of one that can still be read.
    async fn comment(&self, ctx: &Context<'_>) -> Result<Option<Comment>> {
        let What::Comment(id) = &self.0.what else { return Ok(None) };
        let comment = ctx.loaders().comment(id).await.map_err(top)?;
        Ok(comment.filter(|comment| comment.can_see(ctx.viewer())).map(Comment))
    }
}

/// What moderators say at the top of a week's digests, and what they put there.
pub struct EditorsNote(pub domain::note::Note);

/// What moderators say at the top of a week's digests, and what they put there.
#[Object]
impl EditorsNote {
    async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// The Monday with which the week begins.
    async fn week(&self) -> Date {
        self.0.week
    }

    async fn version(&self) -> i64 {
        self.0.version
    }

    async fn text(&self) -> Option<RichText> {
        self.0.text.as_ref().map(RichText::from)
    }

    /// None also when it can no longer be seen: then digests leave it out.
    async fn pinned(&self, ctx: &Context<'_>) -> Result<Option<Contribution>> {
        match &self.0.pinned {
            Some(id) => Contribution::visible(ctx, id).await,
            None => Ok(None),
        }
    }

    async fn updated_at(&self) -> Timestamp {
        self.0.updated_at
    }
}

impl EditorsNote {
    /// Those of the weeks around today, the latest week first.
    pub async fn around_now(ctx: &Context<'_>) -> Result<Vec<Self>> {
        let notes = note::around_now(ctx.app(), &moderator(ctx)?).await.map_err(top)?;
        Ok(notes.into_iter().map(Self).collect())
    }
}

#[derive(Clone, InputObject)]
pub struct UpdateDigestPreferencesInput {
    frequency: Option<DigestFrequency>,
    weekday: Option<Weekday>,
    /// In London, for example 07:30.
    time: Option<String>,
    /// No digest comes before this day, at most a year ahead; null ends a pause.
    paused_until: MaybeUndefined<Date>,
    client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct SetEditorsNoteInput {
    /// Any day of the week: this one, or one of the next 8.
    week: Date,
    /// Of the note that is there; 0 for the first.
    expected_version: i64,
    /// At most 600 characters of Markdown; null takes it away.
    text: MaybeUndefined<String>,
    /// A post or a case study that is published; null takes it off.
    pinned_id: MaybeUndefined<ID>,
    /// Says that the author has looked at the places that seem to identify a person (the error
    /// `PERSONAL_DATA` with the severity `WARN`), and that no patient is meant.
    #[graphql(default)]
    acknowledge_personal_data: bool,
    client_mutation_id: Option<String>,
}

payload!(UpdateDigestPreferencesPayload { preferences: DigestPreferences });
payload!(SetEditorsNotePayload { editors_note: EditorsNote });

#[derive(Default)]
pub struct DigestMutation;

#[Object]
impl DigestMutation {
    /// Chooses when the viewer's digests come. Nothing is left out or told twice because of it.
    async fn update_digest_preferences(
        &self,
        ctx: &Context<'_>,
        input: UpdateDigestPreferencesInput,
    ) -> Result<UpdateDigestPreferencesPayload> {
        let request = request("updateDigestPreferences", &input, input.client_mutation_id.as_ref());
        let changes = preferences::Changes {
            frequency: input.frequency,
            weekday: input.weekday.map(Into::into),
            time: input.time,
            paused_until: input.paused_until,
        };
        let member = preferences::update(ctx.app(), ctx.viewer(), &changes, &request).await;
        UpdateDigestPreferencesPayload::of(member, input.client_mutation_id, |member| {
            DigestPreferences::of(&member)
        })
    }

    /// Says something at the top of a week's digests, or puts a contribution there: for moderators.
    async fn set_editors_note(
        &self,
        ctx: &Context<'_>,
        input: SetEditorsNoteInput,
    ) -> Result<SetEditorsNotePayload> {
        let request = request("setEditorsNote", &input, input.client_mutation_id.as_ref());
        let changes = note::Changes {
            text: input.text,
            pinned: input.pinned_id.map_value(|id| id.0),
            acknowledged: input.acknowledge_personal_data.into(),
        };
        let moderator = moderator(ctx)?;
        let set = note::set(ctx.app(), &moderator, input.week, input.expected_version, &changes, &request);
        SetEditorsNotePayload::of(set.await, input.client_mutation_id, EditorsNote)
    }
}
