//! Adoptions.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{
    case_study::{CaseStudy, Contact},
    connection::{Connection, connect},
    context::{Ask, request},
    contribution::RichText,
    member::Member,
    organisation::Organisation,
    payload::{UserError, outcome, top},
};
use crate::{
    actions::{
        adoption::{self as action, Changes},
        page::Wanted,
    },
    clock::Timestamp,
    domain::{
        adoption::{self as domain, AdoptionStatus},
        calendar::YearMonth,
        case_study::typed::TypedContact,
        sight::Seen,
    },
    error::{Code, Error, not_found},
    ids::Id,
};

/// What became of a case study in another organisation.
#[derive(Clone)]
pub struct Adoption(pub Arc<domain::Adoption>);

/// What became of a case study in another organisation: its current record.
#[Object]
impl Adoption {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    async fn case_study(&self, ctx: &Context<'_>) -> Result<CaseStudy> {
        let found = CaseStudy::visible(ctx, &self.0.case_study).await?;
        found.ok_or_else(|| top(not_found("case study")))
    }

    async fn organisation(&self, ctx: &Context<'_>) -> Result<Option<Organisation>> {
        Organisation::load(ctx, Some(&self.0.organisation)).await
    }

    async fn status(&self) -> AdoptionStatus {
        self.0.record.status
    }

    /// Since when the organisation stands there.
    async fn since(&self) -> YearMonth {
        self.0.record.since
    }

    /// What it did differently.
    async fn what_changed(&self) -> Option<RichText> {
        self.0.record.what_changed.as_ref().map(Into::into)
    }

    async fn result(&self) -> Option<RichText> {
        self.0.record.result.as_ref().map(Into::into)
    }

    async fn contact(&self) -> Contact {
        Contact(self.0.contact.clone())
    }

    async fn recorded_by(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.recorded_by).await
    }

    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    async fn updated_at(&self) -> Timestamp {
        self.0.updated_at
    }

    /// What `expectedVersion` is compared with.
    async fn version(&self) -> i64 {
        self.0.version
    }

    async fn viewer_can_edit(&self, ctx: &Context<'_>) -> bool {
        self.0.can_edit(ctx.viewer())
    }

    /// What the organisation recorded, latest first.
    async fn history(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<AdoptionStep>> {
        let wanted = Wanted { first, last, after, before };
        connect(ctx, action::history(&self.0.id), wanted, AdoptionStep).await
    }
}

impl Adoption {
    /// The record, when the viewer may see the case study that it is on.
    pub async fn visible(ctx: &Context<'_>, id: &Id<domain::Adoption>) -> Result<Option<Self>> {
        let Some(found) = ctx.loaders().adoption(id).await.map_err(top)? else { return Ok(None) };
        Self::seen(ctx, &found).await
    }

    /// The same of one that was loaded.
    pub async fn seen(ctx: &Context<'_>, found: &Arc<domain::Adoption>) -> Result<Option<Self>> {
        let case_study = CaseStudy::visible(ctx, &found.case_study).await?;
        Ok(case_study.filter(|one| one.0.can_see(ctx.viewer())).map(|_| Self(Arc::clone(found))))
    }
}

impl From<domain::Adoption> for Adoption {
    fn from(adoption: domain::Adoption) -> Self {
        Self(Arc::new(adoption))
    }
}

/// What an organisation once recorded.
pub struct AdoptionStep(pub Arc<domain::AdoptionStep>);

/// What an organisation once recorded.
#[Object]
impl AdoptionStep {
    async fn organisation(&self, ctx: &Context<'_>) -> Result<Option<Organisation>> {
        Organisation::load(ctx, Some(&self.0.organisation)).await
    }

    async fn status(&self) -> AdoptionStatus {
        self.0.record.status
    }

    async fn since(&self) -> YearMonth {
        self.0.record.since
    }

    async fn what_changed(&self) -> Option<RichText> {
        self.0.record.what_changed.as_ref().map(Into::into)
    }

    async fn result(&self) -> Option<RichText> {
        self.0.record.result.as_ref().map(Into::into)
    }

    async fn recorded_by(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.by).await
    }

    async fn recorded_at(&self) -> Timestamp {
        self.0.at
    }
}

#[derive(Clone, InputObject)]
pub struct RecordAdoptionInput {
    pub case_study_id: ID,
    /// The viewer's own organisation by default; moderators may record for another.
    pub organisation_id: Option<ID>,
    pub status: AdoptionStatus,
    /// This month by default.
    pub since: Option<YearMonth>,
    /// What the organisation did differently: Markdown, at most 1,500 characters.
    pub what_changed: Option<String>,
    /// Markdown, at most 1,500 characters.
    pub result: Option<String>,
    pub contact: Option<TypedContact>,
    /// Says that the writer has looked at the places that seem to identify a person (the error
    /// `PERSONAL_DATA` with the severity `WARN`), and that no patient is meant. What is `BLOCK`ed stays
    /// refused.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct UpdateAdoptionInput {
    pub id: ID,
    /// The version that was read; a later one is not overwritten.
    pub expected_version: i64,
    pub status: Option<AdoptionStatus>,
    pub since: Option<YearMonth>,
    pub what_changed: Option<String>,
    pub result: Option<String>,
    pub contact: Option<TypedContact>,
    /// Says that the writer has looked at the places that seem to identify a person (the error
    /// `PERSONAL_DATA` with the severity `WARN`), and that no patient is meant. What is `BLOCK`ed stays
    /// refused.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    pub client_mutation_id: Option<String>,
}

#[derive(SimpleObject)]
pub struct RecordAdoptionPayload {
    /// The record; when the organisation had one already, that one as it is.
    pub adoption: Option<Adoption>,
    /// What to put right; empty when all went well.
    pub user_errors: Vec<UserError>,
    /// As sent.
    pub client_mutation_id: Option<String>,
}

#[derive(SimpleObject)]
pub struct UpdateAdoptionPayload {
    /// The record as it is now.
    pub adoption: Option<Adoption>,
    /// What to put right; empty when all went well.
    pub user_errors: Vec<UserError>,
    /// As sent.
    pub client_mutation_id: Option<String>,
}

#[derive(Default)]
pub struct AdoptionMutation;

#[Object]
impl AdoptionMutation {
    /// Records where an organisation stands with a case study. It has one record, which is then changed
    /// with `updateAdoption`.
    async fn record_adoption(
        &self,
        ctx: &Context<'_>,
        input: RecordAdoptionInput,
    ) -> Result<RecordAdoptionPayload> {
        let request = request("recordAdoption", &input, input.client_mutation_id.as_ref());
        let case_study = Id::parse(&input.case_study_id).ok_or_else(|| top(not_found("case study")))?;
        let (app, viewer) = (ctx.app(), ctx.viewer());
        let organisation = match input.organisation_id.as_ref().map(|id| Id::parse(id)) {
            Some(None) => {
                let message = "There is no such organisation. The directory lists them.";
                let (adoption, user_errors) =
                    outcome(Err(Error::refused("organisationId", Code::Unknown, message)))?;
                let client_mutation_id = input.client_mutation_id;
                return Ok(RecordAdoptionPayload { adoption, user_errors, client_mutation_id });
            }
            given => given.flatten(),
        };
        let new = Changes {
            acknowledged: input.acknowledge_personal_data.into(),
            status: Some(input.status),
            since: input.since,
            what_changed: input.what_changed,
            result: input.result,
            contact: input.contact,
        };
        let recorded = action::record(app, viewer, &case_study, organisation.as_ref(), &new, &request).await;
        let (recorded, user_errors) = outcome(recorded)?;
        let mut adoption = recorded.map(Adoption::from);
        if user_errors.iter().any(|error| error.code == Code::WrongState)
            && let Some(organisation) = organisation.as_ref().or(viewer.organisation.as_ref())
        {
            adoption = Adoption::visible(ctx, &domain::Adoption::id_of(&case_study, organisation)).await?;
        }
        Ok(RecordAdoptionPayload { adoption, user_errors, client_mutation_id: input.client_mutation_id })
    }

    /// Changes a record. What it said before stays in its history.
    async fn update_adoption(
        &self,
        ctx: &Context<'_>,
        input: UpdateAdoptionInput,
    ) -> Result<UpdateAdoptionPayload> {
        let request = request("updateAdoption", &input, input.client_mutation_id.as_ref());
        let id = Id::parse(&input.id).ok_or_else(|| top(not_found("record of adoption")))?;
        let changes = Changes {
            acknowledged: input.acknowledge_personal_data.into(),
            status: input.status,
            since: input.since,
            what_changed: input.what_changed,
            result: input.result,
            contact: input.contact,
        };
        let updated =
            action::update(ctx.app(), ctx.viewer(), &id, input.expected_version, &changes, &request).await;
        let stale = matches!(updated, Err(Error::Stale));
        let (updated, user_errors) = outcome(updated)?;
        let mut adoption = updated.map(Adoption::from);
        if stale {
            adoption = Adoption::visible(ctx, &id).await?;
        }
        Ok(UpdateAdoptionPayload { adoption, user_errors, client_mutation_id: input.client_mutation_id })
    }
}
