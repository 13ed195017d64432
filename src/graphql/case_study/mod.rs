//! Case studies: the whole template, field by field.

mod input;
mod mutation;
mod parts;

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

pub use self::input::CaseStudyFilterInput;
pub use self::mutation::CaseStudyMutation;
pub use self::parts::Contact;
use self::parts::{
    AlwaysEvent, CarersLens, HealthInequalityLens, Involvement, Measure, NamedOrganisation, Permissions,
    Quote, Sustainability, term, terms,
};
use super::{
    adoption::{Adoption, AdoptionStep},
    attachment::Attachment,
    bookmark::bookmarked,
    connection::{Connection, Fetched, connect},
    context::Ask,
    contribution::{RichText, hidden_because, is_pinned, topics_of},
    member::Member,
    organisation::Organisation,
    payload::top,
    reaction::Reaction,
    revision::Revision,
    tag::Tag,
    thread::Thread,
    topic::Topic,
};
use crate::{
    actions::{adoption as adoptions, page::Wanted, revision},
    clock::Timestamp,
    domain::{
        bookmark::Bookmarkable,
        calendar::{Date, YearMonth},
        case_study::{
            self as domain,
            measure::TypedMeasure,
            parts::{CostBand, Status},
        },
        contribution::{ContributionId, ShownState, State, tombstone},
        entry::{AdoptionCounts, Entry},
        sight::Seen,
        taxonomy::{List, Term},
    },
    ids::Id,
};

/// The structured record of an improvement.
#[derive(Clone)]
pub struct CaseStudy(pub Arc<domain::CaseStudy>);

fn rich(text: Option<&crate::domain::text::RichText>) -> Option<RichText> {
    text.map(Into::into)
}

/// The structured record of an improvement. In a draft, whatever is not written yet is null or empty.
#[Object]
impl CaseStudy {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }
    /// Where people read it.
    pub async fn url(&self, ctx: &Context<'_>) -> String {
        ctx.app().config.link(&format!("/case-studies/{}", self.0.id))
    }
    pub async fn state(&self, ctx: &Context<'_>) -> ShownState {
        self.0.shown_state(ctx.app().clock.now())
    }
    pub async fn title(&self) -> &str {
        &self.0.content.title
    }
    /// The summary's beginning, on one line of at most 240 characters.
    pub async fn summary(&self) -> &str {
        self.0.summary()
    }
    /// Problem, action, result.
    async fn full_summary(&self) -> Option<RichText> {
        rich(self.0.content.summary.as_ref())
    }
    /// Who began it.
    pub async fn author(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.author).await
    }
    /// Where the author worked when they began it.
    pub async fn organisation(&self, ctx: &Context<'_>) -> Result<Option<Organisation>> {
        Organisation::load(ctx, self.0.organisation.as_ref()).await
    }
    /// Others who may edit it, from whatever organisation.
    async fn co_authors(&self, ctx: &Context<'_>) -> Result<Vec<Member>> {
        let found = self.0.co_authors.iter().map(|id| ctx.loaders().member(id));
        let found = futures_util::future::try_join_all(found).await.map_err(top)?;
        Ok(found.into_iter().flatten().map(Member).collect())
    }
    async fn lead_organisation(&self) -> Option<NamedOrganisation> {
        self.0.content.lead_organisation.clone().map(NamedOrganisation)
    }
    async fn partner_organisations(&self) -> Vec<NamedOrganisation> {
        self.0.content.partner_organisations.iter().cloned().map(NamedOrganisation).collect()
    }
    async fn settings(&self) -> Vec<Term> {
        terms(List::Settings, &self.0.content.settings)
    }
    pub async fn topics(&self, ctx: &Context<'_>) -> Result<Vec<Topic>> {
        topics_of(ctx, &self.0.content.topics).await
    }
    /// Words that its authors chose freely.
    pub async fn tags(&self, ctx: &Context<'_>) -> Result<Vec<Tag>> {
        Tag::all_named(ctx, &self.0.content.tags).await
    }
    async fn themes(&self) -> Vec<Term> {
        terms(List::Themes, &self.0.content.themes)
    }
    /// How far the improvement has come.
    async fn status(&self) -> Option<Status> {
        self.0.content.status
    }
    async fn start(&self) -> Option<YearMonth> {
        self.0.content.start
    }
    async fn end(&self) -> Option<YearMonth> {
        self.0.content.end
    }
    async fn problem(&self) -> Option<RichText> {
        rich(self.0.content.problem.as_ref())
    }
    /// What matters to people.
    async fn what_matters(&self) -> Option<RichText> {
        rich(self.0.content.what_matters.as_ref())
    }
    async fn feedback_sources(&self) -> Vec<Term> {
        terms(List::FeedbackSources, &self.0.content.feedback_sources)
    }
    async fn aim(&self) -> Option<RichText> {
        rich(self.0.content.aim.as_ref())
    }
    /// The main improvement method.
    async fn method(&self) -> Option<Term> {
        self.0.content.method.as_deref().map(|slug| term(List::Methods, slug))
    }
    async fn other_methods(&self) -> Vec<Term> {
        terms(List::Methods, &self.0.content.other_methods)
    }
    /// The block of an Always Event®.
    async fn always_event(&self) -> Option<AlwaysEvent> {
        self.0.content.always_event.clone().map(Into::into)
    }
    async fn what_we_did(&self) -> Option<RichText> {
        rich(self.0.content.what_we_did.as_ref())
    }
    /// Files that belong to it, in its order.
    pub async fn attachments(&self, ctx: &Context<'_>) -> Result<Vec<Attachment>> {
        Attachment::load_all(ctx, &self.0.attachments).await
    }
    /// How the people who use the service took part.
    async fn involvement(&self) -> Involvement {
        (&self.0.content.involvement).into()
    }
    async fn carers_lens(&self) -> CarersLens {
        (&self.0.content.carers_lens).into()
    }
    async fn health_inequality_lens(&self) -> HealthInequalityLens {
        (&self.0.content.health_inequality_lens).into()
    }
    /// What was measured before and after. Whoever reads them, numbers from 1 to 4 people are
    /// suppressed.
    async fn measures(&self) -> Vec<Measure> {
        self.0.content.measures.iter().map(Into::into).collect()
    }
    /// The measures as they were typed, small numbers included, for a form to edit: none to anybody but
    /// the authors.
    async fn typed_measures(&self, ctx: &Context<'_>) -> Option<Vec<TypedMeasure>> {
        let own = self.0.is_author(&ctx.viewer().id);
        own.then(|| self.0.content.measures.iter().map(domain::measure::Measure::typed).collect())
    }
    async fn no_measures_because(&self) -> Option<RichText> {
        rich(self.0.content.no_measures_because.as_ref())
    }
    async fn quotes(&self) -> Vec<Quote> {
        self.0.content.quotes.iter().cloned().map(Into::into).collect()
    }
    async fn staff_impact(&self) -> Option<RichText> {
        rich(self.0.content.staff_impact.as_ref())
    }
    async fn unintended_effects(&self) -> Option<RichText> {
        rich(self.0.content.unintended_effects.as_ref())
    }
    async fn cost(&self) -> Option<CostBand> {
        self.0.content.cost
    }
    async fn staff_time(&self) -> Option<&str> {
        self.0.content.staff_time.as_deref()
    }
    async fn what_worked(&self) -> Option<RichText> {
        rich(self.0.content.what_worked.as_ref())
    }
    async fn what_did_not(&self) -> Option<RichText> {
        rich(self.0.content.what_did_not.as_ref())
    }
    /// Advice to others.
    async fn advice(&self) -> Option<RichText> {
        rich(self.0.content.advice.as_ref())
    }
    async fn sustainability(&self) -> Sustainability {
        self.0.content.sustainability.clone().into()
    }
    async fn framework_section(&self) -> Option<Term> {
        self.0.content.framework_section.as_deref().map(|slug| term(List::FrameworkSections, slug))
    }
    async fn references(&self) -> &[String] {
        &self.0.content.references
    }
    /// Whether a company or another sponsor paid for any of it.
    async fn sponsored(&self) -> Option<bool> {
        self.0.content.sponsored
    }
    async fn contact(&self) -> Contact {
        Contact(self.0.content.contact.clone())
    }
    async fn permissions(&self) -> Permissions {
        self.0.content.permissions.clone().into()
    }
    /// From this day on it may be out of date.
    async fn review_date(&self) -> Option<Date> {
        self.0.content.review_date
    }
    /// The discussion under it.
    pub async fn thread(&self, ctx: &Context<'_>) -> Result<Thread> {
        Thread::load(ctx, &self.0.thread).await
    }
    /// Whether the viewer wants to find it again.
    pub async fn bookmarked(&self, ctx: &Context<'_>) -> Result<bool> {
        bookmarked(ctx, Bookmarkable::Contribution((&self.0.id).into())).await
    }

    /// How often members reacted, a kind each.
    pub async fn reactions(&self, ctx: &Context<'_>) -> Result<Vec<Reaction>> {
        let entry = self.entry(ctx).await?;
        Ok(Reaction::all(&self.0.id, entry.map(|entry| entry.reactions).unwrap_or_default()))
    }
    /// What it said before and after each edit, latest first; none when it was never edited since it
    /// was published. A change of measures is told without its figures.
    pub async fn revisions(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Revision>> {
        connect(ctx, revision::of(ctx.viewer(), &*self.0), Wanted { first, last, after, before }, Revision)
            .await
    }
    pub async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }
    /// When it was first published; a draft has none.
    pub async fn published_at(&self) -> Option<Timestamp> {
        self.0.published_at
    }
    pub async fn updated_at(&self) -> Timestamp {
        self.0.updated_at
    }
    /// Who wrote this version.
    async fn updated_by(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.updated_by).await
    }
    /// What `expectedVersion` is compared with.
    pub async fn version(&self) -> i64 {
        self.0.version
    }
    pub async fn viewer_can_edit(&self, ctx: &Context<'_>) -> bool {
        self.0.can_edit(ctx.viewer())
    }
    /// Among the few that moderators want everybody to see first.
    pub async fn pinned(&self, ctx: &Context<'_>) -> Result<bool> {
        is_pinned(ctx, &(&self.0.id).into()).await
    }

    /// What stands in its place when it was hidden or deleted: a sentence for a person.
    pub async fn tombstone(&self) -> Option<String> {
        tombstone(self.0.state, self.0.removed.as_ref())
    }

    /// Why it is hidden: for its authors and moderators.
    pub async fn hidden_because(&self) -> Option<&str> {
        hidden_because(self.0.removed.as_ref())
    }

    /// Whether moderators' acts on it are open to the viewer.
    pub async fn viewer_can_moderate(&self, ctx: &Context<'_>) -> bool {
        ctx.viewer().moderates() && self.0.state != State::Draft
    }
    /// How many organisations stand where with it.
    async fn adoption_summary(&self, ctx: &Context<'_>) -> Result<AdoptionCounts> {
        let entry = self.entry(ctx).await?;
        Ok(entry.map(|entry| entry.adoptions).unwrap_or_default())
    }
    /// The current records of other organisations, last changed first.
    async fn adoptions(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Adoption>> {
        let wanted = Wanted { first, last, after, before };
        connect(ctx, adoptions::of_case_study(ctx.viewer(), &self.0), wanted, Adoption).await
    }
    /// Everything that organisations ever recorded, latest first.
    async fn adoption_timeline(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<AdoptionStep>> {
        let wanted = Wanted { first, last, after, before };
        connect(ctx, adoptions::timeline(ctx.viewer(), &self.0), wanted, AdoptionStep).await
    }
}

impl CaseStudy {
    /// The case study as the viewer sees it, when they do.
    pub async fn visible(ctx: &Context<'_>, id: &Id<domain::CaseStudy>) -> Result<Option<Self>> {
        Ok(ctx.loaders().case_study(id).await.map_err(top)?.map(Self))
    }

    /// What an action made of it, as far as the viewer sees it.
    fn left(ctx: &Context<'_>, case_study: domain::CaseStudy) -> Self {
        case_study.left_for(ctx.viewer()).into()
    }

    /// What others made of it: nothing, for those who may not read it.
    async fn entry(&self, ctx: &Context<'_>) -> Result<Option<Arc<Entry>>> {
        if !self.0.can_see(ctx.viewer()) {
            return Ok(None);
        }
        let id = Entry::id_of(&ContributionId::from(&self.0.id));
        ctx.loaders().entry(&id).await.map_err(top)
    }

    /// What the entries of a page are of, loaded together. One that went a moment ago is left out.
    pub async fn of_entries(ctx: &Context<'_>, page: &Fetched<Entry>) -> Result<Vec<Option<Self>>> {
        ctx.loaders().know_entries(page.documents());
        let found = page.documents().iter().map(async |entry| match &entry.contribution {
            ContributionId::CaseStudy(id) => Self::visible(ctx, id).await,
            ContributionId::Post(_) => Ok(None),
        });
        futures_util::future::try_join_all(found).await
    }
}

impl From<domain::CaseStudy> for CaseStudy {
    fn from(case_study: domain::CaseStudy) -> Self {
        Self(Arc::new(case_study))
    }
}
