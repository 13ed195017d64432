//! The tags of the written content.

use std::collections::BTreeMap;

use super::content::WrittenPost;
use crate::{
    domain::{
        case_study::problems::Problems,
        tag::{Tag, TagName},
    },
    ids::Id,
};

impl WrittenPost {
    /// What it is tagged with.
    pub fn tag_names(&self) -> Vec<TagName> {
        TagName::read(&self.tags, &[], &mut Problems::default())
    }
}

/// The tags of so many posts, when what was written is repeated until there are enough.
pub fn used<'a>(written: impl ExactSizeIterator<Item = &'a WrittenPost>, posts: usize) -> Vec<Tag> {
    let count = written.len();
    let mut tags: BTreeMap<Id<Tag>, Tag> = BTreeMap::new();
    for (index, post) in written.enumerate() {
        let repeated = (posts + count - 1 - index) / count;
        for name in post.tag_names() {
            let tag = tags.entry(name.id.clone()).or_insert_with(|| Tag::new(&name, 0));
            tag.uses += repeated as i64;
        }
    }
    tags.into_values().collect()
}
