//! Topics: what contributions are about, from the network's taxonomy.

use serde::{Deserialize, Serialize};

use crate::{
    document,
    ids::Id,
    query::{Field, Index},
};

/// A contribution has 1 to this many topics: more say nothing.
pub const MAX_PER_CONTRIBUTION: usize = 5;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Topic {
    /// `top_` and the slug: a topic can be named without being looked up.
    #[serde(rename = "_id")]
    pub id: Id<Topic>,
    pub version: i64,
    pub slug: String,
    pub name: String,
}

document!(Topic, "top", "topics", [Index::named("name").asc(Topic::NAME)]);

impl Topic {
    pub const NAME: Field<Self, String> = Field::new("name");

    #[must_use]
    pub fn new(slug: &str, name: &str) -> Self {
        Self { id: Id::of(slug), version: 1, slug: slug.to_owned(), name: name.to_owned() }
    }
}
