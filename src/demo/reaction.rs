//! Reactions in the demonstration: most things get a nod or two, a few get many.

use std::collections::BTreeSet;

use super::life::Life;
use crate::{
    clock::Timestamp,
    domain::{
        member::Member,
        post::PostKind,
        reaction::{
            ReactionCounts,
            ReactionKind::{self, GoodIdea, SameHere, Thanks, TriedThis},
            Reactions,
        },
    },
    ids::{Id, Identified},
};

/// How something is taken.
pub(super) struct Reception {
    /// Of a hundred such things, so many are reacted to by at least and at most so many members.
    crowds: [(usize, usize, usize); 4],
    /// What they think of it; what stands here more often, more often.
    kinds: &'static [ReactionKind],
}

const OF_CONTRIBUTION: [(usize, usize, usize); 4] = [(20, 0, 0), (50, 1, 4), (22, 5, 12), (8, 15, 40)];

pub(super) const OF_CASE_STUDY: Reception =
    Reception { crowds: OF_CONTRIBUTION, kinds: &[Thanks, Thanks, GoodIdea, GoodIdea, TriedThis] };

pub(super) const OF_COMMENT: Reception = Reception {
    crowds: [(55, 0, 0), (35, 1, 3), (9, 4, 8), (1, 10, 20)],
    kinds: &[Thanks, Thanks, Thanks, SameHere, GoodIdea, TriedThis],
};

pub(super) fn of_post(kind: PostKind) -> Reception {
    let kinds: &[ReactionKind] = match kind {
        PostKind::Idea => &[GoodIdea, GoodIdea, GoodIdea, Thanks, TriedThis],
        PostKind::Question => &[SameHere, SameHere, SameHere, Thanks],
        PostKind::Update => &[Thanks, Thanks, SameHere, TriedThis],
        PostKind::Event => &[Thanks, GoodIdea],
    };
    Reception { crowds: OF_CONTRIBUTION, kinds }
}

impl Life<'_> {
    /// Members react to something that somebody else wrote. The counts of it all.
    pub(super) fn react<T: Identified>(
        &mut self,
        target: &Id<T>,
        author: &Id<Member>,
        written: Timestamp,
        reception: &Reception,
    ) -> ReactionCounts {
        let mut counts = ReactionCounts::default();
        for index in self.crowd(&reception.crowds) {
            let member = &self.members[index];
            if member.id == *author {
                continue;
            }
            let at = self.builder.soon_after(written, 20);
            let mut reactions = Reactions { version: 1, ..Reactions::none(&member.id, target, at) };
            // One in five thinks two things of it.
            for _ in 0..1 + usize::from(self.builder.below(5) == 0) {
                reactions.set(reception.kinds[self.builder.below(reception.kinds.len())], true);
            }
            for kind in &reactions.kinds {
                *counts.of_mut(*kind) += 1;
            }
            self.reactions.push(reactions);
        }
        counts
    }

    /// Which members, by their place in the list.
    fn crowd(&self, crowds: &[(usize, usize, usize)]) -> BTreeSet<usize> {
        let builder = self.builder;
        let mut roll = builder.below(100);
        let mut size = 0;
        for (share, least, most) in crowds {
            if roll < *share {
                size = least + builder.below(most - least + 1);
                break;
            }
            roll -= share;
        }
        (0..size).map(|_| builder.below(self.members.len())).collect()
    }
}
