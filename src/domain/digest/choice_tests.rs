use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::domain::{
    digest::candidate::Kind,
    email::EmailAddress,
    member::{DigestPreferences, Member},
    place::Place,
    post::PostKind,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn window() -> Window {
    Window { from: at("2026-02-24T07:30:00Z"), until: at("2026-03-03T07:30:00Z") }
}

fn jo() -> Member {
    let email = EmailAddress::parse("jo@trust.nhs.uk").unwrap();
    let mut jo = Member::new(Id::of("jo"), email, DigestPreferences::off(), at("2026-01-01T00:00:00Z"));
    jo.profile.experience_topics = vec![Id::of("complaints")];
    jo.profile.interests = vec![Id::of("access")];
    jo
}

fn candidate(id: &str, kind: PostKind, topic: &str) -> Candidate {
    let author = Id::of(&format!("author-of-{id}"));
    Candidate {
        id: ContributionId::Post(Id::of(id)),
        kind: Kind::Post(kind),
        thread: Id::of(id),
        published_at: at("2026-03-01T12:00:00Z"),
        targets: vec![Target::Member(author.clone()), Target::Topic(Id::of(topic))],
        authors: vec![author],
        organisations: Vec::new(),
        place: Place::default(),
        mentions: Vec::new(),
        answered: false,
        starts_at: None,
        quality: 0.0,
        review_at: None,
    }
}

fn chosen(member: &Member, pool: &Pool, told: &[&str], room: usize) -> Vec<(Section, String)> {
    let told = told.iter().map(|what| crate::domain::digest::Told {
        section: Section::New,
        what: What::try_from((*what).to_owned()).unwrap(),
        score: 0.0,
        reason: None,
    });
    let reader = Reader::new(member, None, Vec::new(), told);
    let mut offers = Offers::of(&reader, pool, window());
    offers.rank();
    let choice = offers.choose(room);
    choice.items.into_iter().map(|item| (item.section, item.what.as_str().to_owned())).collect()
}

fn news(candidates: impl IntoIterator<Item = Candidate>) -> Pool {
    Pool { news: candidates.into_iter().collect(), ..Pool::default() }
}

#[test]
fn a_question_about_what_they_know_comes_first_however_old() {
    let mut old = candidate("old", PostKind::Question, "complaints");
    old.published_at = at("2026-02-10T12:00:00Z");
    let mut answered = candidate("answered", PostKind::Question, "complaints");
    answered.answered = true;
    let elsewhere = candidate("elsewhere", PostKind::Question, "food");
    let idea = candidate("idea", PostKind::Idea, "complaints");
    let mut too_old = candidate("too-old", PostKind::Question, "complaints");
    too_old.published_at = at("2026-01-30T12:00:00Z");
    let found = chosen(&jo(), &news([elsewhere, idea, answered, old, too_old]), &[], 12);
    assert_eq!(found[0], (Section::Questions, "pst_old".to_owned()));
    let new: HashSet<&str> = found[1..].iter().map(|(_, what)| what.as_str()).collect();
    assert_eq!(new, HashSet::from(["pst_answered", "pst_elsewhere", "pst_idea"]));
    assert!(found[1..].iter().all(|(section, _)| *section == Section::New));
}

#[test]
fn own_words_muted_topics_and_what_was_told_are_left_out() {
    let mut own = candidate("own", PostKind::Idea, "access");
    own.authors = vec![jo().id];
    let pool = news([
        own,
        candidate("told", PostKind::Idea, "access"),
        candidate("muted", PostKind::Idea, "food"),
        candidate("new", PostKind::Idea, "access"),
    ]);
    let mut member = jo();
    assert_eq!(chosen(&member, &pool, &["pst_told"], 12).len(), 2);
    let muted = crate::domain::follow::Follow::new(
        &member.id,
        Target::Topic(Id::of("food")),
        crate::domain::follow::Stance::Muted,
        at("2026-01-01T00:00:00Z"),
    );
    let reader = Reader::new(&member, None, vec![muted], []);
    let offers = Offers::of(&reader, &pool, window());
    assert!(offers.items().all(|item| item.what.as_str() != "pst_muted"));
    // A partner hears of what they were invited to alone.
    member.role = crate::domain::member::Role::Partner;
    member.standing.scope = Some(crate::domain::standing::PartnerScope {
        topics: vec![Id::of("food")],
        case_studies: Vec::new(),
    });
    assert_eq!(chosen(&member, &pool, &[], 12), [(Section::New, "pst_muted".to_owned())]);
}

#[test]
fn what_is_theirs_beats_what_is_liked_and_new_beats_old() {
    let mut liked = candidate("liked", PostKind::Idea, "food");
    liked.quality = crate::domain::digest::candidate::QUALITY_MAX;
    let mut older = candidate("older", PostKind::Idea, "access");
    older.published_at = at("2026-02-24T12:00:00Z");
    let theirs = candidate("theirs", PostKind::Idea, "access");
    let found = chosen(&jo(), &news([liked, older, theirs]), &[], 12);
    let order: Vec<&str> = found.iter().map(|(_, what)| what.as_str()).collect();
    assert_eq!(order, ["pst_theirs", "pst_older", "pst_liked"]);
}

#[test]
fn events_are_told_once_when_they_are_near() {
    let event = |id: &str, starts: &str| Candidate {
        starts_at: Some(at(starts)),
        published_at: at("2026-01-10T12:00:00Z"),
        ..candidate(id, PostKind::Event, "food")
    };
    let events = vec![
        event("near", "2026-03-12T10:00:00Z"),
        event("far", "2026-04-12T10:00:00Z"),
        event("past", "2026-03-01T10:00:00Z"),
        event("told", "2026-03-10T10:00:00Z"),
    ];
    let pool = Pool { events, ..Pool::default() };
    assert_eq!(chosen(&jo(), &pool, &["pst_told"], 12), [(Section::Events, "pst_near".to_owned())]);
}

#[test]
fn the_library_is_for_quiet_weeks() {
    let library = |id: &str, topic: &str| Candidate {
        id: ContributionId::CaseStudy(Id::of(id)),
        kind: Kind::CaseStudy,
        published_at: at("2025-03-10T12:00:00Z"),
        ..candidate(id, PostKind::Idea, topic)
    };
    let mut out_of_date = library("out-of-date", "complaints");
    out_of_date.review_at = Some(at("2026-01-01T00:00:00Z"));
    let mut best = library("best", "complaints");
    best.quality = 1.0;
    let shelf = vec![out_of_date, library("good", "complaints"), best, library("foreign", "food")];
    let quiet = Pool { library: shelf.clone(), ..Pool::default() };
    assert_eq!(chosen(&jo(), &quiet, &[], 12), [(Section::Library, "cst_best".to_owned())]);
    assert_eq!(chosen(&jo(), &quiet, &["cst_best"], 12), [(Section::Library, "cst_good".to_owned())]);
    let ideas = (0..3).map(|n| candidate(&format!("idea-{n}"), PostKind::Idea, "food"));
    let busy = Pool { library: shelf, news: ideas.collect(), ..Pool::default() };
    assert!(chosen(&jo(), &busy, &[], 12).iter().all(|(section, _)| *section == Section::New));
}

#[test]
fn each_section_has_a_share_and_takes_what_others_leave() {
    let questions = (0..9).map(|n| candidate(&format!("q{n}"), PostKind::Question, "complaints"));
    let ideas = (0..9).map(|n| candidate(&format!("i{n}"), PostKind::Idea, "food"));
    let pool = news(questions.chain(ideas));
    let count =
        |section, room| chosen(&jo(), &pool, &[], room).iter().filter(|(of, _)| *of == section).count();
    assert_eq!((count(Section::Questions, 6), count(Section::New, 6)), (3, 3));
    assert_eq!((count(Section::Questions, 12), count(Section::New, 12)), (3, 9));
}

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let kinds = [PostKind::Idea, PostKind::Question, PostKind::Update, PostKind::Event];
    let topics = ["access", "complaints", "food"];
    let one = (0..4_usize, 0..3_usize, 0..6_u8, 0..90_i64, any::<bool>(), -10..40_i64);
    prop::collection::vec(one, 0..120).prop_map(move |all| {
        let make = |(number, (kind, topic, author, days, answered, starts)): (
            usize,
            (usize, usize, u8, i64, bool, i64),
        )| {
            let mut made = candidate(&format!("{number}"), kinds[kind], topics[topic]);
            made.authors = vec![Id::of(&format!("author-{author}"))];
            made.targets[0] = Target::Member(made.authors[0].clone());
            made.published_at = window().until.minus(TimeDelta::days(days));
            made.answered = answered;
            made.starts_at =
                (kinds[kind] == PostKind::Event).then(|| window().until.plus(TimeDelta::days(starts)));
            made
        };
        all.into_iter().enumerate().map(make).collect()
    })
}

proptest! {
    /// Never more than there is room for, never one thing twice, never too much of one author; nothing
    /// that is outside the window but questions that wait and events that come; the same every time.
    #[test]
    fn what_is_chosen_is_short_and_mixed(all in candidates(), room in 1..20_usize) {
        let events = all.iter().filter(|one| one.starts_at.is_some()).cloned().collect();
        let pool = Pool { events, ..news(all.clone()) };
        let member = jo();
        let found = chosen(&member, &pool, &[], room);
        prop_assert!(found.len() <= room);
        let distinct: HashSet<&String> = found.iter().map(|(_, what)| what).collect();
        prop_assert_eq!(distinct.len(), found.len());
        let of = |what: &str| all.iter().find(|one| one.id.as_str() == what).unwrap();
        let mut authors = HashMap::new();
        for (section, what) in &found {
            let one = of(what);
            *authors.entry(one.authors[0].clone()).or_insert(0) += 1;
            match section {
                Section::New => prop_assert!(is_in(window(), one.published_at)),
                Section::Questions => prop_assert!(one.waits() && is_waiting(one, window())),
                Section::Events => prop_assert!(is_soon(one, window())),
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert!(authors.values().all(|count| *count <= ALIKE_MAX));
        prop_assert_eq!(chosen(&member, &pool, &[], room), found);
    }
}
