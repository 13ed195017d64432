//! For whom a digest is: what is known of a member that tells what is worth their time.

use std::collections::HashSet;

use super::{Told, candidate::Candidate};
use crate::domain::{
    contribution::ContributionId,
    follow::{Follow, Stance, Target},
    member::Member,
    organisation::Organisation,
    place::Place,
    standing::PartnerScope,
};

pub struct Reader<'a> {
    pub member: &'a Member,
    /// Where the organisation is in which they work.
    pub place: Place,
    /// What they follow, and the topics that they say they are interested in.
    pub interests: HashSet<Target>,
    /// The topics and tags that they say they have experience of.
    pub expertise: HashSet<Target>,
    pub mutes: HashSet<Target>,
    /// What earlier digests told them, by id.
    pub told: HashSet<String>,
}

impl<'a> Reader<'a> {
    #[must_use]
    pub fn new(
        member: &'a Member,
        organisation: Option<&Organisation>,
        follows: Vec<Follow>,
        told: impl IntoIterator<Item = Told>,
    ) -> Self {
        let profile = &member.profile;
        let mut interests: HashSet<Target> = profile.interests.iter().cloned().map(Target::Topic).collect();
        let topics = profile.experience_topics.iter().cloned().map(Target::Topic);
        let tags = profile.experience_tags.iter().map(|tag| Target::Tag(tag.id.clone()));
        let mut mutes = HashSet::new();
        for follow in follows {
            match follow.stance {
                Stance::Following => interests.insert(follow.target),
                Stance::Muted => mutes.insert(follow.target),
                Stance::Neither => false,
            };
        }
        Self {
            member,
            place: organisation.map(Organisation::place).unwrap_or_default(),
            interests,
            expertise: topics.chain(tags).collect(),
            mutes,
            told: told.into_iter().map(|told| told.what.as_str().to_owned()).collect(),
        }
    }

    /// Whether it may be for them at all: others' words, within what a partner was invited to, about
    /// nothing that they muted, and not told yet. That they may see it is looked at again when it is
    /// read whole.
    #[must_use]
    pub fn may_be_told(&self, candidate: &Candidate) -> bool {
        !self.told.contains(candidate.id.as_str())
            && !candidate.authors.contains(&self.member.id)
            && !self.mutes_any(&candidate.targets)
            && self.member.scope().is_none_or(|scope| reaches(scope, candidate))
    }

    #[must_use]
    pub fn mutes_any(&self, targets: &[Target]) -> bool {
        !self.mutes.is_empty() && targets.iter().any(|target| self.mutes.contains(target))
    }
}

fn reaches(scope: &PartnerScope, candidate: &Candidate) -> bool {
    let by_topic = candidate
        .targets
        .iter()
        .any(|target| matches!(target, Target::Topic(topic) if scope.topics.contains(topic)));
    by_topic || matches!(&candidate.id, ContributionId::CaseStudy(id) if scope.case_studies.contains(id))
}
