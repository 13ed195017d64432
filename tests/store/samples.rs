//! Documents that have everything a document can have, and a little of what it should not.

use std::collections::BTreeMap;

use hope_exchange::{
    clock::{Clock, Timestamp},
    document,
    ids::{Id, Identified, Ids},
    query::{Collection, Document, Field, Index},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field that is missing, null, or there: stored documents have all three.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Maybe<T> {
    #[default]
    Missing,
    Null,
    Is(T),
}

impl<T> Maybe<T> {
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

impl<T: Serialize> Serialize for Maybe<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Missing | Self::Null => serializer.serialize_none(),
            Self::Is(value) => serializer.serialize_some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Is))
    }
}

/// What the property tests throw at the engines. Any question may be asked of it, and some of them
/// are answered by an index, which must not change the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    #[serde(rename = "_id")]
    pub id: Id<Sample>,
    pub version: i64,
    #[serde(default, skip_serializing_if = "Maybe::is_missing")]
    pub count: Maybe<i64>,
    #[serde(default, skip_serializing_if = "Maybe::is_missing")]
    pub name: Maybe<String>,
    #[serde(default, skip_serializing_if = "Maybe::is_missing")]
    pub at: Maybe<Timestamp>,
    #[serde(default, skip_serializing_if = "Maybe::is_missing")]
    pub flag: Maybe<bool>,
    #[serde(default, skip_serializing_if = "Maybe::is_missing")]
    pub tags: Maybe<Vec<Option<String>>>,
    #[serde(default, skip_serializing_if = "Maybe::is_missing")]
    pub times: Maybe<Vec<Timestamp>>,
    #[serde(default, skip_serializing_if = "Maybe::is_missing")]
    pub inner: Maybe<Inner>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inner {
    #[serde(default, skip_serializing_if = "Maybe::is_missing")]
    pub rank: Maybe<i64>,
    #[serde(default, skip_serializing_if = "Maybe::is_missing")]
    pub label: Maybe<String>,
}

impl Sample {
    pub const COUNT: Field<Self, Option<i64>> = Field::new("count");
    pub const NAME: Field<Self, Option<String>> = Field::new("name");
    pub const AT: Field<Self, Option<Timestamp>> = Field::new("at");
    pub const FLAG: Field<Self, Option<bool>> = Field::new("flag");
    pub const TAGS: Field<Self, Vec<Option<String>>> = Field::new("tags");
    pub const TIMES: Field<Self, Vec<Timestamp>> = Field::new("times");
    pub const RANK: Field<Self, Option<i64>> = Field::new("inner.rank");
    pub const LABEL: Field<Self, Option<String>> = Field::new("inner.label");

    pub fn empty(id: Id<Self>) -> Self {
        Self {
            id,
            version: 0,
            count: Maybe::Missing,
            name: Maybe::Missing,
            at: Maybe::Missing,
            flag: Maybe::Missing,
            tags: Maybe::Missing,
            times: Maybe::Missing,
            inner: Maybe::Missing,
        }
    }
}

impl Identified for Sample {
    const PREFIX: &'static str = "smp";
}

impl Document for Sample {
    fn collection() -> &'static Collection {
        static COLLECTION: std::sync::LazyLock<Collection> = std::sync::LazyLock::new(|| Collection {
            name: "samples",
            indexes: vec![
                Index::named("tag").each(Sample::TAGS).asc(Sample::FLAG).desc(Sample::AT),
                Index::named("time").asc(Sample::COUNT).each(Sample::TIMES),
                Index::named("count").asc(Sample::FLAG).desc(Sample::COUNT).desc(Sample::NAME),
                Index::named("label").asc(Sample::LABEL).asc(Sample::RANK),
                Index::named("name").desc(Sample::NAME),
            ],
            may_scan: true,
        });
        &COLLECTION
    }
    fn id(&self) -> &Id<Self> {
        &self.id
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn set_version(&mut self, version: i64) {
        self.version = version;
    }
}

/// An account: a counter, a flag, and two values that no other account may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    #[serde(rename = "_id")]
    pub id: Id<Account>,
    pub version: i64,
    pub owner: String,
    pub slot: i64,
    pub email: Option<String>,
    pub aliases: Vec<String>,
    pub balance: i64,
    pub open: bool,
    pub seen: Option<Timestamp>,
    pub address: Option<Address>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Address {
    pub town: String,
}

document!(
    Account,
    "acc",
    "accounts",
    [
        Index::named("email").asc(Account::EMAIL).unique(),
        Index::named("slot").asc(Account::OWNER).asc(Account::SLOT).unique(),
        Index::named("alias").each(Account::ALIASES).unique(),
        Index::named("balance").asc(Account::OPEN).desc(Account::BALANCE),
        Index::named("seen").asc(Account::OWNER).asc(Account::OPEN).desc(Account::SEEN),
        Index::named("richest").desc(Account::BALANCE),
    ]
);

impl Account {
    pub const OWNER: Field<Self, String> = Field::new("owner");
    pub const SLOT: Field<Self, i64> = Field::new("slot");
    pub const EMAIL: Field<Self, Option<String>> = Field::new("email");
    pub const ALIASES: Field<Self, Vec<String>> = Field::new("aliases");
    pub const BALANCE: Field<Self, i64> = Field::new("balance");
    pub const OPEN: Field<Self, bool> = Field::new("open");
    pub const SEEN: Field<Self, Option<Timestamp>> = Field::new("seen");
    pub const TOWN: Field<Self, String> = Field::new("address.town");

    /// An account that conflicts with no other.
    pub fn new(key: &str) -> Self {
        Self {
            id: Id::of(key),
            version: 0,
            owner: key.to_owned(),
            slot: 0,
            email: None,
            aliases: Vec::new(),
            balance: 0,
            open: true,
            seen: None,
            address: None,
        }
    }
}

/// What a post looks like to the store, with the lists that are asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    #[serde(rename = "_id")]
    pub id: Id<Note>,
    pub version: i64,
    pub state: String,
    pub author: Id<Account>,
    pub parent: Option<Id<Note>>,
    pub topics: Vec<String>,
    pub published: Option<Timestamp>,
    pub likes: i64,
    pub body: String,
}

document!(
    Note,
    "nte",
    "notes",
    [
        Index::named("newest").asc(Note::STATE).desc(Note::PUBLISHED),
        Index::named("author").asc(Note::AUTHOR).asc(Note::STATE).desc(Note::PUBLISHED),
        Index::named("topic").each(Note::TOPICS).asc(Note::STATE).desc(Note::PUBLISHED),
        Index::named("liked").each(Note::TOPICS).asc(Note::STATE).desc(Note::LIKES).asc(Note::PUBLISHED),
        Index::named("replies").asc(Note::PARENT).asc(Note::LIKES),
        Index::named("likes").desc(Note::LIKES),
        Index::named("parents").asc(Note::PARENT),
    ]
);

impl Note {
    pub const STATE: Field<Self, String> = Field::new("state");
    pub const AUTHOR: Field<Self, Id<Account>> = Field::new("author");
    pub const PARENT: Field<Self, Option<Id<Note>>> = Field::new("parent");
    pub const TOPICS: Field<Self, Vec<String>> = Field::new("topics");
    pub const PUBLISHED: Field<Self, Option<Timestamp>> = Field::new("published");
    pub const LIKES: Field<Self, i64> = Field::new("likes");

    pub fn new(id: Id<Self>, author: &str, at: i64) -> Self {
        Self {
            id,
            version: 0,
            state: "published".to_owned(),
            author: Id::of(author),
            parent: None,
            topics: vec!["food".to_owned(), "waiting".to_owned()],
            published: Some(Timestamp::from_millis(at)),
            likes: 0,
            body: "Patients told us that the menu was hard to read.".to_owned(),
        }
    }
}

/// A document whose keys nobody chose with a store in mind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Odd {
    #[serde(rename = "_id")]
    pub id: Id<Odd>,
    pub version: i64,
    pub map: BTreeMap<String, u64>,
}

document!(Odd, "odd", "odd", []);

pub fn collections() -> Vec<&'static Collection> {
    vec![Sample::collection(), Account::collection(), Note::collection(), Odd::collection()]
}

pub fn ids() -> Ids {
    Ids::system(Clock::System { offset: chrono::TimeDelta::zero() })
}
