//! What members may have done with what the exchange holds of them: given to them, and erased.

mod erasure;
mod export;
mod retention;

use hope_exchange::{
    domain::{
        device::{Caller, Origin},
        digest::{Digest, Window},
        invitation::{Invitation, InvitationState},
        member::Member,
        second_factor::{Factor, Proof, SecondFactors},
    },
    ids::Id,
    jobs,
    store::Batch,
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    attachments::{PDF, photos, upload},
    auth::single_sign_on::linked,
    case_studies::with,
    moderation::{House, comment, house, post},
};

/// Words that are of one member alone, whatever case they are in.
pub const TRACES: [&str; 6] =
    ["zephyrine", "quillfeather", "ada-moore@", "head of quiddity", "0161 496 0123", "zhe/zher"];

/// A member who has done all that there is to do, and what it led to.
pub struct Life {
    /// The member, by the name of [`TRACES`].
    pub ada: Person,
    pub grace: Person,
    pub mary: Person,
    pub post: String,
    pub study: String,
    pub comment: String,
    pub attachment: String,
}

async fn done(app: &TestApp, by: &Person, mutation: &str, input: Json) {
    let done = app.mutate(by, mutation, &input, "").await;
    assert_eq!(done["userErrors"], json!([]), "{mutation}: {done}");
}

async fn uploaded(app: &TestApp, by: &Person, name: &str) -> Json {
    upload(app, by, name, PDF).await["id"].clone()
}

pub async fn life(app: &TestApp) -> Life {
    let House { ada, grace, mary } = house(app).await;
    let profile = json!({ "expectedVersion": 1, "name": "Zephyrine Quillfeather", "jobTitle": "Head of Quiddity",
        "pronouns": "zhe/zher", "phone": "0161 496 0123", "experienceTags": ["Quiddity rounds"], "interestIds": ["top_volunteering"] });
    done(app, &ada, "updateProfile", profile).await;
    photos::set(app, &ada, &photos::photo()).await;
    signed_in(app, &ada).await;
    let token =
        json!({ "name": "A sync of mine", "scopes": ["POSTS_READ"], "expiresAt": "2026-06-01T00:00:00Z" });
    done(app, &ada, "createAccessToken", token).await;

    let file = uploaded(app, &ada, "ward-map.pdf").await;
    uploaded(app, &ada, "not-used-yet.pdf").await;
    let input = json!({ "kind": "QUESTION", "title": "Soft-close bins?", "body": "Do they help?", "topicIds": ["top_volunteering"], "attachmentIds": [file], "publish": true });
    let question = app.create_post(&ada, input).await;
    done(
        app,
        &ada,
        "updatePost",
        json!({ "id": question, "expectedVersion": 1, "body": "Do they really help?" }),
    )
    .await;
    app.create_post(&ada, json!({ "kind": "IDEA", "title": "A draft of mine", "body": "Not yet." })).await;
    let points = |value: f64, n: u32| json!({ "value": value, "n": n, "date": "2025-01" });
    let measures = json!([{ "name": "Woken at night", "kind": "OUTCOME", "source": "complaints", "direction": "LOWER_IS_BETTER", "unit": "people", "before": points(61.803, 3), "after": points(27.5, 20) }]);
    let shared = json!({ "coAuthorIds": [grace.id], "measures": measures, "noMeasuresBecause": null, "contact": { "memberId": ada.id } });
    let study = app.case_study(&ada, &shared).await;
    done(
        app,
        &ada,
        "updateCaseStudy",
        json!({ "id": study, "expectedVersion": 2, "advice": "Ask at night, every night." }),
    )
    .await;
    let theirs = app.case_study(&grace, &json!({ "title": "Warm meals" })).await;
    done(app, &ada, "recordAdoption", json!({ "caseStudyId": theirs, "status": "TESTING", "whatChanged": "Smaller plates.", "contact": { "memberId": ada.id } })).await;

    let others = post(app, &grace, "Quiet hours").await;
    let said = comment(app, &ada, &others, "We close them at ten.").await;
    done(
        app,
        &ada,
        "updateComment",
        json!({ "id": said, "expectedVersion": 1, "body": "We close them at nine." }),
    )
    .await;
    let thread = others.replacen("pst", "thr", 1);
    done(app, &ada, "react", json!({ "subjectId": others, "kind": "THANKS" })).await;
    done(app, &ada, "follow", json!({ "subjectId": "top_volunteering" })).await;
    done(app, &ada, "bookmark", json!({ "subjectId": others })).await;
    done(app, &ada, "markRead", json!({ "threadId": thread })).await;
    done(
        app,
        &ada,
        "reportContent",
        json!({ "subjectId": others, "reason": "COMMERCIAL", "note": "It sells bins." }),
    )
    .await;
    others_answer(app, &ada, &grace, &thread, &said, &question).await;
    let account = json!({ "name": "Sync of Zephyrine Quillfeather", "purpose": "Copies for Zephyrine Quillfeather", "organisationId": ada.organisation, "ownerId": ada.id });
    done(app, &mary, "createServiceAccount", account).await;
    done(
        app,
        &mary,
        "warnMember",
        json!({ "memberId": ada.id, "reason": "Zephyrine Quillfeather was curt." }),
    )
    .await;
    jobs::run_due(&app.app).await.unwrap();
    let attachment = file.as_str().unwrap().to_owned();
    Life { ada, grace, mary, post: question, study, comment: said, attachment }
}

/// What others say to a member and of them: a quote, mentions, an edit that takes a mention away.
async fn others_answer(
    app: &TestApp,
    ada: &Person,
    grace: &Person,
    thread: &str,
    said: &str,
    question: &str,
) {
    let quoting = json!({ "threadId": thread, "parentId": said, "body": format!("Good, @[x]({}).", ada.id), "quote": { "commentId": said, "text": "at nine" } });
    done(app, grace, "addComment", quoting).await;
    let input = json!({ "kind": "UPDATE", "title": "With thanks", "body": format!("Thank you, @[x]({}), for it.", ada.id), "topicIds": ["top_volunteering"], "publish": true });
    let thanks = app.create_post(grace, input).await;
    done(app, grace, "updatePost", json!({ "id": thanks, "expectedVersion": 1, "body": "Thank you all." }))
        .await;
    comment(app, grace, question, "They help us.").await;
}

/// A session, a device, a second factor, an account elsewhere, a request for a code, a digest and an invitation of a member.
async fn signed_in(app: &TestApp, person: &Person) {
    let (parts, now) = (&app.app, app.now());
    let member: Member = parts.store.one(&Id::parse(&person.id).unwrap()).await.unwrap().unwrap();
    let origin =
        Origin { device: "Edge on Windows".to_owned(), place: "Internet address 192.0.2.x".to_owned() };
    let caller = Caller { address: "192.0.2.4".parse().unwrap(), origin };
    let (_, started) =
        hope_exchange::actions::session::starting(parts, &member, &caller, true, None).await.unwrap();
    let digest = Digest::planned(&member.id, &Window { from: now, until: now });
    parts.store.commit(started.insert(&digest)).await.unwrap();
    let mut invitation = Invitation {
        id: parts.ids.fresh(),
        version: 1,
        email: member.email.clone(),
        email_key: member.email_key.clone(),
        name: "Zephyrine Quillfeather".to_owned(),
        sponsor: Id::of("somebody"),
        scope: None,
        state: InvitationState::Open,
        created_at: now,
        expires_at: now,
        access_ends_at: now,
        accepted_at: None,
        accepted_by: None,
        revoked_at: None,
    };
    invitation.accept(&member.id, now);
    let sign_in = hope_exchange::domain::sign_in::SignIn::new(parts.ids.fresh(), member.email, 10, now);
    let factor = Factor {
        id: parts.ids.fresh(),
        name: "Phone of Zephyrine Quillfeather".to_owned(),
        proof: Proof::Totp { last_step: 0 },
        created_at: now,
        last_used_at: None,
    };
    let factors = SecondFactors {
        id: SecondFactors::id_of(&member.id),
        version: 1,
        member: member.id,
        factors: vec![factor],
        credentials: Vec::new(),
        recovery_codes: vec!["zqhash".to_owned()],
        wrong: 0,
        paused_until: None,
    };
    let batch = Batch::new().insert(&sign_in).insert(&invitation).insert(&factors);
    parts.store.commit(batch.insert(&linked(app, person))).await.unwrap();
}

/// Like `app.mutate`, of a mutation that has nothing to say.
async fn asks(app: &TestApp, by: &Person, mutation: &str, input: Json, fields: &str) -> Json {
    app.mutate(by, mutation, &with(json!({}), &input), fields).await
}
