//! Reports.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject, Union};

use super::{
    case_study::CaseStudy,
    comment::Comment,
    context::{Ask, request},
    contribution::Contribution,
    member::Member,
    moderation::moderator,
    node,
    payload::{UserError, outcome, payload, top},
    post::Post,
};
use crate::{
    actions::{
        audit::Reason,
        report::{self as action, NewReport, Ruling},
    },
    clock::Timestamp,
    domain::{
        moderation::{ContentId, SubjectId},
        report::{self as domain, ReportReason, ReportState},
    },
    error::not_found,
    ids::Id,
};

/// A member's word that something breaks the rules of the house.
pub struct Report(pub Arc<domain::Report>);

/// What can be reported.
#[derive(Union)]
pub enum ReportSubject {
    Post(Post),
    CaseStudy(CaseStudy),
    Comment(Comment),
    Member(Member),
}

/// A member's word that something breaks the rules of the house. Moderators see it, and who sent it.
#[Object]
impl Report {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// As the viewer sees it now; none when they don't any more.
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<ReportSubject>> {
        subject(ctx, &self.0.subject).await
    }

    /// Who sent it. Nobody else learns of it, whom it is about least of all.
    async fn reporter(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.reporter).await
    }

    async fn reason(&self) -> ReportReason {
        self.0.reason
    }

    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    async fn state(&self) -> ReportState {
        self.0.state
    }

    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    async fn resolved_at(&self) -> Option<Timestamp> {
        self.0.resolved_at
    }

    async fn resolved_by(&self, ctx: &Context<'_>) -> Result<Option<Member>> {
        match &self.0.resolved_by {
            None => Ok(None),
            Some(member) => Member::load(ctx, member).await.map(Some),
        }
    }

    /// Why it was decided so.
    async fn resolution(&self) -> Option<&str> {
        self.0.resolution.as_deref()
    }
}

impl Report {
    /// The report, when there is one and the viewer may see it.
    pub async fn visible(ctx: &Context<'_>, id: &Id<domain::Report>) -> Result<Option<Self>> {
        let report = ctx.loaders().report(id).await.map_err(top)?;
        Ok(report.filter(|report| report.can_see(ctx.viewer())).map(Self))
    }
}

impl From<domain::Report> for Report {
    fn from(report: domain::Report) -> Self {
        Self(Arc::new(report))
    }
}

async fn subject(ctx: &Context<'_>, id: &SubjectId) -> Result<Option<ReportSubject>> {
    Ok(match id {
        SubjectId::Content(ContentId::Contribution(id)) => {
            Contribution::visible(ctx, id).await?.map(|found| match found {
                Contribution::Post(post) => ReportSubject::Post(post),
                Contribution::CaseStudy(case_study) => ReportSubject::CaseStudy(case_study),
            })
        }
        SubjectId::Content(ContentId::Comment(id)) => {
            node::visible_comment(ctx, Some(id.clone())).await?.map(Comment).map(ReportSubject::Comment)
        }
        SubjectId::Member(id) => Member::visible(ctx, id).await?.map(ReportSubject::Member),
    })
}

#[derive(Clone, InputObject)]
pub struct ReportContentInput {
    /// A post, a case study, a comment or a member.
    pub subject_id: ID,
    pub reason: ReportReason,
    /// What is wrong, for moderators; at most 1,000 characters. Needed with `OTHER`.
    pub note: Option<String>,
    /// Says that the note's author has looked at the places that seem to identify a person (the error
    /// `PERSONAL_DATA` with the severity `WARN`), and that no patient is meant. What is `BLOCK`ed stays
    /// refused.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    pub client_mutation_id: Option<String>,
}

#[derive(SimpleObject)]
pub struct ReportContentPayload {
    /// The report; one that is open already stays as it was.
    pub report: Option<Report>,
    /// With `SAFEGUARDING`: where to turn, as the exchange is not a reporting route. Sentences for a
    /// person.
    pub signposts: Vec<String>,
    /// What to put right; empty when all went well.
    pub user_errors: Vec<UserError>,
    /// As sent.
    pub client_mutation_id: Option<String>,
}

/// What a moderator decides on a report.
#[derive(Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub enum ReportDecision {
    /// It was right. What a privacy concern had hidden stays hidden.
    Uphold,
    /// It was not. What a privacy concern had hidden is there again.
    Dismiss,
}

#[derive(Clone, InputObject)]
pub struct ResolveReportInput {
    pub id: ID,
    pub decision: ReportDecision,
    /// Why; at most 500 characters. The reporter reads it.
    pub reason: String,
    /// Whether what is reported is hidden from now on.
    #[graphql(default)]
    pub hide: bool,
    /// As in `ReportContentInput`, of the reason.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    pub client_mutation_id: Option<String>,
}

payload!(ResolveReportPayload { report: Report });

#[derive(Default)]
pub struct ReportMutation;

#[Object]
impl ReportMutation {
    /// Reports what breaks the rules of the house. A privacy concern (`PATIENT_IDENTIFIABLE`) hides it at
    /// once, until a moderator has looked at it.
    async fn report_content(
        &self,
        ctx: &Context<'_>,
        input: ReportContentInput,
    ) -> Result<ReportContentPayload> {
        let request = request("reportContent", &input, input.client_mutation_id.as_ref());
        let subject = SubjectId::parse(&input.subject_id).ok_or_else(|| top(not_found("content")))?;
        let new = NewReport {
            subject,
            reason: input.reason,
            note: input.note,
            acknowledged: input.acknowledge_personal_data.into(),
        };
        let reported = action::report(ctx.app(), ctx.viewer(), &new, &request).await;
        let (report, user_errors) = outcome(reported)?;
        let signposts = match input.reason {
            ReportReason::Safeguarding => ctx.app().config.moderation.signposts.clone(),
            _ => Vec::new(),
        };
        Ok(ReportContentPayload {
            report: report.map(Report::from),
            signposts,
            user_errors,
            client_mutation_id: input.client_mutation_id,
        })
    }

    /// Decides on a report, and with it on all others that are open on the same subject.
    async fn resolve_report(
        &self,
        ctx: &Context<'_>,
        input: ResolveReportInput,
    ) -> Result<ResolveReportPayload> {
        let request = request("resolveReport", &input, input.client_mutation_id.as_ref());
        let moderator = moderator(ctx)?;
        let id = Id::parse(&input.id).ok_or_else(|| top(not_found("report")))?;
        let resolved = match Reason::parse("reason", &input.reason, input.acknowledge_personal_data.into()) {
            Err(problem) => Err(problem),
            Ok(reason) => {
                let uphold = input.decision == ReportDecision::Uphold;
                let ruling = Ruling { uphold, reason, hide: input.hide };
                action::resolve(ctx.app(), &moderator, &id, &ruling, &request).await
            }
        };
        ResolveReportPayload::of(resolved, input.client_mutation_id, Report::from)
    }
}
