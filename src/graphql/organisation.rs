//! Organisations.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};

use super::{
    adoption::Adoption,
    case_study::CaseStudy,
    connection::{Connection, connect, fetch},
    context::{Ask, request},
    follow::stance,
    member::Member,
    payload::{payload, top},
    topic::Topic,
};
use crate::{
    actions::{
        access::Administrator,
        adoption::of_organisation,
        case_study::{self as case_studies, CaseStudyFilter, CaseStudyOrder},
        organisation::{self as action, Changes, OrganisationFilter},
        page::Wanted,
        peer as peers,
    },
    domain::{
        calendar::Date,
        directory::DirectoryEntry,
        follow::{Stance, Target},
        organisation as domain,
        place::Place,
        profile::PeerFilter,
        taxonomy::{Region, Taxonomy, Term},
    },
    error::{Error, not_found},
    ids::Id,
};

/// A trust, an integrated care board or another organisation.
#[derive(Clone)]
pub struct Organisation(pub Arc<domain::Organisation>);

/// A trust, an integrated care board or another organisation.
#[Object]
impl Organisation {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// Its code in the Organisation Data Service.
    async fn code(&self) -> &str {
        self.0.code.as_str()
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Names by which it is also known.
    async fn aliases(&self) -> &[String] {
        &self.0.aliases
    }

    /// Names that it had, oldest first.
    async fn former_names(&self) -> Vec<FormerName> {
        let former = self.0.former_names.iter();
        former.map(|one| FormerName { name: one.name.clone(), until: one.until.map(Date) }).collect()
    }

    #[graphql(name = "type")]
    async fn kind(&self) -> Result<Option<Term>> {
        let taxonomy = taxonomy()?;
        Ok(self.0.kind.as_deref().map(|slug| taxonomy.organisation_type(slug)))
    }

    /// None for organisations outside England.
    async fn region(&self) -> Result<Option<Region>> {
        let taxonomy = taxonomy()?;
        let known = |code: &String| {
            let unnamed = || Region { code: code.clone(), name: code.clone() };
            taxonomy.region(code).cloned().unwrap_or_else(unnamed)
        };
        Ok(self.0.region.as_ref().map(known))
    }

    /// The code of its integrated care board.
    async fn icb_code(&self) -> Option<&str> {
        self.0.icb.as_deref()
    }

    /// Its integrated care board; itself, if it is one.
    async fn icb(&self, ctx: &Context<'_>) -> Result<Option<IntegratedCareBoard>> {
        let Some(code) = self.0.icb.clone() else { return Ok(None) };
        let id = DirectoryEntry::id_of(&code);
        let entry = ctx.loaders().directory_entry(&id).await.map_err(top)?;
        Ok(Some(IntegratedCareBoard { code, entry }))
    }

    async fn opened(&self) -> Option<Date> {
        self.0.opened.map(Date)
    }

    /// Its last day, which may be to come.
    async fn closed(&self) -> Option<Date> {
        self.0.closed.map(Date)
    }

    /// Into what it was merged or split.
    async fn successors(&self, ctx: &Context<'_>) -> Result<Vec<Self>> {
        Self::load_all(ctx, &self.0.successors).await
    }

    /// Domains of its e-mail addresses: for administrators.
    async fn domains(&self, ctx: &Context<'_>) -> Option<&[String]> {
        Administrator::of(ctx.viewer()).is_ok().then_some(&self.0.domains[..])
    }

    /// What `expectedVersion` is compared with.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// Who works there, by name.
    async fn members(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Member>> {
        ctx.viewer().admit_to("members").map_err(top)?;
        let here = PeerFilter { organisation: Some(self.0.id.clone()), ..PeerFilter::default() };
        let listing = peers::members(ctx.viewer(), &here, ctx.app().clock.now());
        connect(ctx, listing, Wanted { first, last, after, before }, Member).await
    }

    /// The published case studies that it leads or helps with, latest first.
    async fn case_studies(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<CaseStudy>> {
        let filter = CaseStudyFilter { organisation: Some(self.0.id.clone()), ..CaseStudyFilter::default() };
        let (order, now) = (CaseStudyOrder::Newest, ctx.app().clock.now());
        let listing = case_studies::published(ctx.viewer(), &filter, order, now);
        let page = fetch(ctx, listing, Wanted { first, last, after, before }).await?;
        let nodes = CaseStudy::of_entries(ctx, &page).await?;
        Ok(page.connection(ctx, nodes))
    }

    /// What it made of others' case studies, last changed first. What is on one that the viewer may not
    /// read is left out.
    async fn adoptions(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Adoption>> {
        let listing = of_organisation(ctx.viewer(), &self.0.id);
        let page = fetch(ctx, listing, Wanted { first, last, after, before }).await?;
        let nodes = page.documents().iter().map(|found| Adoption::seen(ctx, found));
        let nodes = futures_util::future::try_join_all(nodes).await?;
        Ok(page.connection(ctx, nodes))
    }

    /// What its latest 100 published contributions are about, most frequent first.
    async fn topics(&self, ctx: &Context<'_>) -> Result<Vec<TopicCount>> {
        let counts = action::topics(ctx.app(), ctx.viewer(), &self.0.id).await.map_err(top)?;
        let ids: Vec<_> = counts.iter().map(|(topic, _)| topic.clone()).collect();
        let topics = Topic::load_all(ctx, &ids).await?;
        let count = |topic: &Topic| counts.iter().find(|(id, _)| *id == topic.0.id).map_or(0, |(_, n)| *n);
        Ok(topics.into_iter().map(|topic| TopicCount { count: count(&topic), topic }).collect())
    }

    /// Whether the viewer hears of what is new here, and finds it in the feed `FOLLOWING`.
    async fn viewer_following(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(stance(ctx, Target::Organisation(self.0.id.clone())).await? == Stance::Following)
    }

    /// Whether the viewer hears nothing of it but mentions, and does not find it in the feed.
    async fn viewer_muted(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(stance(ctx, Target::Organisation(self.0.id.clone())).await? == Stance::Muted)
    }
}

impl Organisation {
    pub async fn load(ctx: &Context<'_>, id: Option<&Id<domain::Organisation>>) -> Result<Option<Self>> {
        match id {
            None => Ok(None),
            Some(id) => Ok(ctx.loaders().organisation(id).await.map_err(top)?.map(Self)),
        }
    }

    /// Those of them that are there.
    pub async fn load_all(ctx: &Context<'_>, ids: &[Id<domain::Organisation>]) -> Result<Vec<Self>> {
        let found = ids.iter().map(|id| ctx.loaders().organisation(id));
        let found = futures_util::future::try_join_all(found).await.map_err(top)?;
        Ok(found.into_iter().flatten().map(Self).collect())
    }

    /// What entries of the directory stand for.
    pub async fn of_entries(ctx: &Context<'_>, entries: &[Arc<DirectoryEntry>]) -> Result<Vec<Option<Self>>> {
        let found = entries.iter().map(|entry| Self::load(ctx, Some(&entry.organisation)));
        futures_util::future::try_join_all(found).await
    }
}

impl Organisation {
    /// Organisations like one: none like one that is not there.
    pub async fn similar(ctx: &Context<'_>, to: &Id<domain::Organisation>, limit: i32) -> Result<Vec<Self>> {
        let Some(to) = Self::load(ctx, Some(to)).await? else { return Ok(Vec::new()) };
        let limit = usize::try_from(limit).unwrap_or_default().clamp(1, action::SIMILAR_MAX);
        let found = action::similar(ctx.app(), ctx.viewer(), &to.0, limit).await.map_err(top)?;
        Self::load_all(ctx, &found).await
    }
}

impl From<domain::Organisation> for Organisation {
    fn from(organisation: domain::Organisation) -> Self {
        Self(Arc::new(organisation))
    }
}

fn taxonomy() -> Result<&'static Taxonomy> {
    Taxonomy::read().map_err(|error| top(Error::Fault(error)))
}

/// A name that an organisation had.
#[derive(SimpleObject)]
pub struct FormerName {
    pub name: String,
    /// When the directory had another one; none where it is not known.
    pub until: Option<Date>,
}

/// What plans and pays for the care in a part of England.
pub struct IntegratedCareBoard {
    code: String,
    entry: Option<Arc<DirectoryEntry>>,
}

/// What plans and pays for the care in a part of England.
#[Object]
impl IntegratedCareBoard {
    /// Its code in the Organisation Data Service.
    async fn code(&self) -> &str {
        &self.code
    }

    /// None when it is not in the directory.
    async fn name(&self) -> Option<&str> {
        self.entry.as_ref().map(|entry| entry.name.as_str())
    }

    /// None when it is not in the directory.
    async fn organisation(&self, ctx: &Context<'_>) -> Result<Option<Organisation>> {
        Organisation::load(ctx, self.entry.as_ref().map(|entry| &entry.organisation)).await
    }
}

/// How many contributions are about a topic.
#[derive(SimpleObject)]
pub struct TopicCount {
    pub topic: Topic,
    pub count: usize,
}

/// Which organisations; every part narrows.
#[derive(Clone, Default, InputObject)]
pub struct OrganisationFilterInput {
    /// A slug of `taxonomy { organisationTypes }`.
    #[graphql(name = "type")]
    pub kind: Option<String>,
    /// The code of a region.
    pub region: Option<String>,
    /// The code of an integrated care board.
    pub icb: Option<String>,
    /// How a name begins, in whatever case and without regard to accents, apostrophes and hyphens.
    pub name_starts_with: Option<String>,
    /// Those that have closed, or those that have not (yet).
    pub closed: Option<bool>,
}

impl From<OrganisationFilterInput> for OrganisationFilter {
    fn from(input: OrganisationFilterInput) -> Self {
        Self {
            place: Place { kind: input.kind, region: input.region, icb: input.icb },
            starts_with: input.name_starts_with,
            closed: input.closed,
        }
    }
}

/// What changes. What is left out stays as it is.
#[derive(Clone, InputObject)]
pub struct UpdateOrganisationInput {
    pub id: ID,
    /// The version that was read; a later one is not overwritten.
    pub expected_version: i64,
    /// A slug of `taxonomy { organisationTypes }`; null when it is of none.
    #[graphql(name = "type")]
    pub kind: MaybeUndefined<String>,
    /// All names by which it is also known; at most 20.
    pub aliases: Option<Vec<String>>,
    /// All domains of its e-mail addresses; at most 20. Members who join from one of them work here.
    pub domains: Option<Vec<String>>,
    /// All organisations into which it was merged or split; at most 10.
    pub successor_ids: Option<Vec<ID>>,
    /// Says that the administrator has looked at the places that seem to identify a person (the error
    /// `PERSONAL_DATA` with the severity `WARN`), and that no patient is meant.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    pub client_mutation_id: Option<String>,
}

impl From<UpdateOrganisationInput> for Changes {
    fn from(input: UpdateOrganisationInput) -> Self {
        Self {
            kind: match input.kind {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(None),
                MaybeUndefined::Value(slug) => Some(Some(slug)),
            },
            aliases: input.aliases,
            domains: input.domains,
            successors: input.successor_ids.map(|ids| ids.into_iter().map(|id| id.0).collect()),
            acknowledged: input.acknowledge_personal_data.into(),
        }
    }
}

payload!(UpdateOrganisationPayload { organisation: Organisation });

#[derive(Default)]
pub struct OrganisationMutation;

#[Object]
impl OrganisationMutation {
    /// Changes what administrators say of an organisation. Its name, region and dates come from the files
    /// of the Organisation Data Service. When it was changed since `expectedVersion`, nothing happens: the
    /// payload has the error `STALE` and the organisation as it is now.
    async fn update_organisation(
        &self,
        ctx: &Context<'_>,
        input: UpdateOrganisationInput,
    ) -> Result<UpdateOrganisationPayload> {
        let request = request("updateOrganisation", &input, input.client_mutation_id.as_ref());
        let (administrator, id) = (administrator(ctx)?, organisation_id(&input.id)?);
        let (expected, name) = (input.expected_version, input.client_mutation_id.clone());
        let updated = action::update(ctx.app(), &administrator, &id, expected, &input.into(), &request).await;
        let current = match &updated {
            Err(Error::Stale) => Organisation::load(ctx, Some(&id)).await?,
            _ => None,
        };
        let mut payload = UpdateOrganisationPayload::of(updated, name, Organisation::from)?;
        payload.organisation = payload.organisation.or(current);
        Ok(payload)
    }
}

/// The viewer as an administrator.
///
/// # Errors
/// Forbidden.
pub fn administrator(ctx: &Context<'_>) -> Result<Administrator> {
    Administrator::of(ctx.viewer()).map_err(top)
}

pub fn organisation_id(id: &ID) -> Result<Id<domain::Organisation>> {
    Id::parse(id).ok_or_else(|| top(not_found("organisation")))
}
