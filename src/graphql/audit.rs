//! The audit log, and the override that it keeps account of.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{
    context::Ask,
    member::Member,
    node::{self, Node},
    payload::top,
};
use crate::{
    actions::{access::Moderator, audit::Override},
    clock::Timestamp,
    domain::{
        audit::{self as domain, AuditAction, OrganisationFacts},
        contribution::ShownState,
        guard::PersonalData,
        member::Role,
        report::ReportState,
        standing::MemberState,
    },
    ids::Id,
};

/// Something that a moderator did. Entries are never changed nor deleted.
pub struct AuditEntry(pub Arc<domain::AuditEntry>);

/// Something that a moderator did. Entries are never changed nor deleted.
#[Object]
impl AuditEntry {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// None: an operator of the installation, by a command.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Option<Member>> {
        Ok(ctx.loaders().member(&self.0.actor).await.map_err(top)?.map(Member))
    }

    async fn action(&self) -> AuditAction {
        self.0.action
    }

    async fn subject_id(&self) -> ID {
        self.0.subject.as_str().into()
    }

    /// What it was done to, as it is now; none when it is gone.
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Node>> {
        node::find(ctx, &self.0.subject).await
    }

    async fn about_id(&self) -> Option<ID> {
        self.0.about.as_deref().map(Into::into)
    }

    /// What gave rise to it, as it is now: what a member is warned about, when that was said.
    async fn about(&self, ctx: &Context<'_>) -> Result<Option<Node>> {
        match &self.0.about {
            Some(about) => node::find(ctx, about).await,
            None => Ok(None),
        }
    }

    /// None where none is asked for: edits, accepted answers.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    async fn before(&self) -> AuditFacts {
        (&self.0.before).into()
    }

    async fn after(&self) -> AuditFacts {
        (&self.0.after).into()
    }

    /// After an override: what the guard would have kept out, by kind and place alone.
    async fn personal_data(&self) -> Vec<AuditFinding> {
        self.0.findings.iter().map(AuditFinding::from).collect()
    }

    async fn at(&self) -> Timestamp {
        self.0.at
    }
}

impl AuditEntry {
    /// The entry, for moderators.
    pub async fn visible(ctx: &Context<'_>, id: &Id<domain::AuditEntry>) -> Result<Option<Self>> {
        if Moderator::of(ctx.viewer()).is_err() {
            return Ok(None);
        }
        Ok(ctx.loaders().audit_entry(id).await.map_err(top)?.map(Self))
    }
}

/// How something stood: only what the action is about.
#[derive(SimpleObject)]
pub struct AuditFacts {
    pub state: Option<ShownState>,
    /// What `expectedVersion` is compared with.
    pub version: Option<i64>,
    pub locked: Option<bool>,
    pub pinned: Option<bool>,
    pub accepted: Option<bool>,
    pub suspended: Option<bool>,
    pub suspended_until: Option<Timestamp>,
    pub report: Option<ReportState>,
    pub membership: Option<MemberState>,
    pub organisation: Option<OrganisationFacts>,
    /// Where people, or what they wrote, followed to.
    pub successor_id: Option<ID>,
    pub role: Option<Role>,
    /// How many the member has.
    pub second_factors: Option<i64>,
}

impl From<&domain::Facts> for AuditFacts {
    fn from(facts: &domain::Facts) -> Self {
        Self {
            state: facts.state.map(ShownState::from),
            version: facts.version,
            locked: facts.locked,
            pinned: facts.pinned,
            accepted: facts.accepted,
            suspended: facts.suspended,
            suspended_until: facts.suspended_until,
            report: facts.report,
            membership: facts.membership,
            organisation: facts.organisation.clone(),
            successor_id: facts.successor.as_deref().map(ID::from),
            role: facts.role,
            second_factors: facts.second_factors,
        }
    }
}

/// A place that seemed to identify a person. The words themselves are kept nowhere else.
#[derive(SimpleObject)]
pub struct AuditFinding {
    pub field: String,
    pub kind: PersonalData,
    /// In characters from 0.
    pub start: i64,
    pub end: i64,
}

impl From<&domain::Place> for AuditFinding {
    fn from(place: &domain::Place) -> Self {
        Self { field: place.field.clone(), kind: place.kind, start: place.start, end: place.end }
    }
}

/// Takes text that the guard blocks. For moderators; kept in the audit log.
#[derive(Clone, InputObject)]
pub struct OverridePersonalDataInput {
    /// Why it is right to share it; at most 500 characters.
    pub reason: String,
}

impl From<OverridePersonalDataInput> for Override {
    fn from(input: OverridePersonalDataInput) -> Self {
        Self { reason: input.reason }
    }
}
