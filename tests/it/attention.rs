//! What tests of attention have in common: follows, bookmarks, read marks and notifications.

use chrono::TimeDelta;
use hope_exchange::{
    domain::{
        follow::{Follow, FollowCounts, Stance},
        member::Member,
    },
    ids::Id,
    jobs,
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    community::{all, reload},
};

pub fn thread_of(contribution: &str) -> String {
    format!("thr_{}", contribution.split_once('_').unwrap().1)
}

impl TestApp {
    /// The id of a new post about volunteering, a moment later than what was before.
    pub async fn shared(&self, by: &Person, kind: &str, title: &str) -> String {
        self.advance(TimeDelta::seconds(1));
        let post = json!({ "kind": kind, "title": title, "body": "As it is.", "topicIds": ["top_volunteering"], "publish": true });
        self.create_post(by, post).await
    }

    /// The id of a new comment, a moment later than what was before.
    pub async fn said(&self, by: &Person, thread: &str, parent: Option<&str>, body: &str) -> String {
        self.advance(TimeDelta::seconds(1));
        let input = json!({ "threadId": thread, "parentId": parent, "body": body });
        let added = self.mutate(by, "addComment", &input, "comment { id }").await;
        added["comment"]["id"].as_str().unwrap_or_else(|| panic!("{added}")).to_owned()
    }

    /// `follow`, `unfollow`, `mute` or `unmute`.
    pub async fn stands(&self, by: &Person, how: &str, target: &str) -> Json {
        self.mutate(by, how, &json!({ "subjectId": target }), "follow { following muted subjectId }").await
    }

    pub async fn reads(&self, by: &Person, thread: &str) {
        let read =
            self.mutate(by, "markRead", &json!({ "threadId": thread }), "thread { viewerUnreadCount }").await;
        assert_eq!(read["thread"]["viewerUnreadCount"], 0, "{read}");
    }

    /// Does what is due, and returns what the member is told, last happened first: kind, count, text.
    pub async fn told(&self, person: &Person) -> Vec<(String, i64, String)> {
        jobs::run_due(&self.app).await.unwrap();
        let query = "{ viewer { notifications(first: 50) { nodes { kind count text } } } }";
        let answer = self.graphql(&person.token, query, json!({})).await;
        let nodes = answer["data"]["viewer"]["notifications"]["nodes"].as_array();
        let text = |node: &Json, key: &str| node[key].as_str().unwrap().to_owned();
        let told = nodes.unwrap_or_else(|| panic!("{answer}")).iter();
        told.map(|node| (text(node, "kind"), node["count"].as_i64().unwrap(), text(node, "text"))).collect()
    }

    pub async fn unread_count(&self, person: &Person) -> i64 {
        let answer = self.graphql(&person.token, "{ viewer { unreadCount } }", json!({})).await;
        answer["data"]["viewer"]["unreadCount"].as_i64().unwrap_or_else(|| panic!("{answer}"))
    }

    /// The counters on a member are what their follows add up to.
    pub async fn counts_truly(&self, person: &Person) -> FollowCounts {
        let id: Id<Member> = Id::parse(&person.id).unwrap();
        let counts = reload(&self.app.store, &id).await.follows;
        let follows: Vec<Follow> = all(&self.app.store).await;
        let count = |interest, stance| {
            let counted = |follow: &&Follow| {
                follow.member == id && follow.interest == interest && follow.stance == stance
            };
            follows.iter().filter(counted).count() as i64
        };
        let truth = FollowCounts {
            interests: count(true, Stance::Following),
            threads: count(false, Stance::Following),
            muted_interests: count(true, Stance::Muted),
            muted_threads: count(false, Stance::Muted),
        };
        assert_eq!(counts, truth);
        truth
    }

    /// How many store calls a query takes: the same number however often it is asked.
    pub async fn calls_of(&self, person: &Person, query: &str) -> u64 {
        let mut counts = std::collections::BTreeSet::new();
        for _ in 0..10 {
            let before = self.app.store.calls();
            let answer = self.graphql(&person.token, query, json!({})).await;
            assert_eq!(answer["errors"], Json::Null, "{answer}");
            counts.insert(self.app.store.calls() - before);
        }
        assert_eq!(counts.len(), 1, "{counts:?}");
        counts.pop_first().unwrap()
    }
}
