//! How an export shows what is stored.

use serde_json::{Value as Json, json};

use crate::{
    domain::{
        adoption::Adoption,
        audit::AuditEntry,
        case_study::{
            CaseStudy, Edition,
            content::Content,
            measure::{Measure, Point, Shown},
            parts::Contact,
        },
        comment::Comment,
        member::Member,
        post::Post,
        revision::Revision,
        second_factor::{Factor, SecondFactors},
    },
    ids::{Id, Identified},
    query::Document,
};

/// A document with its id as `id`, and without these fields.
pub(super) fn without<D: Document>(document: &D, fields: &[&str]) -> Json {
    let mut json = serde_json::to_value(document).unwrap_or_default();
    if let Json::Object(parts) = &mut json {
        parts.remove("version");
        if let Some(id) = parts.remove("_id") {
            parts.insert("id".to_owned(), id);
        }
        parts.retain(|name, _| !fields.contains(&name.as_str()));
    }
    json
}

pub(super) fn account(member: &Member) -> Json {
    let mut json = without(member, &["owner", "endedSessions"]);
    // Moderators act for the network.
    if let Some(Json::Object(suspension)) = json.get_mut("suspension") {
        suspension.remove("by");
    }
    if let Some(Json::Object(standing)) = json.get_mut("standing") {
        standing.remove("sponsor");
    }
    json
}

/// What somebody could be recognised by stays out.
pub(super) fn second_factors(known: &SecondFactors) -> Json {
    let factor = |factor: &Factor| {
        json!({
            "name": factor.name,
            "kind": factor.kind(),
            "createdAt": factor.created_at,
            "lastUsedAt": factor.last_used_at,
        })
    };
    json!({
        "factors": known.factors.iter().map(factor).collect::<Vec<_>>(),
        "recoveryCodesLeft": known.recovery_codes.len(),
    })
}

/// Whom they mention stands in the text.
pub(super) fn post(post: &Post) -> Json {
    without(post, &["author", "mentions"])
}

/// Of what it quotes there is only where: the words are somebody else's.
pub(super) fn comment(comment: &Comment) -> Json {
    let mut json = without(comment, &["author", "answers", "mentions", "quote"]);
    json["quotes"] = json!(comment.quote.as_ref().map(|quote| &quote.comment));
    json
}

pub(super) fn case_study(found: &CaseStudy, reader: &Id<Member>) -> Json {
    let mut json = without(found, &["author", "coAuthors", "updatedBy"]);
    json["begunByYou"] = json!(found.author == *reader);
    json["content"] = content(&found.content, reader);
    json
}

pub(super) fn edition(edition: &Edition, reader: &Id<Member>) -> Json {
    let mut json = without(edition, &["by"]);
    json["content"] = content(&edition.content, reader);
    json
}

fn content(content: &Content, reader: &Id<Member>) -> Json {
    let mut json = serde_json::to_value(content).unwrap_or_default();
    json["measures"] = content.measures.iter().map(measure).collect();
    json["contact"] = contact(&content.contact, reader);
    json
}

/// As every reader is shown it: fewer answers than five could be traced to a person.
fn measure(measure: &Measure) -> Json {
    json!({
        "name": measure.name,
        "kind": measure.kind,
        "source": measure.source,
        "unit": measure.unit,
        "direction": measure.direction,
        "before": measure.before.as_ref().map(point),
        "after": measure.after.as_ref().map(point),
    })
}

fn point(point: &Point) -> Json {
    match point.shown() {
        Shown::Value { value, n } => json!({ "date": point.date(), "value": value, "n": n }),
        Shown::Suppressed => json!({ "date": point.date(), "suppressed": true }),
    }
}

fn contact(contact: &Contact, reader: &Id<Member>) -> Json {
    json!({ "isYou": contact.member.as_ref() == Some(reader), "mailbox": contact.mailbox })
}

pub(super) fn adoption(adoption: &Adoption, reader: &Id<Member>) -> Json {
    let mut json = without(adoption, &["recordedBy"]);
    json["contact"] = contact(&adoption.contact, reader);
    json
}

pub(super) fn revision(revision: &Revision, reader: &Id<Member>) -> Json {
    let mut json = without(revision, &["editor"]);
    json["byYou"] = json!(revision.editor == *reader);
    json
}

/// What moderators did to the member.
pub(super) fn act_on(entry: &AuditEntry) -> Json {
    without(entry, &["actor", "subject", "findings"])
}

/// What the member did as a moderator or administrator, or by reporting something.
pub(super) fn act_by(entry: &AuditEntry) -> Json {
    let mut json = without(entry, &["actor", "findings"]);
    json["byYou"] = json!(true);
    // To whom is nobody else's business.
    if entry.subject.starts_with(Member::PREFIX) {
        json["subject"] = Json::Null;
    }
    json
}
