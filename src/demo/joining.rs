//! Who asks to join the demonstration's network, and whom its moderator has invited.

use chrono::TimeDelta;
use serde::Deserialize;

use super::Builder;
use crate::{
    app::App,
    domain::{
        audit::{AuditAction, AuditEntry, Facts},
        case_study::CaseStudy,
        digest::next_due,
        email::EmailAddress,
        invitation::{Invitation, InvitationState},
        member::{Member, Role},
        standing::PartnerScope,
    },
    error::{Error, Result},
    ids::Id,
    query::Page,
    store::Batch,
};

const FILE: &str = include_str!("content/joining.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    applicant: Vec<WrittenApplicant>,
    invitation: Vec<WrittenInvitation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenApplicant {
    name: String,
    address: String,
    job_title: String,
    days_ago: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenInvitation {
    name: String,
    address: String,
    topics: Vec<String>,
    latest_case_study: bool,
    days_ago: i64,
    accepted: bool,
}

impl Builder {
    /// Writes them all.
    ///
    /// # Errors
    /// When the store fails, or the file is not of the form above.
    pub(super) async fn joining(&self, app: &App, moderator: &Member) -> Result<()> {
        let wrong = |error| Error::Fault(format!("the demonstration's joining can't be read: {error}"));
        let written: Written = toml::from_str(FILE).map_err(wrong)?;
        let mut batch = Batch::new();
        for applicant in &written.applicant {
            batch = batch.insert(&self.applicant(applicant)?);
        }
        let newest = CaseStudy::PUBLISHED_AT.desc();
        let latest = app.store.find(CaseStudy::published(), newest, Page::first(1)).await?;
        for written in &written.invitation {
            batch = batch.and(self.invitation(app, moderator, written, &latest)?);
        }
        Ok(app.store.commit(batch).await?)
    }

    fn newcomer(&self, name: &str, address: &str, days_ago: i64) -> Result<Member> {
        let at = self.now.minus(TimeDelta::days(days_ago)).plus(TimeDelta::hours(10));
        self.clock.set(at);
        let email =
            EmailAddress::parse(address).map_err(|reason| Error::Fault(format!("{address}: {reason}")))?;
        let mut member = Member::new(self.ids.fresh(), email, self.preferences.clone(), at);
        name.clone_into(&mut member.name);
        member.digest_due_at = next_due(&self.preferences, self.now);
        member.standing.accept(&self.rules, at);
        member.standing.verify(at, &self.sign_in);
        Ok(member)
    }

    fn applicant(&self, written: &WrittenApplicant) -> Result<Member> {
        let mut member = self.newcomer(&written.name, &written.address, written.days_ago)?;
        member.job_title = Some(written.job_title.clone());
        member.standing.ask(member.created_at);
        Ok(member)
    }

    /// An invitation, and the partner who accepted it, if somebody did.
    fn invitation(
        &self,
        app: &App,
        moderator: &Member,
        written: &WrittenInvitation,
        latest: &[CaseStudy],
    ) -> Result<Batch> {
        let mut partner = self.newcomer(&written.name, &written.address, written.days_ago)?;
        let (now, settings) = (partner.created_at, &app.config.invitations);
        let topics = written.topics.iter().map(|slug| Id::of(slug)).collect();
        let shown = latest.iter().filter(|_| written.latest_case_study);
        let case_studies = shown.map(|found| found.id.clone()).collect();
        let scope = PartnerScope { topics, case_studies };
        let mut invitation = Invitation {
            id: self.ids.fresh(),
            version: 1,
            email: partner.email.clone(),
            email_key: partner.email_key.clone(),
            name: partner.name.clone(),
            sponsor: moderator.id.clone(),
            scope: (scope != PartnerScope::default()).then_some(scope),
            state: InvitationState::Open,
            created_at: now,
            expires_at: now.plus(TimeDelta::days(settings.open_days)),
            access_ends_at: now.plus(TimeDelta::days(settings.access_days)),
            accepted_at: None,
            accepted_by: None,
            revoked_at: None,
        };
        let audited = AuditEntry {
            id: self.ids.fresh(),
            version: 1,
            actor: moderator.id.clone(),
            action: AuditAction::CreateInvitation,
            subject: invitation.id.as_str().to_owned(),
            about: None,
            reason: None,
            before: Facts::default(),
            after: Facts::default(),
            findings: Vec::new(),
            at: now,
        };
        let mut batch = Batch::new().insert(&audited);
        if written.accepted {
            invitation.accept(&partner.id, now.plus(TimeDelta::hours(3)));
            partner.role = Role::Partner;
            partner.standing.sponsor = Some(moderator.id.clone());
            partner.standing.scope.clone_from(&invitation.scope);
            partner.standing.access_ends_at = Some(invitation.access_ends_at);
            batch = batch.insert(&partner);
        }
        Ok(batch.insert(&invitation))
    }
}
