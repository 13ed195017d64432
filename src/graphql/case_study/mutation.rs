//! What members do with case studies.

use async_graphql::{Context, ID, Object, Result};

use super::{
    super::{
        context::{Ask, request},
        payload::{outcome, top},
    },
    CaseStudy,
    input::{
        ArchiveCaseStudyInput, ArchiveCaseStudyPayload, CreateCaseStudyInput, CreateCaseStudyPayload,
        DeleteCaseStudyInput, DeleteCaseStudyPayload, PublishCaseStudyInput, PublishCaseStudyPayload,
        UpdateCaseStudyInput, UpdateCaseStudyPayload,
    },
};
use crate::{
    actions::case_study as action,
    domain::case_study as domain,
    error::{Error, not_found},
    ids::Id,
};

#[derive(Default)]
pub struct CaseStudyMutation;

#[Object]
impl CaseStudyMutation {
    /// Begins a case study as a draft. It needs only a title.
    async fn create_case_study(
        &self,
        ctx: &Context<'_>,
        input: CreateCaseStudyInput,
    ) -> Result<CreateCaseStudyPayload> {
        let request = request("createCaseStudy", &input, input.client_mutation_id.as_ref());
        let client_mutation_id = input.client_mutation_id.clone();
        let created = action::create(ctx.app(), ctx.viewer(), &input.into(), &request).await;
        CreateCaseStudyPayload::of(created, client_mutation_id, |done| CaseStudy::left(ctx, done))
    }

    /// Changes a case study: what is absent stays, what is null or empty is cleared. When it was changed
    /// since `expectedVersion`, nothing is written: the payload has the error `STALE`, the case study as
    /// it is now, and in `yours` what was sent, applied to the version that it was based on.
    async fn update_case_study(
        &self,
        ctx: &Context<'_>,
        input: UpdateCaseStudyInput,
    ) -> Result<UpdateCaseStudyPayload> {
        let request = request("updateCaseStudy", &input, input.client_mutation_id.as_ref());
        let client_mutation_id = input.client_mutation_id.clone();
        let (id, expected) = (case_study_id(&input.id)?, input.expected_version);
        let (app, viewer, changes) = (ctx.app(), ctx.viewer(), input.into());
        let changed = action::update(app, viewer, &id, expected, &changes, &request).await;
        let stale = matches!(changed, Err(Error::Stale));
        let (changed, mut user_errors) = outcome(changed)?;
        let mut payload = UpdateCaseStudyPayload {
            case_study: changed.map(|done| CaseStudy::left(ctx, done)),
            yours: None,
            user_errors: Vec::new(),
            client_mutation_id,
        };
        if stale {
            let yours = action::yours(app, viewer, &id, expected, &changes).await;
            let (yours, problems) = yours.map_err(top)?;
            user_errors.extend(problems.into_iter().map(Into::into));
            payload.yours = Some(yours.into());
            payload.case_study = current(ctx, &id).await?;
        }
        payload.user_errors = user_errors;
        Ok(payload)
    }

    /// Shows a draft to every member, or again what was archived. The payload has everything that it
    /// still lacks.
    async fn publish_case_study(
        &self,
        ctx: &Context<'_>,
        input: PublishCaseStudyInput,
    ) -> Result<PublishCaseStudyPayload> {
        let request = request("publishCaseStudy", &input, input.client_mutation_id.as_ref());
        let id = case_study_id(&input.id)?;
        let published = action::publish(ctx.app(), ctx.viewer(), &id, input.expected_version, &request).await;
        let stale = matches!(published, Err(Error::Stale));
        let mut payload = PublishCaseStudyPayload::of(published, input.client_mutation_id, |done| {
            CaseStudy::left(ctx, done)
        })?;
        if stale {
            payload.case_study = current(ctx, &id).await?;
        }
        Ok(payload)
    }

    /// Takes a published case study off every list. Its authors and moderators still see it.
    async fn archive_case_study(
        &self,
        ctx: &Context<'_>,
        input: ArchiveCaseStudyInput,
    ) -> Result<ArchiveCaseStudyPayload> {
        let request = request("archiveCaseStudy", &input, input.client_mutation_id.as_ref());
        let id = case_study_id(&input.id)?;
        let archived = action::archive(ctx.app(), ctx.viewer(), &id, input.expected_version, &request).await;
        let stale = matches!(archived, Err(Error::Stale));
        let mut payload = ArchiveCaseStudyPayload::of(archived, input.client_mutation_id, |done| {
            CaseStudy::left(ctx, done)
        })?;
        if stale {
            payload.case_study = current(ctx, &id).await?;
        }
        Ok(payload)
    }

    /// Takes a case study's words away. What others have seen of it leaves a tombstone.
    async fn delete_case_study(
        &self,
        ctx: &Context<'_>,
        input: DeleteCaseStudyInput,
    ) -> Result<DeleteCaseStudyPayload> {
        let request = request("deleteCaseStudy", &input, input.client_mutation_id.as_ref());
        let id = case_study_id(&input.id)?;
        let deleted = action::delete(ctx.app(), ctx.viewer(), &id, input.expected_version, &request).await;
        let stale = matches!(deleted, Err(Error::Stale));
        let (deleted, user_errors) = outcome(deleted)?;
        Ok(DeleteCaseStudyPayload {
            deleted_case_study_id: deleted.map(|deleted| deleted.id.as_str().into()),
            case_study: if stale { current(ctx, &id).await? } else { None },
            user_errors,
            client_mutation_id: input.client_mutation_id,
        })
    }
}

fn case_study_id(id: &ID) -> Result<Id<domain::CaseStudy>> {
    Id::parse(id).ok_or_else(|| top(not_found("case study")))
}

/// The case study as it is now, for an answer to a stale request.
async fn current(ctx: &Context<'_>, id: &Id<domain::CaseStudy>) -> Result<Option<CaseStudy>> {
    let found = action::visible(ctx.app(), ctx.viewer(), id).await.map_err(top)?;
    Ok(found.map(CaseStudy::from))
}
