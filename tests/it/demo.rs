//! The demonstration community: what is counted in it is there.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use hope_exchange::{
    demo::{self, Size},
    domain::{
        audit::{AuditAction, AuditEntry},
        bookmark::Bookmark,
        case_study::CaseStudy,
        comment::{ACCEPTED_SCORE, Comment},
        contribution::ContributionId,
        entry::Entry,
        follow::{Follow, FollowCounts, Target},
        member::{Member, Role},
        pin::Board,
        post::{Post, PostKind},
        reaction::{ReactionCounts, ReactionKind, Reactions},
        report::{Report, ReportState},
        standing::MemberState,
        thread::Thread,
    },
    ids::Id,
    store::Store,
};
use serde_json::json;

use crate::{
    app::TestApp,
    community::{all, reload},
    on_both_stores,
};

async fn seed(app: &TestApp) {
    assert!(demo::seed(&app.app, 1, Size::Written, |_, _| {}).await.unwrap());
}

async fn with_role(store: &Store, role: Role) -> Member {
    let mut found: Vec<Member> = all(store).await;
    found.retain(|member| member.role == role);
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// What the reactions on each thing come to, by its id.
async fn reactions(store: &Store) -> HashMap<String, ReactionCounts> {
    let mut counts: HashMap<String, ReactionCounts> = HashMap::new();
    for one in all::<Reactions>(store).await {
        for kind in one.kinds {
            *counts.entry(one.target.clone()).or_default().of_mut(kind) += 1;
        }
    }
    counts
}

on_both_stores! {
    // As the demonstration has it.
    with |config| config.second_factor.required = false;

    async fn counters_say_what_there_is(app: &TestApp) {
        seed(app).await;
        let store = &app.app.store;
        let counted = reactions(store).await;
        let of = |id: &str| counted.get(id).copied().unwrap_or_default();
        let (posts, comments): (Vec<Post>, Vec<Comment>) = (all(store).await, all(store).await);
        assert!(posts.iter().all(|post| post.reactions == of(post.id.as_str())));
        for comment in &comments {
            assert_eq!(comment.reactions, of(comment.id.as_str()));
            let accepted = if comment.accepted { ACCEPTED_SCORE } else { 0 };
            assert_eq!(comment.score, comment.reactions.total() + accepted);
        }
        for case_study in all::<CaseStudy>(store).await {
            let entry: Entry = reload(store, &Entry::id_of(&(&case_study.id).into())).await;
            assert_eq!(entry.reactions, of(case_study.id.as_str()));
        }
        let popular = posts.iter().filter(|post| post.reactions.total() >= 15).count();
        let quiet = posts.iter().filter(|post| post.reactions.total() <= 4).count();
        assert!((5..60).contains(&popular) && quiet > 150, "{popular} {quiet}");
        assert!(ReactionKind::ALL.iter().all(|kind| posts.iter().any(|post| post.reactions.of(*kind) > 5)));

        let mut readable: BTreeMap<Id<Thread>, i64> = BTreeMap::new();
        for comment in comments.iter().filter(|comment| comment.is_readable()) {
            *readable.entry(comment.thread.clone()).or_default() += 1;
        }
        for thread in all::<Thread>(store).await {
            assert_eq!(thread.comment_count, readable.get(&thread.id).copied().unwrap_or_default());
        }

        let follows: Vec<Follow> = all(store).await;
        let mut counts: BTreeMap<Id<Member>, FollowCounts> = BTreeMap::new();
        for follow in &follows {
            let counts = counts.entry(follow.member.clone()).or_default();
            match follow.target {
                Target::Thread(_) => counts.threads += 1,
                _ => counts.interests += 1,
            }
        }
        for member in all::<Member>(store).await {
            assert_eq!(member.follows, counts.get(&member.id).copied().unwrap_or_default());
            let old_hand = member.role != Role::Partner && member.standing.state == MemberState::Active;
            assert_eq!(member.follows.interests >= 1, old_hand);
        }
        assert!(posts.iter().all(|post| {
            let thread = Target::Thread(post.thread.clone());
            follows.iter().any(|follow| follow.member == post.author && follow.target == thread)
        }));
        assert!(all::<Bookmark>(store).await.len() > 100);
    }

    async fn about_half_of_the_questions_that_somebody_took_up_have_an_accepted_answer(app: &TestApp) {
        seed(app).await;
        let store = &app.app.store;
        let (posts, comments): (Vec<Post>, Vec<Comment>) = (all(store).await, all(store).await);
        let (mut taken_up, mut answered) = (0, 0);
        for post in &posts {
            let accepted: Vec<&Comment> =
                comments.iter().filter(|comment| comment.thread == post.thread && comment.accepted).collect();
            taken_up += usize::from(post.kind == PostKind::Question && post.answered);
            answered += accepted.len();
            assert_eq!(accepted.first().map(|comment| &comment.id), post.accepted_answer.as_ref());
            for comment in accepted {
                assert!(post.kind == PostKind::Question && comment.depth == 0 && comment.is_readable());
                assert_ne!(comment.author, post.author);
            }
        }
        assert!(answered * 3 > taken_up && answered * 3 < taken_up * 2, "{answered} of {taken_up}");
    }

    async fn its_moderator_has_something_to_do_and_has_done_something(app: &TestApp) {
        seed(app).await;
        let store = &app.app.store;
        let moderator = with_role(store, Role::Moderator).await;
        with_role(store, Role::Administrator).await;
        let query = "{ moderationQueue(first: 20) { nodes { reason note subject { __typename } } } }";
        let answer = app.graphql(&app.sign_in(moderator.clone()).token, query, json!({})).await;
        let queue = answer["data"]["moderationQueue"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let reasons: std::collections::BTreeSet<&str> =
            queue.iter().filter_map(|report| report["reason"].as_str()).collect();
        assert_eq!((queue.len(), reasons.len()), (6, 6), "{answer}");
        assert!(queue.iter().all(|report| report["subject"].is_object()), "{answer}");

        let (reports, audit): (Vec<Report>, Vec<AuditEntry>) = (all(store).await, all(store).await);
        let decided: Vec<&Report> =
            reports.iter().filter(|report| report.state != ReportState::Open).collect();
        assert_eq!(decided.len(), 2);
        for report in decided {
            let action = match report.state {
                ReportState::Upheld => AuditAction::UpholdReport,
                _ => AuditAction::DismissReport,
            };
            let entry = audit.iter().find(|entry| entry.subject == report.id.as_str()).unwrap();
            assert_eq!((entry.action, &entry.actor, &entry.reason), (action, &moderator.id, &report.resolution));
            assert_eq!(Some(entry.at), report.resolved_at);
        }
        let comments: Vec<Comment> = all(store).await;
        let hidden: Vec<&Comment> = comments.iter().filter(|comment| comment.is_hidden()).collect();
        assert_eq!(hidden.len(), 1);
        let done = audit.iter().filter(|entry| entry.subject == hidden[0].id.as_str());
        let mut done: Vec<(_, AuditAction)> = done.map(|entry| (entry.at, entry.action)).collect();
        done.sort_by_key(|(at, _)| *at);
        let done: Vec<AuditAction> = done.into_iter().map(|(_, action)| action).collect();
        assert_eq!(done, [AuditAction::HideUntilReviewed, AuditAction::HideContent]);

        let board: Board = reload(store, &Board::id_of_all()).await;
        assert_eq!(board.pinned.len(), 2);
        assert!(matches!(board.pinned[0], ContributionId::CaseStudy(_)));
        assert!(matches!(board.pinned[1], ContributionId::Post(_)));
    }

    async fn some_ask_to_join_and_some_are_invited(app: &TestApp) {
        seed(app).await;
        let store = &app.app.store;
        let moderator = app.sign_in(with_role(store, Role::Moderator).await);
        let query = "{ membersAwaitingApproval(first: 9) { nodes { email } } invitations(first: 9) { nodes { state sponsor { role } acceptedBy { name } scope { topics { id } caseStudies { id } } } } }";
        let answer = app.graphql(&moderator.token, query, json!({})).await;
        assert_eq!(answer["data"]["membersAwaitingApproval"]["nodes"].as_array().unwrap().len(), 2, "{answer}");
        let invitations = answer["data"]["invitations"]["nodes"].as_array().unwrap();
        assert_eq!((&invitations[0]["state"], &invitations[1]["state"]), (&json!("OPEN"), &json!("ACCEPTED")));
        let scope = &invitations[1]["scope"];
        assert_eq!((scope["topics"].as_array().unwrap().len(), scope["caseStudies"].as_array().unwrap().len()), (2, 1));

        let mut partner = with_role(store, Role::Partner).await;
        partner.organisation = Some(Id::of("none"));
        let partner = app.sign_in(partner);
        let feed = "{ viewer { scope { caseStudies { id } } } feed(first: 1) { totalCount } caseStudies(first: 100) { nodes { id topics { id } } } }";
        let answer = app.graphql(&partner.token, feed, json!({})).await;
        let all: Vec<Post> = all(store).await;
        let seen = answer["data"]["feed"]["totalCount"].as_u64().unwrap_or_else(|| panic!("{answer}"));
        assert!(seen > 5 && seen < all.len() as u64 / 2, "{seen}");
        let case_studies = answer["data"]["caseStudies"]["nodes"].as_array().unwrap();
        let invited = &answer["data"]["viewer"]["scope"]["caseStudies"][0]["id"];
        assert!(case_studies.iter().any(|one| one["id"] == *invited));
        for one in case_studies.iter().filter(|one| one["id"] != *invited) {
            let topics = one["topics"].as_array().unwrap();
            assert!(topics.iter().any(|topic| topic["id"] == "top_mental-health" || topic["id"] == "top_volunteering"), "{one}");
        }
    }

    async fn nobody_reacts_before_there_is_something_or_to_what_they_wrote_or_in_the_future(app: &TestApp) {
        seed(app).await;
        let store = &app.app.store;
        let (posts, comments): (Vec<Post>, Vec<Comment>) = (all(store).await, all(store).await);
        let posts = posts.iter().map(|post| (post.id.as_str(), (&post.author, post.created_at)));
        let comments = comments.iter().map(|comment| (comment.id.as_str(), (&comment.author, comment.created_at)));
        let written: HashMap<&str, _> = posts.chain(comments).collect();
        for one in all::<Reactions>(store).await {
            assert!(one.updated_at <= app.now() && !one.kinds.is_empty());
            if let Some((author, at)) = written.get(one.target.as_str()) {
                assert!(one.member != **author && one.updated_at > *at);
            }
        }
        let late = app.now().minus(TimeDelta::days(400));
        assert!(all::<Follow>(store).await.iter().all(|follow| (late..=app.now()).contains(&follow.since)));
    }
}
