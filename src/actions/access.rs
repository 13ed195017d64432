//! Who is asking.

use std::sync::Arc;

use crate::{
    domain::member::Member,
    error::{Result, forbidden},
};

/// A signed-in member. Holding one proves that a valid token was presented and that the member may
/// use the service; actions ask for it, so that no surface can forget to check.
#[derive(Clone)]
pub struct Viewer(Arc<Member>);

impl Viewer {
    /// Only for what has checked the token, and for jobs that act in a member's name.
    #[must_use]
    pub fn proven(member: Member) -> Self {
        Self(Arc::new(member))
    }
}

impl std::ops::Deref for Viewer {
    type Target = Member;

    fn deref(&self) -> &Member {
        &self.0
    }
}

/// A signed-in member who looks after the house rules. Holding one proves that it was checked.
#[derive(Clone)]
pub struct Moderator(Viewer);

impl Moderator {
    /// # Errors
    /// Forbidden.
    pub fn of(viewer: &Viewer) -> Result<Self> {
        if viewer.moderates() {
            return Ok(Self(viewer.clone()));
        }
        Err(forbidden("Only moderators can do this."))
    }
}

impl std::ops::Deref for Moderator {
    type Target = Viewer;

    fn deref(&self) -> &Viewer {
        &self.0
    }
}
