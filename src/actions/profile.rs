//! Profiles: what members tell of themselves, and to whom.

use async_graphql::MaybeUndefined;

use super::{
    access::{Administrator, Viewer},
    audit::{Act, Concerned, Reason, acted},
    member::organisation_of,
    once::{Decision, Request, once},
};
use crate::{
    app::App,
    domain::{
        audit::AuditAction,
        case_study::problems::Problems,
        guard::Acknowledged,
        member::{Member, Role},
        organisation::Organisation,
        profile::{
            Audience, JOB_TITLE_MAX, NAME_MAX, PRONOUNS_MAX, Phone, UNKNOWN_TOPIC, experience_tags, topics,
        },
        topic::Topic,
    },
    error::{Code, Error, Result, not_found},
    ids::Id,
    store::Batch,
};

/// What a member changes. What is not given stays; of what need not be there, null takes it away.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub name: Option<String>,
    pub job_title: MaybeUndefined<String>,
    /// The id of an organisation.
    pub organisation: MaybeUndefined<String>,
    pub pronouns: MaybeUndefined<String>,
    pub phone: MaybeUndefined<String>,
    /// Ids of topics.
    pub interests: Option<Vec<String>>,
    pub experience_topics: Option<Vec<String>>,
    pub experience_tags: Option<Vec<String>>,
    pub shown: ShownChanges,
    /// What the member said about the guard's warnings.
    pub acknowledged: Acknowledged,
}

/// To whom parts are shown from now on.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShownChanges {
    pub email: Option<Audience>,
    pub phone: Option<Audience>,
    pub job_title: Option<Audience>,
    pub pronouns: Option<Audience>,
    pub photo: Option<Audience>,
    pub interests: Option<Audience>,
    pub experience: Option<Audience>,
}

/// Changes the viewer's profile, when it has not changed since `expected_version`.
///
/// # Errors
/// `Stale`; every problem at once, each with its field.
pub async fn update(
    app: &App,
    viewer: &Viewer,
    expected_version: i64,
    changes: &Changes,
    request: &Request,
) -> Result<Member> {
    once(app, viewer, request, || async {
        let before = app.store.one(&viewer.id).await?.ok_or_else(|| not_found("member"))?;
        if before.profile.edition != expected_version {
            return Err(Error::Stale);
        }
        let mut member = read(app, &before, changes, Says::Themself).await?;
        if member == before {
            return Ok(Decision { result: member, batch: Batch::new() });
        }
        member.profile.edition += 1;
        let batch = Batch::new().replace(&member);
        member.version += 1;
        Ok(Decision { result: member, batch })
    })
    .await
}

/// Puts right what the exchange says of a member, who is told. The audit log has that it was done and why,
/// and no words of it.
///
/// # Errors
/// Not found; every problem at once, each with its field.
pub async fn correct(
    app: &App,
    administrator: &Administrator,
    id: &Id<Member>,
    changes: &Changes,
    reason: &Reason,
    request: &Request,
) -> Result<Member> {
    once(app, administrator, request, || async {
        let there = |member: &Member| !member.is_former();
        let before = app.store.one(id).await?.filter(there).ok_or_else(|| not_found("member"))?;
        let mut member = read(app, &before, changes, Says::Administrator).await?;
        if member == before {
            return Ok(Decision { result: member, batch: Batch::new() });
        }
        member.profile.edition += 1;
        let act = Act::new(AuditAction::CorrectMember, id.as_str()).because(reason);
        let told = acted(app, administrator, act, &Concerned::member(id));
        let batch = Batch::new().replace(&member).and(told);
        member.version += 1;
        Ok(Decision { result: member, batch })
    })
    .await
}

/// Who says where a member works.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Themself,
    Administrator,
}

async fn read(app: &App, before: &Member, changes: &Changes, says: Says) -> Result<Member> {
    let mut member = before.clone();
    let mut problems = Problems::with(changes.acknowledged);
    if let Some(text) = changes.name.as_deref().filter(|text| *text != before.name) {
        match problems.line("name", "name", text, NAME_MAX) {
            Some(name) => member.rename(name),
            None if text.trim().is_empty() => problems.add("name", Code::Required, "Enter your name."),
            None => {}
        }
    }
    match &changes.organisation {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => member.works_at(None),
        MaybeUndefined::Value(id) if before.organisation.as_ref().is_some_and(|one| one.as_str() == id) => {}
        MaybeUndefined::Value(id) => match workplace(app, before, id, says).await? {
            Ok(organisation) => member.works_at(Some(&organisation)),
            Err(message) => problems.add("organisationId", Code::Invalid, &message),
        },
    }
    let mut line = |field, label, change: &MaybeUndefined<String>, stored: &Option<String>, max| match change
    {
        MaybeUndefined::Undefined => stored.clone(),
        MaybeUndefined::Null => None,
        // Where it stays the same it is not checked again, so that nobody is asked twice.
        MaybeUndefined::Value(text) if stored.as_ref() == Some(text) => stored.clone(),
        MaybeUndefined::Value(text) => problems.line(field, label, text, max),
    };
    member.job_title = line("jobTitle", "job title", &changes.job_title, &before.job_title, JOB_TITLE_MAX);
    let profile = &mut member.profile;
    profile.pronouns =
        line("pronouns", "pronouns", &changes.pronouns, &before.profile.pronouns, PRONOUNS_MAX);
    profile.phone = match &changes.phone {
        MaybeUndefined::Undefined => profile.phone.take(),
        MaybeUndefined::Value(text) if !text.trim().is_empty() => {
            let phone = Phone::parse(text);
            if phone.is_none() {
                let message = "Enter a telephone number like 0161 276 1234, and an extension as ext. 42.";
                problems.add("phone", Code::Invalid, message);
            }
            phone
        }
        MaybeUndefined::Value(_) | MaybeUndefined::Null => None,
    };
    if let Some(typed) = &changes.interests {
        profile.interests =
            known(app, "interestIds", typed, &before.profile.interests, &mut problems).await?;
    }
    if let Some(typed) = &changes.experience_topics {
        let stored = &before.profile.experience_topics;
        profile.experience_topics = known(app, "experienceTopicIds", typed, stored, &mut problems).await?;
    }
    if let Some(typed) = &changes.experience_tags {
        profile.experience_tags = experience_tags(typed, &mut problems);
    }
    let (shown, wanted) = (&mut profile.shown, changes.shown);
    shown.email = wanted.email.unwrap_or(shown.email);
    shown.phone = wanted.phone.unwrap_or(shown.phone);
    shown.job_title = wanted.job_title.unwrap_or(shown.job_title);
    shown.photo = wanted.photo.unwrap_or(shown.photo);
    shown.pronouns = wanted.pronouns.unwrap_or(shown.pronouns);
    shown.interests = wanted.interests.unwrap_or(shown.interests);
    shown.experience = wanted.experience.unwrap_or(shown.experience);
    profile.tells();
    match problems.into_vec() {
        problems if problems.is_empty() => Ok(member),
        problems => Err(Error::Refused(problems)),
    }
}

/// Where a member works, or why they can't. Who writes from an organisation's own domain works there, unless an
/// administrator, whom they wrote to, says that they don't: what is its business is not for others to decide.
async fn workplace(app: &App, member: &Member, id: &str, says: Says) -> Result<Result<Organisation, String>> {
    if member.role == Role::Partner {
        return Ok(Err(
            "Lived experience partners are the team's guests and work for no organisation here.".to_owned()
        ));
    }
    let known = organisation_of(app, &member.email).await?;
    if let Some(known) = known.filter(|known| says == Says::Themself && known.id.as_str() != id) {
        let contact = &app.config.network.contact;
        return Ok(Err(format!(
            "Your e-mail address is one of {}'s. If you work elsewhere, write to {contact}.",
            known.name
        )));
    }
    let found = match Id::<Organisation>::parse(id) {
        Some(id) => app.store.one(&id).await?,
        None => None,
    };
    let today = app.clock.now().london().date_naive();
    let is_open = |found: &Organisation| found.closed.is_none_or(|last| last >= today);
    Ok(found
        .filter(is_open)
        .ok_or_else(|| "Choose an organisation that is in the directory and not closed.".to_owned()))
}

/// Topics that are there. Those that stand in the profile already are not asked about again.
async fn known(
    app: &App,
    field: &str,
    typed: &[String],
    stored: &[Id<Topic>],
    problems: &mut Problems,
) -> Result<Vec<Id<Topic>>> {
    let wanted = topics(field, typed, problems);
    let found = app.store.get(&wanted).await?;
    for (id, found) in wanted.iter().zip(&found) {
        if found.is_none() && !stored.contains(id) {
            let at = typed.iter().position(|text| text == id.as_str()).unwrap_or_default();
            problems.add(&format!("{field}.{at}"), Code::Unknown, UNKNOWN_TOPIC);
        }
    }
    Ok(wanted)
}

/// The viewer as they are now.
///
/// # Errors
/// When the store fails.
pub async fn current(app: &App, viewer: &Viewer) -> Result<Option<Member>> {
    Ok(app.store.one(&viewer.id).await?)
}
