//! Revisions.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::member::Member;
use crate::{
    clock::Timestamp,
    domain::revision::{self as domain, PartKind},
};

/// One state of a text: the first is what was published, each later one what an edit made of it.
#[derive(Clone)]
pub struct Revision(pub Arc<domain::Revision>);

/// One state of a text: the first is what was published, each later one what an edit made of it.
#[Object]
impl Revision {
    async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// From 1.
    async fn number(&self) -> i64 {
        self.0.number
    }

    async fn editor(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.editor).await
    }

    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// What the edit changed, a field each; none in the first.
    async fn changes(&self) -> Vec<FieldChange> {
        self.0.changes.iter().map(FieldChange::from).collect()
    }
}

/// The difference in one field.
#[derive(SimpleObject)]
pub struct FieldChange {
    /// As the field of what was edited: `title`, `body`, `event.location`.
    pub field: String,
    /// The old and the new text, woven: without what was added it is the old one. Topics, tags and
    /// attachments are told by their names, a line each. None for `measures`.
    pub difference: Vec<Difference>,
}

/// A stretch of text that stayed, went or came.
#[derive(SimpleObject)]
pub struct Difference {
    pub kind: PartKind,
    pub text: String,
}

impl From<&domain::FieldChange> for FieldChange {
    fn from(change: &domain::FieldChange) -> Self {
        let difference =
            change.parts.iter().map(|part| Difference { kind: part.kind, text: part.text.clone() }).collect();
        Self { field: change.field.clone(), difference }
    }
}
