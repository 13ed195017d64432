//! Who may do what: every mutation by everybody, as one table.
//!
//! A mutation that has no row fails the test, and so does one whose subject is not what its row needs:
//! somebody has to be allowed.

use std::fmt::Write;

use chrono::TimeDelta;
use hope_exchange::domain::member::Role;
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp, random},
    case_studies::{complete, with},
    on_both_stores,
};

/// Everybody, in the columns' order. `author` wrote what it is about; the others only happen to be there.
struct Cast {
    /// Of the author's organisation.
    colleague: Person,
    /// Of another one.
    other: Person,
    author: Person,
    co_author: Person,
    partner: Person,
    moderator: Person,
    administrator: Person,
    /// Somebody to act on.
    second_administrator: Person,
}

const COLUMNS: [&str; 8] =
    ["anonymous", "colleague", "other", "author", "co-author", "partner", "moderator", "administrator"];

impl Cast {
    async fn of(app: &TestApp) -> Self {
        let author = app.person("Ada Moore").await;
        let cast = Self {
            colleague: app.colleague(&author, "Ivy Stone").await,
            other: app.person("Joan Clarke").await,
            co_author: app.person("Grace Hill").await,
            partner: app.person("Ruth Lamb").await,
            moderator: app.person("Mary Ward").await,
            administrator: app.person("Edith Cave").await,
            second_administrator: app.person("Agnes Hunt").await,
            author,
        };
        app.grant(&cast.partner, Role::Partner).await;
        app.grant(&cast.moderator, Role::Moderator).await;
        app.grant(&cast.administrator, Role::Administrator).await;
        app.grant(&cast.second_administrator, Role::Administrator).await;
        cast
    }

    fn everybody(&self) -> [Option<&Person>; 8] {
        let Self { colleague, other, author, co_author, partner, moderator, administrator, .. } = self;
        [
            None,
            Some(colleague),
            Some(other),
            Some(author),
            Some(co_author),
            Some(partner),
            Some(moderator),
            Some(administrator),
        ]
    }
}

/// What there is to act on: made anew for each of the cast, so that nobody's act is in another's way.
struct Scene<'a> {
    app: &'a TestApp,
    cast: &'a Cast,
    /// Whose turn it is.
    actor: Option<&'a Person>,
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

    /// The input of a mutation, about something of this scene.
    async fn input(&self, row: &str) -> Json {
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
            "suspendMember who is an administrator" => {
                json!({ "memberId": self.cast.second_administrator.id, "until": self.app.now().plus(TimeDelta::minutes(1)).to_string(), "reason": "Not kind." })
            }
            _ => panic!("{row} has no input"),
        }
    }

    /// `yes`, or the code with which it is refused.
    async fn outcome(&self, row: &str) -> String {
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
const TABLE: &str = "
createPost                 | yes yes yes yes yes yes yes
updatePost of a draft      | NOT_FOUND NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND
updatePost                 | FORBIDDEN FORBIDDEN yes FORBIDDEN FORBIDDEN yes yes
publishPost                | NOT_FOUND NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND
deletePost of a draft      | NOT_FOUND NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND
deletePost                 | FORBIDDEN FORBIDDEN yes FORBIDDEN FORBIDDEN yes yes
createCaseStudy            | yes yes yes yes yes yes yes
updateCaseStudy of a draft | NOT_FOUND NOT_FOUND yes yes NOT_FOUND NOT_FOUND NOT_FOUND
updateCaseStudy            | FORBIDDEN FORBIDDEN yes yes FORBIDDEN yes yes
publishCaseStudy           | NOT_FOUND NOT_FOUND yes yes NOT_FOUND NOT_FOUND NOT_FOUND
archiveCaseStudy           | FORBIDDEN FORBIDDEN yes yes FORBIDDEN yes yes
deleteCaseStudy of a draft | NOT_FOUND NOT_FOUND yes FORBIDDEN NOT_FOUND NOT_FOUND NOT_FOUND
deleteCaseStudy            | FORBIDDEN FORBIDDEN yes FORBIDDEN FORBIDDEN yes yes
recordAdoption             | WRONG_STATE yes WRONG_STATE yes yes yes yes
updateAdoption             | FORBIDDEN FORBIDDEN FORBIDDEN yes FORBIDDEN yes yes
addComment to a draft      | NOT_FOUND NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND
addComment                 | yes yes yes yes yes yes yes
updateComment              | FORBIDDEN FORBIDDEN yes FORBIDDEN FORBIDDEN yes yes
deleteComment              | FORBIDDEN FORBIDDEN yes FORBIDDEN FORBIDDEN yes yes
acceptAnswer               | FORBIDDEN FORBIDDEN yes FORBIDDEN FORBIDDEN yes yes
unacceptAnswer             | FORBIDDEN FORBIDDEN yes FORBIDDEN FORBIDDEN yes yes
markRead                   | yes yes yes yes yes yes yes
react                      | yes yes yes yes yes yes yes
unreact                    | yes yes yes yes yes yes yes
follow                     | yes yes yes yes yes yes yes
unfollow                   | yes yes yes yes yes yes yes
mute                       | yes yes yes yes yes yes yes
unmute                     | yes yes yes yes yes yes yes
bookmark                   | yes yes yes yes yes yes yes
bookmark of a draft        | NOT_FOUND NOT_FOUND yes NOT_FOUND NOT_FOUND NOT_FOUND NOT_FOUND
unbookmark                 | yes yes yes yes yes yes yes
updateNotificationPreferences | yes yes yes yes yes yes yes
reportContent              | yes yes yes yes yes yes yes
resolveReport              | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
hideContent                | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
restoreContent             | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
lockThread                 | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
unlockThread               | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
pinContribution            | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
unpinContribution          | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
warnMember                 | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
suspendMember              | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
suspendMember who is an administrator | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes
reinstateMember            | FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN yes yes
";

on_both_stores! {
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

        let names = app.graphql(&cast.author.token, "{ __schema { mutationType { fields { name } } } }", json!({})).await;
        let names = names["data"]["__schema"]["mutationType"]["fields"].as_array().unwrap_or_else(|| panic!("{names}"));
        for name in names.iter().filter_map(|field| field["name"].as_str()) {
            assert!(rows.iter().any(|row| row.split(' ').next() == Some(name)), "{name} has no row");
        }
    }
}
