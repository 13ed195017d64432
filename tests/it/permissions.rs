//! Who may do what: every mutation by everybody, as one table.
//!
//! A mutation that has no row fails the test, and so does one whose subject is not what its row needs:
//! somebody has to be allowed.

use std::fmt::Write;

use chrono::TimeDelta;
use hope_exchange::{
    domain::{
        calendar::Date,
        device::Origin,
        digest::note::{Note, monday},
        identity::Identity,
        member::{Member, Role},
        permission::{May, OPEN, Permission},
        second_factor::{FactorKind, SecondFactors},
        session::Session,
    },
    ids::Id,
    store::Batch,
    tokens::{self, second_factor},
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp, random},
    auth::{
        second_factor::{authenticator::Authenticator, code},
        single_sign_on::linked,
    },
    case_studies::{complete, with},
    on_both_stores,
};

/// Everybody, in the columns' order. `author` wrote what it is about; the others only happen to be there.
pub struct Cast {
    /// Of the author's organisation.
    colleague: Person,
    /// Of another one.
    other: Person,
    pub author: Person,
    co_author: Person,
    partner: Person,
    /// Invited to something else.
    elsewhere: Person,
    /// Who has not joined yet.
    awaiting: Person,
    pub moderator: Person,
    pub administrator: Person,
    /// Somebody to act on.
    second_administrator: Person,
}

pub const COLUMNS: [&str; 10] = [
    "anonymous",
    "colleague",
    "other",
    "author",
    "co-author",
    "partner",
    "partner elsewhere",
    "awaiting approval",
    "moderator",
    "administrator",
];

impl Cast {
    pub async fn of(app: &TestApp) -> Self {
        let author = app.person("Ada Moore").await;
        let cast = Self {
            colleague: app.colleague(&author, "Ivy Stone").await,
            other: app.person("Joan Clarke").await,
            co_author: app.person("Grace Hill").await,
            partner: app.person("Ruth Lamb").await,
            elsewhere: app.person("Pat Green").await,
            awaiting: app.person("Asha Oneill").await,
            moderator: app.person("Mary Ward").await,
            administrator: app.person("Edith Cave").await,
            second_administrator: app.person("Agnes Hunt").await,
            author,
        };
        app.grant(&cast.partner, Role::Partner).await;
        app.invited_to(&cast.elsewhere, "mental-health").await;
        app.change(&cast.awaiting, |member| member.standing.ask(member.created_at)).await;
        app.grant(&cast.moderator, Role::Moderator).await;
        app.grant(&cast.administrator, Role::Administrator).await;
        app.grant(&cast.second_administrator, Role::Administrator).await;
        cast
    }

    fn everybody(&self) -> [Option<&Person>; 10] {
        let Self { colleague, other, author, co_author, partner, elsewhere, awaiting, .. } = self;
        let Self { moderator, administrator, .. } = self;
        [
            None,
            Some(colleague),
            Some(other),
            Some(author),
            Some(co_author),
            Some(partner),
            Some(elsewhere),
            Some(awaiting),
            Some(moderator),
            Some(administrator),
        ]
    }
}

/// What there is to act on: made anew for each of the cast, so that nobody's act is in another's way.
pub struct Scene<'a> {
    pub app: &'a TestApp,
    pub cast: &'a Cast,
    /// Whose turn it is.
    pub actor: Option<&'a Person>,
}

impl Scene<'_> {
    async fn draft(&self) -> String {
        let input = json!({ "kind": "IDEA", "title": "A draft", "body": "Not yet.", "topicIds": ["top_volunteering"] });
        self.app.create_post(&self.cast.author, input).await
    }

    async fn post(&self, kind: &str) -> String {
        let input = json!({ "kind": kind, "title": "Quiet hours", "body": "Do they help?", "topicIds": ["top_volunteering"], "publish": true });
        self.app.create_post(&self.cast.author, input).await
    }

    async fn thread(&self) -> String {
        self.post("QUESTION").await.replacen("pst", "thr", 1)
    }

    /// A comment by the author.
    async fn comment(&self) -> String {
        let thread = self.thread().await;
        let payload = self
            .app
            .mutate(
                &self.cast.author,
                "addComment",
                &json!({ "threadId": thread, "body": "They do." }),
                "comment { id }",
            )
            .await;
        payload["comment"]["id"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
    }

    fn together(&self) -> Json {
        json!({ "coAuthorIds": [self.cast.co_author.id] })
    }

    async fn case_study_draft(&self) -> String {
        self.app.draft(&self.cast.author, &with(complete(&self.cast.author), &self.together())).await
    }

    async fn case_study(&self) -> String {
        self.app.case_study(&self.cast.author, &self.together()).await
    }

    /// The author's organisation leads the case study; the co-author's has a record of it.
    async fn adoption(&self) -> String {
        let case_study = self.case_study().await;
        let input = json!({ "caseStudyId": case_study, "status": "TESTING" });
        let payload =
            self.app.mutate(&self.cast.co_author, "recordAdoption", &input, "adoption { id }").await;
        payload["adoption"]["id"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
    }

    /// Somebody else's, on a comment by the author.
    async fn report(&self) -> String {
        let input = json!({ "subjectId": self.comment().await, "reason": "COMMERCIAL" });
        let payload = self.app.mutate(&self.cast.co_author, "reportContent", &input, "report { id }").await;
        payload["report"]["id"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
    }

    /// A session of this member.
    async fn session(&self, of: &Person) -> String {
        let (app, member) = (&self.app.app, Id::parse(&of.id).unwrap());
        let session = Session::new(app.ids.fresh(), member, Origin::default(), 30, self.app.now());
        app.store.commit(Batch::new().insert(&session)).await.unwrap();
        session.id.to_string()
    }

    /// Who has their turn, or somebody else where nobody has.
    fn turn(&self) -> &Person {
        self.actor.unwrap_or(&self.cast.other)
    }

    /// The id of an authenticator app of this member, who has at least so many.
    async fn factor(&self, of: &Person, at_least: usize) -> String {
        let id = SecondFactors::id_of(&Id::parse(&of.id).unwrap());
        loop {
            let known = self.app.app.store.one(&id).await.unwrap();
            let factors = known.map_or_else(Vec::new, |known| known.factors);
            let apps: Vec<_> = factors.iter().filter(|factor| factor.kind() == FactorKind::Totp).collect();
            if apps.len() >= at_least {
                return apps[at_least - 1].id.to_string();
            }
            let input = self.started_totp(of).await;
            let added = self.app.mutate(of, "addTotp", &input, "recoveryCodes").await;
            assert_eq!(added["userErrors"], json!([]), "{added}");
        }
    }

    /// What registers one.
    async fn started_totp(&self, of: &Person) -> Json {
        self.keep_session(of).await;
        let started = self.app.mutate(of, "startTotp", &json!({}), "challengeId").await;
        let id = started["challengeId"].as_str().unwrap_or_else(|| panic!("{started}"));
        let code = self.code(of, &id.replacen("fch", "fac", 1), 0).await;
        json!({ "challengeId": id, "code": code })
    }

    async fn started_passkey(&self, of: &Person) -> Json {
        self.keep_session(of).await;
        let started = self.app.mutate(of, "startPasskey", &json!({}), "challengeId publicKey").await;
        let options = serde_json::from_str(started["publicKey"].as_str().unwrap()).unwrap();
        let origin = self.app.app.config.public_url.as_str().trim_end_matches('/');
        let credential = Authenticator::new(origin).create(&options);
        json!({ "challengeId": started["challengeId"], "credential": credential })
    }

    /// What this app shows, so many steps from now.
    async fn code(&self, of: &Person, factor: &str, steps: i64) -> String {
        let (app, member) = (&self.app.app, Id::<Member>::parse(&of.id).unwrap());
        let member = app.store.one(&member).await.unwrap().unwrap();
        let told = second_factor::enrolment(app, &member, &Id::parse(factor).unwrap()).unwrap();
        code(&told.secret.replace(' ', ""), self.app.now(), steps)
    }

    /// An account elsewhere that is linked with a member.
    async fn identity(&self, of: &Person) -> String {
        let identity = Identity {
            issuer: format!("https://{}.example", u32::from_be_bytes(random())),
            ..linked(self.app, of)
        };
        self.app.app.store.commit(Batch::new().insert(&identity)).await.unwrap();
        identity.id.to_string()
    }

    /// Stores the session of a token that was made without one.
    async fn keep_session(&self, of: &Person) {
        let app = &self.app.app;
        let claims = tokens::access::verify(app, &of.token).unwrap();
        let (id, member) = (Id::<Session>::parse(&claims.sid).unwrap(), Id::parse(&of.id).unwrap());
        if app.store.one(&id).await.unwrap().is_none() {
            let session = Session::new(id, member, Origin::default(), 30, self.app.now());
            app.store.commit(Batch::new().insert(&session)).await.unwrap();
        }
    }

    /// A service account that the author answers for.
    async fn service_account(&self) -> String {
        let input = json!({ "name": "A sync", "purpose": "Copies", "organisationId": self.cast.author.organisation, "ownerId": self.cast.author.id });
        let payload = self
            .app
            .mutate(&self.cast.moderator, "createServiceAccount", &input, "serviceAccount { member { id } }")
            .await;
        let id = &payload["serviceAccount"]["member"]["id"];
        id.as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
    }

    /// Administrators too: somebody else is left to run the service.
    async fn own_erasure(&self) -> Json {
        let name = format!("Member {}", u32::from_be_bytes(random()));
        self.app.grant(&self.app.person(&name).await, Role::Administrator).await;
        json!({ "confirmEmail": self.app.email(self.actor.unwrap_or(&self.cast.other)) })
    }

    fn access_token(&self, scope: &str) -> Json {
        let tomorrow = self.app.now().plus(TimeDelta::days(1)).to_string();
        json!({ "name": "A program", "scopes": [scope], "expiresAt": tomorrow })
    }

    /// The input of a mutation, about something of this scene.
    pub async fn input(&self, row: &str) -> Json {
        let complete_post = json!({ "kind": "IDEA", "title": "An idea", "body": "Ask.", "topicIds": ["top_volunteering"], "publish": true });
        match row {
            "createPost" => complete_post,
            "updatePost of a draft" => {
                json!({ "id": self.draft().await, "expectedVersion": 1, "title": "Changed" })
            }
            "updatePost" => {
                json!({ "id": self.post("IDEA").await, "expectedVersion": 1, "title": "Changed" })
            }
            "publishPost" => json!({ "id": self.draft().await }),
            "deletePost of a draft" => json!({ "id": self.draft().await }),
            "deletePost" => json!({ "id": self.post("IDEA").await }),
            "createCaseStudy" => json!({ "title": "A beginning" }),
            "updateCaseStudy of a draft" => {
                json!({ "id": self.case_study_draft().await, "expectedVersion": 1, "title": "Changed" })
            }
            "updateCaseStudy" => {
                json!({ "id": self.case_study().await, "expectedVersion": 2, "title": "Changed" })
            }
            "publishCaseStudy" | "deleteCaseStudy of a draft" => {
                json!({ "id": self.case_study_draft().await })
            }
            "archiveCaseStudy" | "deleteCaseStudy" => json!({ "id": self.case_study().await }),
            "recordAdoption" => json!({ "caseStudyId": self.case_study().await, "status": "TESTING" }),
            "updateAdoption" => {
                json!({ "id": self.adoption().await, "expectedVersion": 1, "status": "ADOPTED" })
            }
            "addComment to a draft" => {
                json!({ "threadId": self.draft().await.replacen("pst", "thr", 1), "body": "Yes." })
            }
            "addComment" | "markRead" => {
                let mut input = json!({ "threadId": self.thread().await });
                if row == "addComment" {
                    input["body"] = json!("Yes.");
                }
                input
            }
            "updateComment" => {
                json!({ "id": self.comment().await, "expectedVersion": 1, "body": "They do not." })
            }
            "deleteComment" => json!({ "id": self.comment().await }),
            "acceptAnswer" => json!({ "commentId": self.comment().await }),
            "unacceptAnswer" => {
                let id = self.comment().await;
                self.app.mutate(&self.cast.author, "acceptAnswer", &json!({ "commentId": id }), "").await;
                json!({ "commentId": id })
            }
            "react" | "unreact" => json!({ "subjectId": self.comment().await, "kind": "THANKS" }),
            "follow" | "unfollow" | "mute" | "unmute" => json!({ "subjectId": self.thread().await }),
            "bookmark" | "unbookmark" => json!({ "subjectId": self.comment().await }),
            "bookmark of a draft" => json!({ "subjectId": self.draft().await }),
            "updateNotificationPreferences" => json!({ "replied": "NONE" }),
            "updateDigestPreferences" => json!({ "frequency": "MONTHLY" }),
            "setEditorsNote" => {
                let week = Date::of(self.app.now());
                let note = self.app.app.store.one(&Note::id_of(monday(week))).await.unwrap();
                json!({ "week": week, "expectedVersion": note.map_or(0, |note| note.version), "text": format!("Note {}", u16::from_be_bytes(random())) })
            }
            "createAccessToken" => self.access_token("POSTS_READ"),
            "createAccessToken to moderate" => self.access_token("MODERATION"),
            "createAccessToken to administer" => self.access_token("ADMINISTRATION"),
            "createAccessToken of a service account" => {
                let account = json!({ "serviceAccountId": self.service_account().await });
                with(self.access_token("POSTS_READ"), &account)
            }
            "revokeAccessToken" => {
                let input = self.access_token("POSTS_READ");
                let made =
                    self.app.mutate(&self.cast.author, "createAccessToken", &input, "accessToken { id }");
                json!({ "id": made.await["accessToken"]["id"] })
            }
            "handOverServiceAccount" => {
                let name = format!("Member {}", u32::from_be_bytes(random()));
                let to = self.app.colleague(&self.cast.author, &name).await;
                json!({ "id": self.service_account().await, "ownerId": to.id })
            }
            "createServiceAccount" => {
                json!({ "name": "A sync", "purpose": "Copies", "organisationId": self.cast.author.organisation, "ownerId": self.cast.author.id })
            }
            "reportContent" => json!({ "subjectId": self.comment().await, "reason": "COMMERCIAL" }),
            "resolveReport" => {
                json!({ "id": self.report().await, "decision": "DISMISS", "reason": "It is fine." })
            }
            // What is not hidden, locked, pinned or suspended stays so: the one who may is not refused.
            "hideContent" | "restoreContent" => {
                json!({ "subjectId": self.comment().await, "reason": "A name." })
            }
            "lockThread" | "unlockThread" => {
                json!({ "threadId": self.thread().await, "reason": "It is heated." })
            }
            "pinContribution" | "unpinContribution" => {
                json!({ "contributionId": self.post("IDEA").await, "reason": "For all." })
            }
            "warnMember" => json!({ "memberId": self.cast.author.id, "reason": "Be kind." }),
            "suspendMember" | "reinstateMember" => {
                let name = format!("Member {}", u32::from_be_bytes(random()));
                json!({ "memberId": self.app.person(&name).await.id, "reason": "Not kind." })
            }
            "setRole" => {
                let name = format!("Member {}", u32::from_be_bytes(random()));
                json!({ "memberId": self.app.person(&name).await.id, "role": "MODERATOR", "reason": "To help." })
            }
            "revokeSession" => json!({ "id": self.session(self.actor.unwrap_or(&self.cast.other)).await }),
            "revokeSession of another member" => json!({ "id": self.session(&self.cast.other).await }),
            "unlinkIdentity" => json!({ "id": self.identity(self.turn()).await }),
            "unlinkIdentity of another member" => json!({ "id": self.identity(&self.cast.other).await }),
            "signOutEverywhere" => json!({ "keepCurrent": true }),
            "suspendMember who is an administrator" => {
                json!({ "memberId": self.cast.second_administrator.id, "until": self.app.now().plus(TimeDelta::minutes(1)).to_string(), "reason": "Not kind." })
            }
            "acceptRules" => json!({ "version": self.app.app.config.rules.version }),
            "approveMember" | "refuseMember" => {
                let name = format!("Member {}", u32::from_be_bytes(random()));
                let applicant = self.app.person(&name).await;
                self.app.change(&applicant, |member| member.standing.ask(member.created_at)).await;
                json!({ "memberId": applicant.id, "reason": "A reason." })
            }
            "createInvitation" => {
                let email = format!("member{}@example.org", u32::from_be_bytes(random()));
                json!({ "email": email, "name": "Somebody" })
            }
            "revokeInvitation" => {
                let email = format!("member{}@example.org", u32::from_be_bytes(random()));
                let input = json!({ "email": email, "name": "Somebody" });
                let fields = "invitation { id }";
                let made = self.app.mutate(&self.cast.moderator, "createInvitation", &input, fields).await;
                json!({ "id": made["invitation"]["id"], "reason": "A reason." })
            }
            "requestDataExport" => json!({}),
            "eraseMyAccount" => self.own_erasure().await,
            "cancelErasure" => {
                let actor = self.actor.unwrap_or(&self.cast.other);
                self.app.mutate(actor, "eraseMyAccount", &self.own_erasure().await, "").await;
                json!({})
            }
            "correctMember" | "removeMemberPhoto" | "eraseMember" | "setLegalHold" | "liftLegalHold"
            | "suppressMember" | "liftSuppression" => {
                let name = format!("Member {}", u32::from_be_bytes(random()));
                json!({ "memberId": self.app.person(&name).await.id, "reason": "As they asked." })
            }
            "startTotp" | "startPasskey" | "renewRecoveryCodes" => {
                self.factor(self.turn(), 1).await;
                json!({})
            }
            "addTotp" => self.started_totp(self.turn()).await,
            "addPasskey" => self.started_passkey(self.turn()).await,
            "startSecondFactor" => {
                self.factor(self.turn(), 1).await;
                json!({})
            }
            "showSecondFactor" => {
                let factor = self.factor(self.turn(), 1).await;
                json!({ "code": self.code(self.turn(), &factor, 1).await })
            }
            // Not the last one: with that, a role would sleep.
            "removeSecondFactor" => json!({ "id": self.factor(self.turn(), 2).await }),
            "removeSecondFactor of another member" => {
                json!({ "id": self.factor(&self.cast.other, 2).await })
            }
            "resetSecondFactor" => {
                let name = format!("Member {}", u32::from_be_bytes(random()));
                json!({ "memberId": self.app.person(&name).await.id, "reason": "Lost." })
            }
            "updateProfile" => json!({ "expectedVersion": 1 }),
            "removePhoto" => json!({}),
            "updateOrganisation" => {
                json!({ "id": self.cast.author.organisation, "expectedVersion": 1, "aliases": [] })
            }
            "moveToSuccessor" => {
                let names = [0; 2].map(|_| format!("Member {}", u32::from_be_bytes(random())));
                let (from, to) = (self.app.person(&names[0]).await, self.app.person(&names[1]).await);
                let input = json!({ "id": from.organisation, "expectedVersion": 1, "successorIds": [to.organisation] });
                self.app.mutate(&self.cast.administrator, "updateOrganisation", &input, "").await;
                json!({ "organisationId": from.organisation, "successorId": to.organisation, "reason": "Merged." })
            }
            _ => panic!("{row} has no input"),
        }
    }

    /// `yes`, or the code with which it is refused.
    pub async fn outcome(&self, row: &str) -> String {
        let input = self.input(row).await;
        let mutation = row.split(' ').next().unwrap_or_default();
        let mut nobody = self.cast.other.clone();
        nobody.token.clear();
        let answer = self.app.mutate(self.actor.unwrap_or(&nobody), mutation, &input, "").await;
        match answer.as_str() {
            Some(code) => code.to_owned(),
            None => {
                let refused = answer["userErrors"][0]["code"].as_str();
                refused.unwrap_or("yes").to_owned()
            }
        }
    }
}

/// What each may do. Anonymous requests are all refused alike, whatever they ask for. What somebody may
/// not see is not there for them.
pub const TABLE: &str = "
createPost                 | yes yes yes yes yes INVALID FORBIDDEN yes yes
updatePost of a draft      | NOT_FOUND NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND FORBIDDEN NOT_FOUND NOT_FOUND
updatePost                 | FORBIDDEN FORBIDDEN yes FORBIDDEN FORBIDDEN NOT_FOUND FORBIDDEN yes yes
publishPost                | NOT_FOUND NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND FORBIDDEN NOT_FOUND NOT_FOUND
deletePost of a draft      | NOT_FOUND NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND FORBIDDEN NOT_FOUND NOT_FOUND
deletePost                 | FORBIDDEN FORBIDDEN yes FORBIDDEN FORBIDDEN NOT_FOUND FORBIDDEN yes yes
createCaseStudy            | yes yes yes yes yes yes FORBIDDEN yes yes
updateCaseStudy of a draft | NOT_FOUND NOT_FOUND yes yes NOT_FOUND NOT_FOUND FORBIDDEN NOT_FOUND NOT_FOUND
updateCaseStudy            | FORBIDDEN FORBIDDEN yes yes FORBIDDEN NOT_FOUND FORBIDDEN yes yes
publishCaseStudy           | NOT_FOUND NOT_FOUND yes yes NOT_FOUND NOT_FOUND FORBIDDEN NOT_FOUND NOT_FOUND
archiveCaseStudy           | FORBIDDEN FORBIDDEN yes yes FORBIDDEN NOT_FOUND FORBIDDEN yes yes
deleteCaseStudy of a draft | NOT_FOUND NOT_FOUND yes FORBIDDEN NOT_FOUND NOT_FOUND FORBIDDEN NOT_FOUND NOT_FOUND
deleteCaseStudy            | FORBIDDEN FORBIDDEN yes FORBIDDEN FORBIDDEN NOT_FOUND FORBIDDEN yes yes
recordAdoption             | WRONG_STATE yes WRONG_STATE yes yes NOT_FOUND FORBIDDEN yes yes
updateAdoption             | FORBIDDEN FORBIDDEN FORBIDDEN yes FORBIDDEN NOT_FOUND FORBIDDEN yes yes
addComment to a draft      | NOT_FOUND NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND FORBIDDEN NOT_FOUND NOT_FOUND
addComment                 | yes yes yes yes yes NOT_FOUND FORBIDDEN yes yes
updateComment              | FORBIDDEN FORBIDDEN yes FORBIDDEN FORBIDDEN NOT_FOUND FORBIDDEN yes yes
deleteComment              | FORBIDDEN FORBIDDEN yes FORBIDDEN FORBIDDEN NOT_FOUND FORBIDDEN yes yes
acceptAnswer               | FORBIDDEN FORBIDDEN yes FORBIDDEN FORBIDDEN NOT_FOUND FORBIDDEN yes yes
unacceptAnswer             | FORBIDDEN FORBIDDEN yes FORBIDDEN FORBIDDEN NOT_FOUND FORBIDDEN yes yes
markRead                   | yes yes yes yes yes NOT_FOUND FORBIDDEN yes yes
react                      | yes yes yes yes yes NOT_FOUND FORBIDDEN yes yes
unreact                    | yes yes yes yes yes NOT_FOUND FORBIDDEN yes yes
follow                     | yes yes yes yes yes NOT_FOUND FORBIDDEN yes yes
unfollow                   | yes yes yes yes yes NOT_FOUND FORBIDDEN yes yes
mute                       | yes yes yes yes yes NOT_FOUND FORBIDDEN yes yes
unmute                     | yes yes yes yes yes NOT_FOUND FORBIDDEN yes yes
bookmark                   | yes yes yes yes yes NOT_FOUND FORBIDDEN yes yes
bookmark of a draft        | NOT_FOUND NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND FORBIDDEN NOT_FOUND NOT_FOUND
unbookmark                 | yes yes yes yes yes yes FORBIDDEN yes yes
updateNotificationPreferences | yes yes yes yes yes yes FORBIDDEN yes yes
updateDigestPreferences    | yes yes yes yes yes yes FORBIDDEN yes yes
createAccessToken          | yes yes yes yes yes yes FORBIDDEN yes yes
createAccessToken to moderate | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
createAccessToken to administer | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes
createAccessToken of a service account | NOT_FOUND NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND FORBIDDEN NOT_FOUND NOT_FOUND
revokeAccessToken          | NOT_FOUND NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND FORBIDDEN NOT_FOUND yes
createServiceAccount       | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
handOverServiceAccount     | NOT_FOUND NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND FORBIDDEN NOT_FOUND yes
reportContent              | yes yes yes yes yes NOT_FOUND FORBIDDEN yes yes
resolveReport              | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
hideContent                | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
restoreContent             | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
lockThread                 | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
unlockThread               | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
pinContribution            | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
unpinContribution          | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
setEditorsNote             | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
warnMember                 | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
suspendMember              | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
suspendMember who is an administrator | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes
reinstateMember            | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
updateProfile              | yes yes yes yes yes yes FORBIDDEN yes yes
removePhoto                | yes yes yes yes yes yes FORBIDDEN yes yes
removeMemberPhoto          | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
updateOrganisation         | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes
moveToSuccessor            | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes
setRole                    | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes
revokeSession              | yes yes yes yes yes yes yes yes yes
revokeSession of another member | NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND
signOutEverywhere          | yes yes yes yes yes yes yes yes yes
acceptRules                | yes yes yes yes yes yes yes yes yes
approveMember              | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
refuseMember               | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
createInvitation           | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
revokeInvitation           | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
requestDataExport          | yes yes yes yes yes yes yes yes yes
eraseMyAccount             | yes yes yes yes yes yes yes yes yes
cancelErasure              | yes yes yes yes yes yes yes yes yes
correctMember              | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes
eraseMember                | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes
setLegalHold               | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes
liftLegalHold              | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes
suppressMember             | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes
liftSuppression            | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes
startTotp                  | yes yes yes yes yes yes yes yes yes
addTotp                    | yes yes yes yes yes yes yes yes yes
startPasskey               | yes yes yes yes yes yes yes yes yes
addPasskey                 | yes yes yes yes yes yes yes yes yes
startSecondFactor          | yes yes yes yes yes yes yes yes yes
showSecondFactor           | yes yes yes yes yes yes yes yes yes
renewRecoveryCodes         | yes yes yes yes yes yes yes yes yes
removeSecondFactor         | yes yes yes yes yes yes yes yes yes
removeSecondFactor of another member | NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND
unlinkIdentity             | yes yes yes yes yes yes yes yes yes
unlinkIdentity of another member | NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND
resetSecondFactor          | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes
";

on_both_stores! {
    with crate::app::at_localhost;

    async fn every_mutation_by_everybody(app: &TestApp) {
        let cast = Cast::of(app).await;
        let mut found = String::from("\n");
        let rows: Vec<&str> = TABLE.trim().lines().filter_map(|line| line.split('|').next()).map(str::trim).collect();
        for row in &rows {
            let mut cells = Vec::new();
            for (column, actor) in COLUMNS.iter().zip(cast.everybody()) {
                let outcome = Scene { app, cast: &cast, actor }.outcome(row).await;
                match *column {
                    "anonymous" => assert_eq!(outcome, "UNAUTHENTICATED", "{row}"),
                    _ => cells.push(outcome),
                }
            }
            assert!(cells.iter().any(|cell| cell == "yes"), "nobody may {row}: {cells:?}");
            writeln!(found, "{row:<26} | {}", cells.join(" ")).unwrap();
        }
        assert_eq!(found, TABLE, "columns: {}", COLUMNS[1..].join(", "));

        agree_with_the_table(&rows, &found);
        for (kind, name) in operations(app, &cast.author).await {
            let known = Permission::named(&name).is_some() || OPEN.contains(&name.as_str());
            assert!(known, "{kind}.{name} is not in the table of permissions");
            let tried = kind != "mutationType" || rows.iter().any(|row| mutation_of(row) == name);
            assert!(tried, "{name} has no row");
        }
    }
}

pub fn mutation_of(row: &str) -> &str {
    row.split(' ').next().unwrap_or_default()
}

/// What happened to those who only happen to be there is what the table of permissions says of their role.
fn agree_with_the_table(rows: &[&str], found: &str) {
    let bystanders = ["other", "partner", "moderator", "administrator"];
    let roles = [Role::Member, Role::Partner, Role::Moderator, Role::Administrator];
    for row in rows {
        let permission = Permission::named(mutation_of(row)).unwrap_or_else(|| panic!("{row}"));
        for (bystander, role) in bystanders.iter().zip(roles) {
            let column = COLUMNS.iter().position(|column| column == bystander).unwrap_or_default() - 1;
            let cells: Vec<&str> = (found.lines())
                .filter(|line| mutation_of(line) == permission.operation)
                .filter_map(|line| line.split('|').nth(1)?.split_whitespace().nth(column))
                .collect();
            let agrees = match permission.of(role) {
                May::Not => cells.iter().all(|cell| *cell == "FORBIDDEN"),
                May::Own => cells.iter().all(|cell| *cell != "yes"),
                May::Yes => {
                    cells.contains(&"yes") || (*bystander == "other" && cells.contains(&"WRONG_STATE"))
                }
            };
            assert!(agrees, "{row}, {bystander}: {:?} but {cells:?}", permission.of(role));
        }
    }
}

/// The fields of the three roots.
pub async fn operations(app: &TestApp, person: &Person) -> Vec<(String, String)> {
    let query = "{ __schema { queryType { fields { name } } mutationType { fields { name } } subscriptionType { fields { name } } } }";
    let answer = app.graphql(&person.token, query, json!({})).await;
    let roots = answer["data"]["__schema"].as_object().unwrap_or_else(|| panic!("{answer}")).clone();
    let fields = roots.into_iter().flat_map(|(kind, root)| {
        let fields = root["fields"].as_array().cloned().unwrap_or_default();
        fields
            .into_iter()
            .map(move |field| (kind.clone(), field["name"].as_str().unwrap_or_default().to_owned()))
    });
    fields.collect()
}
