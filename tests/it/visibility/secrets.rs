//! A community with secrets of every kind, and the members who may read them or not.

use hope_exchange::{
    domain::{
        access_token::AccessToken,
        case_study::CaseStudy,
        comment::Comment,
        contribution::{ContributionId, State},
        entry::Entry,
        legal_hold::LegalHold,
        member::{Member, Role},
        post::{Post, PostState},
        profile::Audience,
        standing::{MemberState, Standing},
        tag::Tag,
        text::{BODY_MAX, RichText},
    },
    ids::Id,
    jobs,
    store::{Batch, Guard},
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    attachments::{PDF, upload},
    community::all,
    moderation::{comment, post},
};

/// A word that stands in one secret alone, and who may read it.
pub struct Secret {
    pub word: &'static str,
    pub readers: &'static [&'static str],
}

const EVERYBODY: &[&str] = &["author", "reporter", "other", "partner", "invited", "moderator"];

pub const SECRETS: &[Secret] = &[
    Secret { word: "zqdraftpost", readers: &["author"] },
    Secret { word: "zqhiddenpost", readers: &["author", "moderator"] },
    Secret { word: "zqoldwords", readers: &["author", "moderator"] },
    Secret { word: "zqhiddenfile", readers: &["author", "moderator"] },
    Secret { word: "zqtoldpost", readers: &["author", "moderator"] },
    Secret { word: "zqtoldcomment", readers: &["author", "moderator"] },
    Secret { word: "zqdeletedpost", readers: &[] },
    Secret { word: "zqhiddentag", readers: &["author", "moderator"] },
    Secret { word: "zqhiddenplace", readers: &["author", "moderator"] },
    Secret { word: "zqdrafttag", readers: &["author"] },
    Secret { word: "zqdraftstudy", readers: &["author"] },
    Secret { word: "zqhiddenstudy", readers: &["author", "moderator"] },
    Secret { word: "zqarchivedstudy", readers: &["author", "moderator"] },
    Secret { word: "zqdeletedstudy", readers: &[] },
    Secret { word: "zqadoption", readers: &["author", "moderator"] },
    Secret { word: "zqhiddencomment", readers: &["author", "moderator"] },
    Secret { word: "zqsaidfile", readers: &["author", "moderator"] },
    Secret { word: "zqdeletedcomment", readers: &[] },
    Secret { word: "zqreason", readers: &["author", "moderator"] },
    Secret { word: "zqnote", readers: &["reporter", "moderator"] },
    Secret { word: "zqsuspended", readers: &["moderator"] },
    Secret { word: "zqapplicant", readers: &["moderator"] },
    Secret { word: "zqinvited", readers: &["moderator"] },
    // What a partner was invited to, and everything else that is no secret to others.
    Secret { word: "zqinside", readers: EVERYBODY },
    Secret { word: "zqoutside", readers: &["author", "reporter", "other", "partner", "moderator"] },
    Secret { word: "zqheld", readers: &["moderator"] },
    Secret { word: "zqtoken", readers: &["author"] },
    Secret { word: "zqpronouns", readers: &["author"] },
    Secret { word: "zqjobtitle", readers: &["author"] },
    Secret { word: "zqexperience", readers: &["author"] },
    // Everybody's own address alone, as nobody shows theirs.
    Secret { word: "ada-moore@", readers: &["author"] },
    Secret { word: "grace-hill@", readers: &["reporter"] },
];

/// The topic that one of them was invited to.
const INSIDE: &str = "mental-health";

/// What a member is to the secrets, and the member.
pub type Cast = Vec<(&'static str, Person)>;

pub async fn cast(app: &TestApp) -> Cast {
    let people = [
        ("author", "Ada Moore", None),
        ("reporter", "Grace Hill", None),
        ("other", "Joan Clarke", None),
        ("partner", "Pat Green", Some(Role::Partner)),
        ("invited", "Ruth Lamb", None),
        ("moderator", "Mary Ward", Some(Role::Moderator)),
        ("outcast", "Nora Black", None),
    ];
    let mut cast = Vec::new();
    for (part, name, role) in people {
        let person = app.person(name).await;
        if let Some(role) = role {
            app.grant(&person, role).await;
        }
        if part == "invited" {
            app.invited_to(&person, INSIDE).await;
        }
        cast.push((part, person));
    }
    cast
}

pub fn of<'a>(cast: &'a Cast, part: &str) -> &'a Person {
    &cast.iter().find(|(other, _)| *other == part).unwrap().1
}

pub async fn done(app: &TestApp, by: &Person, mutation: &str, input: Json) {
    let done = app.mutate(by, mutation, &input, "").await;
    assert_eq!(done["userErrors"], json!([]), "{mutation}: {done}");
}

/// What everybody sees.
pub async fn public(app: &TestApp, cast: &Cast) -> (String, String) {
    let (author, reporter) = (of(cast, "author"), of(cast, "reporter"));
    let question = post(app, author, "An open question zqoutside").await;
    comment(app, reporter, &question, "An open answer zqoutside").await;
    inside(app, cast).await;
    let study = app.case_study(author, &json!({ "title": "An open study zqoutside" })).await;
    done(
        app,
        reporter,
        "recordAdoption",
        json!({ "caseStudyId": study, "status": "TESTING", "whatChanged": "Little." }),
    )
    .await;
    done(
        app,
        of(cast, "moderator"),
        "pinContribution",
        json!({ "contributionId": study, "reason": "Worth it." }),
    )
    .await;
    // A secret already: whoever is suspended is on no list, and lists must not change later.
    let outcast = json!({ "memberId": of(cast, "outcast").id, "reason": "For zqsuspended." });
    done(app, of(cast, "moderator"), "suspendMember", outcast).await;
    let applicant = app.person("Agnes Hunt").await;
    app.change(&applicant, |member| {
        member.rename("zqapplicant".to_owned());
        member.standing.ask(member.created_at);
    })
    .await;
    // What follows from what is public (whom their topics find) is there before anything is counted.
    jobs::run_due(&app.app).await.unwrap();
    (question, study)
}

/// What everybody sees who was invited to one topic alone, too.
pub async fn inside(app: &TestApp, cast: &Cast) {
    let input = json!({ "kind": "IDEA", "title": "An idea zqinside", "body": "zqinside", "topicIds": [format!("top_{INSIDE}")], "publish": true });
    let idea = app.create_post(of(cast, "author"), input).await;
    comment(app, of(cast, "reporter"), &idea, "An answer zqinside").await;
}

/// What is published beside what somebody was invited to.
pub async fn outside(app: &TestApp, cast: &Cast) {
    let (author, reporter) = (of(cast, "author"), of(cast, "reporter"));
    for kind in ["QUESTION", "EVENT"] {
        let event = json!({ "startsAt": "2026-06-01T10:00:00.000Z", "location": "zqoutside" });
        let event = if kind == "EVENT" { event } else { Json::Null };
        let input = json!({ "kind": kind, "title": "More zqoutside", "body": "zqoutside", "topicIds": ["top_volunteering"], "tags": ["zqoutside"], "event": event, "publish": true });
        let id = app.create_post(author, input).await;
        comment(app, reporter, &id, &format!("zqoutside @[Ruth Lamb]({})", of(cast, "invited").id)).await;
    }
    let study = app.case_study(author, &json!({ "title": "Another zqoutside", "tags": ["zqoutside"] })).await;
    done(
        app,
        reporter,
        "recordAdoption",
        json!({ "caseStudyId": study, "status": "TESTING", "whatChanged": "zqoutside" }),
    )
    .await;
}

/// A secret of every kind, beside what everybody sees.
pub async fn secrets(app: &TestApp, cast: &Cast, question: &str) {
    let (author, reporter, moderator) = (of(cast, "author"), of(cast, "reporter"), of(cast, "moderator"));
    let hide = async |id: &str| {
        done(app, moderator, "hideContent", json!({ "subjectId": id, "reason": "For zqreason." })).await;
    };
    app.create_post(
        author,
        json!({ "kind": "IDEA", "title": "zqdraftpost", "body": "zqdraftpost", "tags": ["zqdrafttag"] }),
    )
    .await;
    let file = upload(app, author, "zqhiddenfile.pdf", PDF).await["id"].clone();
    let hidden = post(app, author, "zqhiddenpost, once zqoldwords").await;
    done(
        app,
        author,
        "updatePost",
        json!({ "id": hidden, "expectedVersion": 1, "title": "zqhiddenpost", "body": "zqhiddenpost", "tags": ["zqhiddentag"], "attachmentIds": [file] }),
    )
    .await;
    let event = json!({ "startsAt": "2026-06-01T10:00:00.000Z", "location": "zqhiddenplace" });
    let input = json!({ "kind": "EVENT", "title": "Come", "body": "All of you.", "topicIds": ["top_volunteering"], "tags": ["zqhiddentag"], "event": event, "publish": true });
    hide(&app.create_post(author, input).await).await;
    comment(app, reporter, &hidden, "Under what is hidden").await;
    done(app, reporter, "react", json!({ "subjectId": hidden, "kind": "THANKS" })).await;
    let input = json!({ "subjectId": hidden, "reason": "PATIENT_IDENTIFIABLE", "note": "Look at zqnote." });
    done(app, reporter, "reportContent", input).await;
    hide(&hidden).await;
    let deleted = post(app, author, "zqdeletedpost").await;
    done(
        app,
        author,
        "updatePost",
        json!({ "id": deleted, "expectedVersion": 1, "body": "zqdeletedpost again" }),
    )
    .await;
    comment(app, reporter, &deleted, "Under what is deleted").await;
    done(app, author, "deletePost", json!({ "id": deleted })).await;

    let study = |word: &str| json!({ "title": word, "summary": word, "aim": word, "advice": word, "quotes": [{ "text": word, "attribution": word, "consent": true }] });
    app.draft(author, &study("zqdraftstudy")).await;
    let token = json!({ "name": "zqtoken", "scopes": ["POSTS_READ"], "expiresAt": "2026-06-01T00:00:00Z" });
    done(app, author, "createAccessToken", token).await;
    for word in ["zqhiddenstudy", "zqarchivedstudy", "zqdeletedstudy"] {
        let id = app.case_study(author, &study(word)).await;
        done(app, author, "updateCaseStudy", json!({ "id": id, "expectedVersion": 2, "problem": word }))
            .await;
        let adoption = if word == "zqhiddenstudy" { "zqadoption" } else { "Little" };
        done(
            app,
            reporter,
            "recordAdoption",
            json!({ "caseStudyId": id, "status": "ADAPTED", "whatChanged": adoption, "result": adoption }),
        )
        .await;
        match word {
            "zqhiddenstudy" => {
                done(
                    app,
                    moderator,
                    "pinContribution",
                    json!({ "contributionId": id, "reason": "Worth it." }),
                )
                .await;
                hide(&id).await;
            }
            "zqarchivedstudy" => done(app, author, "archiveCaseStudy", json!({ "id": id })).await,
            _ => done(app, author, "deleteCaseStudy", json!({ "id": id })).await,
        }
    }
    let file = upload(app, author, "zqsaidfile.pdf", PDF).await["id"].clone();
    for word in ["zqhiddencomment", "zqdeletedcomment"] {
        let files = if word == "zqhiddencomment" { json!([file]) } else { json!([]) };
        let id = comment(app, author, question, &format!("First {word}")).await;
        done(
            app,
            author,
            "updateComment",
            json!({ "id": id, "expectedVersion": 1, "body": format!("{word} now"), "attachmentIds": files }),
        )
        .await;
        done(app, author, "acceptAnswer", json!({ "commentId": id })).await;
        let quoting = json!({ "threadId": question.replacen("pst", "thr", 1), "parentId": id, "body": "Really?", "quote": { "commentId": id, "text": word } });
        // The author's own reply: others must not have the words from it either.
        done(app, author, "addComment", quoting).await;
        if word == "zqhiddencomment" {
            hide(&id).await;
        } else {
            done(app, author, "deleteComment", json!({ "id": id })).await;
        }
    }
    told(app, cast, question).await;
    let invitation = json!({ "email": "zqinvited@example.org", "name": "zqinvited" });
    done(app, moderator, "createInvitation", invitation).await;
    let (held, by) = (Id::parse(&of(cast, "outcast").id).unwrap(), Id::parse(&moderator.id).unwrap());
    let (id, reason) = (LegalHold::id_of(&held), "For zqheld.".to_owned());
    let hold = LegalHold { id, version: 1, member: held, reason, by, at: app.now() };
    app.app.store.commit(Batch::new().insert(&hold)).await.unwrap();
    let profile = json!({ "expectedVersion": 1, "pronouns": "zqpronouns", "jobTitle": "zqjobtitle",
        "experienceTags": ["zqexperience"], "visibility": { "pronouns": "NOBODY", "jobTitle": "ORGANISATION", "experience": "NOBODY" } });
    done(app, author, "updateProfile", profile).await;
}

/// What everybody was told of, and what was hidden afterwards.
async fn told(app: &TestApp, cast: &Cast, question: &str) {
    let (author, moderator) = (of(cast, "author"), of(cast, "moderator"));
    let mentions = cast.iter().filter(|(part, _)| *part != "author");
    let mentions: String = mentions.map(|(_, person)| format!(" @[x]({})", person.id)).collect();
    let post = json!({ "kind": "UPDATE", "title": "zqtoldpost", "body": format!("zqtoldpost{mentions}"), "topicIds": ["top_volunteering"], "publish": true });
    let post = app.create_post(author, post).await;
    let comment = comment(app, author, question, &format!("zqtoldcomment{mentions}")).await;
    jobs::run_due(&app.app).await.unwrap();
    for id in [post, comment] {
        let input = json!({ "subjectId": id, "reason": "For zqreason." });
        done(app, moderator, "hideContent", input).await;
    }
    jobs::run_due(&app.app).await.unwrap();
}

/// Breaks every rule at once: stores as published, with its words, whatever was a draft, hidden or deleted,
/// and makes a moderator of whoever asks.
pub async fn break_rules(app: &TestApp, cast: &Cast, part: &str) {
    let (store, words) = (&app.app.store, |word| RichText::parse("body", word, BODY_MAX).unwrap());
    app.grant(of(cast, part), Role::Moderator).await;
    let mut batch = Batch::new();
    for mut post in all::<Post>(store).await {
        if post.state == PostState::Deleted {
            post.title = "zqdeletedpost".to_owned();
        }
        post.restore();
        post.published_at.get_or_insert(app.now());
        batch = batch.replace(&post).and(listed(&(&post.id).into()));
    }
    for mut study in all::<CaseStudy>(store).await {
        if study.state == State::Deleted {
            study.content.title = "zqdeletedstudy".to_owned();
        }
        (study.state, study.removed) = (State::Published, None);
        study.published_at.get_or_insert(app.now());
        batch = batch.replace(&study).and(listed(&(&study.id).into()));
    }
    for mut comment in all::<Comment>(store).await {
        comment.body.get_or_insert_with(|| words("zqdeletedcomment"));
        comment.removed = None;
        batch = batch.replace(&comment);
    }
    for mut member in all::<Member>(store).await {
        let shown = &mut member.profile.shown;
        for part in [
            &mut shown.pronouns,
            &mut shown.job_title,
            &mut shown.experience,
            &mut shown.email,
            &mut shown.phone,
        ] {
            *part = Audience::Members;
        }
        member.standing = Standing { scope: None, state: MemberState::Active, ..member.standing };
        batch = batch.replace(&member);
    }
    let outsider: Id<Member> = Id::parse(&of(cast, part).id).unwrap();
    for mut token in all::<AccessToken>(store).await {
        (token.member, token.owner) = (outsider.clone(), outsider.clone());
        batch = batch.replace(&token);
    }
    for tag in all::<Tag>(store).await {
        batch = batch.patch(&tag.id, Guard::Present, [Tag::USES.set(1)]);
    }
    store.commit(batch).await.unwrap();
}

fn listed(id: &ContributionId) -> Batch {
    Batch::new().patch(&Entry::id_of(id), Guard::Present, [Entry::STATE.set(State::Published)])
}
