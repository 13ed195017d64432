//! What the demonstration's members tell of themselves.

use std::collections::BTreeSet;

use super::life::Life;
use crate::{
    domain::{
        follow::{Follow, Target},
        member::Member,
        profile::{Audience, Phone, experience_tags},
        topic::Topic,
    },
    ids::Id,
};

/// Numbers that nobody has: Ofcom keeps these for drama.
const PHONE: &str = "01632 960";

impl Life<'_> {
    /// The member with a profile, and found by it.
    pub(super) fn with_profile<'f>(
        &self,
        member: &Member,
        follows: impl Iterator<Item = &'f Follow>,
    ) -> Member {
        let (builder, mut member) = (self.builder, member.clone());
        let mut topics: BTreeSet<Id<Topic>> = self.wrote.get(&member.id).cloned().unwrap_or_default();
        topics.extend(follows.filter_map(|follow| match &follow.target {
            Target::Topic(topic) => Some(topic.clone()),
            _ => None,
        }));
        let some = |of: &BTreeSet<Id<Topic>>, count: usize| {
            let all: Vec<_> = of.iter().cloned().collect();
            let start = builder.below(all.len().max(1));
            all.iter().cycle().skip(start).take(count.min(all.len())).cloned().collect::<Vec<_>>()
        };
        let profile = &mut member.profile;
        profile.interests = some(&topics, 1 + builder.below(3));
        profile.experience_topics = some(&topics, builder.below(3));
        let tags = &builder.people.experience;
        let start = builder.below(tags.len());
        let tags: Vec<String> =
            tags.iter().cycle().skip(start).step_by(7).take(builder.below(4)).cloned().collect();
        profile.experience_tags =
            experience_tags(&tags, &mut crate::domain::case_study::problems::Problems::default());
        if builder.below(3) == 0 {
            let pronouns = &builder.people.pronouns;
            profile.pronouns = Some(pronouns[builder.below(pronouns.len())].clone());
        }
        if builder.below(4) == 0 {
            profile.phone = Phone::parse(&format!("{PHONE}{:03}", builder.below(1_000)));
            profile.shown.phone = Audience::Organisation;
        }
        if builder.below(3) == 0 {
            profile.shown.email = Audience::Members;
        }
        profile.moves_in(&topics);
        profile.tells();
        member
    }
}
