use chrono::{Datelike, Days, TimeDelta};
use proptest::prelude::*;

use super::*;
use crate::domain::{
    calendar::Date,
    email::EmailAddress,
    member::{DigestFrequency, DigestPreferences, Role},
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn weekly(weekday: Weekday, minute: u32) -> DigestPreferences {
    DigestPreferences { frequency: DigestFrequency::Weekly, weekday, minute, paused_until: None }
}

fn member(preferences: DigestPreferences, since: Timestamp) -> Member {
    Member {
        id: Id::of("1"),
        version: 1,
        email: EmailAddress::try_from("jo@trust.nhs.uk".to_owned()).unwrap(),
        email_key: "jo@trust.nhs.uk".to_owned(),
        name: "Jo".to_owned(),
        job_title: None,
        organisation: None,
        owner: None,
        role: Role::Member,
        digest_due_at: next_due(&preferences, since),
        digest: preferences,
        digest_covered_until: since,
        notifications: crate::domain::notification::NotificationPreferences::default(),
        follows: crate::domain::follow::FollowCounts::default(),
        created_at: since,
        suspension: None,
        standing: crate::domain::standing::Standing::default(),
        mailbox: crate::domain::mailbox::Mailbox::default(),
        profile: crate::domain::profile::Profile::default(),
        ended_sessions: Vec::new(),
        second_factor: None,
        acting: None,
    }
}

#[test]
fn tuesday_morning_is_london_s_in_winter_and_in_summer() {
    let tuesday = weekly(Weekday::Tue, 450);
    let next = |after| next_due(&tuesday, at(after)).unwrap().to_string();
    assert_eq!(next("2026-03-02T09:00:00Z"), "2026-03-03T07:30:00.000Z");
    assert_eq!(next("2026-03-03T07:29:59.999Z"), "2026-03-03T07:30:00.000Z");
    assert_eq!(next("2026-03-03T07:30:00Z"), "2026-03-10T07:30:00.000Z");
    assert_eq!(next("2026-03-24T12:00:00Z"), "2026-03-31T06:30:00.000Z");
    assert_eq!(next("2026-10-20T12:00:00Z"), "2026-10-27T07:30:00.000Z");
    let off = DigestPreferences { frequency: DigestFrequency::Off, ..tuesday };
    assert_eq!(next_due(&off, at("2026-03-02T09:00:00Z")), None);
}

#[test]
fn an_hour_that_does_not_exist_is_an_hour_later_and_one_that_comes_twice_is_the_first() {
    let sunday = weekly(Weekday::Sun, 90);
    let next = |after| next_due(&sunday, at(after)).unwrap().to_string();
    // 01:30 on 29 March 2026 is skipped; it is 02:30 by the clock.
    assert_eq!(next("2026-03-22T12:00:00Z"), "2026-03-29T01:30:00.000Z");
    assert_eq!(next("2026-03-29T01:30:00Z"), "2026-04-05T00:30:00.000Z");
    // 01:30 on 25 October 2026 is at 00:30 and at 01:30 UTC.
    assert_eq!(next("2026-10-24T12:00:00Z"), "2026-10-25T00:30:00.000Z");
    assert_eq!(next("2026-10-25T00:30:00Z"), "2026-11-01T01:30:00.000Z");
}

#[test]
fn week_53_is_followed_by_week_1() {
    let friday = weekly(Weekday::Fri, 450);
    let first = next_due(&friday, at("2026-12-31T23:00:00Z")).unwrap();
    assert_eq!(first.to_string(), "2027-01-01T07:30:00.000Z");
    assert_eq!(first.london().iso_week().week(), 53);
    let second = next_due(&friday, first).unwrap();
    assert_eq!(
        (second.to_string().as_str(), second.london().iso_week().week()),
        ("2027-01-08T07:30:00.000Z", 1)
    );
}

#[test]
fn weeks_that_were_missed_are_one_window() {
    let jo = member(weekly(Weekday::Tue, 450), at("2026-03-02T09:00:00Z"));
    assert_eq!(Window::due(&jo, at("2026-03-03T07:29:59Z")), None);
    let window = Window::due(&jo, at("2026-03-26T12:00:00Z")).unwrap();
    assert_eq!((window.from, window.until), (at("2026-03-02T09:00:00Z"), at("2026-03-24T07:30:00Z")));
    assert!(!window.contains(window.from) && window.contains(window.until));
}

#[test]
fn turned_on_again_a_digest_looks_back_a_week_at_most() {
    let now = at("2026-03-02T09:00:00Z");
    let mut jo = member(weekly(Weekday::Tue, 450), at("2025-03-02T09:00:00Z"));
    jo.choose_digest(DigestPreferences { frequency: DigestFrequency::Off, ..jo.digest.clone() }, now);
    assert_eq!(jo.digest_due_at, None);
    jo.choose_digest(weekly(Weekday::Tue, 450), now);
    assert_eq!(jo.digest_covered_until, at("2026-02-23T09:00:00Z"));
    // A change of day while digests are on leaves no gap.
    jo.choose_digest(weekly(Weekday::Fri, 450), at("2026-03-20T09:00:00Z"));
    assert_eq!(jo.digest_covered_until, at("2026-02-23T09:00:00Z"));
}

#[test]
fn the_third_bounce_in_a_row_is_one_too_many() {
    let window = Window { from: at("2026-03-02T09:00:00Z"), until: at("2026-03-03T07:30:00Z") };
    let planned = Digest::planned(&Id::of("1"), &window);
    let with = |state| Digest { state, ..planned.clone() };
    let history = |states: &[DigestState]| states.iter().copied().map(with).collect::<Vec<_>>();
    use DigestState::{Bounced, Empty, Planned, Sent};
    assert!(Digest::bounces_too_often(&history(&[Planned, Bounced, Empty, Bounced, Sent])));
    assert!(!Digest::bounces_too_often(&history(&[Planned, Bounced, Sent, Bounced])));
    assert!(!Digest::bounces_too_often(&history(&[Bounced])));
    assert_eq!(planned.id.as_str(), "dig_mbr_1-20260303");
}

fn preferences() -> impl Strategy<Value = DigestPreferences> {
    (0..7_u8, 0..1_440_u32).prop_map(|(day, minute)| weekly(Weekday::try_from(day).unwrap(), minute))
}

/// Of any frequency, perhaps with a pause.
fn any_preferences() -> impl Strategy<Value = DigestPreferences> {
    let frequencies = [DigestFrequency::Weekly, DigestFrequency::Fortnightly, DigestFrequency::Monthly];
    let pause = prop::option::of(YEARS.prop_map(|at| Date::of(Timestamp::from_millis(at))));
    (preferences(), prop::sample::select(frequencies.to_vec()), pause)
        .prop_map(|(chosen, frequency, paused_until)| DigestPreferences { frequency, paused_until, ..chosen })
}

/// 2000 to 2050. Until 1980 the clocks changed at another hour.
const YEARS: std::ops::Range<i64> = 946_684_800_000..2_524_608_000_000;

proptest! {
    /// While preferences don't change, there is one digest in each calendar week, at the wall clock
    /// time that was chosen (save in the hour that does not exist), and the windows tile time.
    #[test]
    fn one_digest_a_week_whatever_the_year(chosen in preferences(), start in YEARS) {
        let mut jo = member(chosen.clone(), Timestamp::from_millis(start));
        let mut weeks = Vec::new();
        for _ in 0..60 {
            let due = jo.digest_due_at.unwrap();
            let window = Window::due(&jo, due).unwrap();
            prop_assert_eq!((window.from, window.until), (jo.digest_covered_until, due));
            let wall = due.london();
            prop_assert_eq!(wall.weekday(), chosen.weekday);
            let minute = i64::from(chrono::Timelike::hour(&wall) * 60 + chrono::Timelike::minute(&wall));
            let late = minute - i64::from(chosen.minute);
            prop_assert!(late == 0 || (late == 60 && chosen.minute / 60 == 1 && chosen.weekday == Weekday::Sun));
            weeks.push(wall.date_naive() - Days::new(u64::from(chosen.weekday.num_days_from_monday())));
            jo.digest_due_at = next_due(&jo.digest, due);
            jo.digest_covered_until = window.until;
        }
        prop_assert!(weeks.windows(2).all(|pair| pair[0] + Days::new(7) == pair[1]));
    }

    /// However often preferences change and however late the worker is, windows neither overlap nor
    /// leave a gap, and no two digests have the same id.
    #[test]
    fn windows_tile_time_whatever_members_choose(
        start in YEARS,
        steps in prop::collection::vec((0..2_000_000_000_i64, prop::option::of(any_preferences())), 1..80),
    ) {
        let mut now = Timestamp::from_millis(start);
        let mut jo = member(weekly(Weekday::Tue, 450), now);
        let (mut covered, mut ids) = (now, std::collections::HashSet::new());
        for (wait, choice) in steps {
            now = now.plus(TimeDelta::milliseconds(wait));
            if let Some(choice) = choice {
                jo.choose_digest(choice, now);
            }
            prop_assert!(jo.digest_due_at.is_some());
            let Some(window) = Window::due(&jo, now) else { continue };
            prop_assert!(window.from == covered && window.until <= now);
            jo.digest_due_at = next_due(&jo.digest, now);
            // A second one on the same day is not planned: its window waits for the next.
            if ids.insert(Digest::planned(&jo.id, &window).id) {
                jo.digest_covered_until = window.until;
                covered = window.until;
            }
        }
    }
}

#[test]
fn a_fortnight_and_a_month_follow_the_calendar() {
    let on = |frequency| DigestPreferences { frequency, ..weekly(Weekday::Tue, 450) };
    let dues = |preferences: &DigestPreferences, start: &str, count| {
        let mut due = at(start);
        let mut dues = Vec::new();
        for _ in 0..count {
            due = next_due(preferences, due).unwrap();
            dues.push(due.london().format("%Y-%m-%d %H:%M").to_string());
        }
        dues
    };
    // 2026 has 53 weeks.
    assert_eq!(
        dues(&on(DigestFrequency::Fortnightly), "2026-12-10T12:00:00Z", 4),
        ["2026-12-15 07:30", "2026-12-29 07:30", "2027-01-12 07:30", "2027-01-26 07:30"]
    );
    assert_eq!(
        dues(&on(DigestFrequency::Monthly), "2026-02-03T08:00:00Z", 4),
        ["2026-03-03 07:30", "2026-04-07 07:30", "2026-05-05 07:30", "2026-06-02 07:30"]
    );
}

#[test]
fn a_pause_ends_on_its_day_and_what_it_covered_is_told_then() {
    let mut jo = member(weekly(Weekday::Tue, 450), at("2026-02-03T07:30:00Z"));
    let until = Date("2026-03-03".parse().unwrap());
    let pause = DigestPreferences { paused_until: Some(until), ..jo.digest.clone() };
    jo.choose_digest(pause, at("2026-02-04T12:00:00Z"));
    assert_eq!(jo.digest_due_at, Some(at("2026-03-03T07:30:00Z")));
    assert_eq!(Window::due(&jo, at("2026-03-02T12:00:00Z")), None);
    let window = Window::due(&jo, at("2026-03-03T07:30:00Z")).unwrap();
    assert_eq!((window.from, window.until), (at("2026-02-03T07:30:00Z"), at("2026-03-03T07:30:00Z")));
    // Past, it is as if there were none.
    assert_eq!(next_due(&jo.digest, window.until), Some(at("2026-03-10T07:30:00Z")));
}
