//! The mail with a sign-in code.

use super::Failure;
use crate::{app::App, domain::sign_in::SignIn, ids::Id, store::Batch};

/// # Errors
/// See [`Failure`].
pub async fn run(_app: &App, _sign_in: &Id<SignIn>) -> Result<Batch, Failure> {
    Ok(Batch::new())
}
