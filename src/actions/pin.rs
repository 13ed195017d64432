//! Pinning contributions: a few that everybody is to see first.

use super::{
    access::{Moderator, Viewer},
    audit::{Act, Concerned, Reason, acted},
    contribution::find,
    once::{Decision, Request, once},
};
use crate::{
    app::App,
    domain::{
        audit::{AuditAction, Facts},
        contribution::{Contribution, ContributionId, State},
        pin::{Board, MAX},
    },
    error::{Code, Error, Result, not_found},
    store::Batch,
};

/// What is pinned, latest first; some of it may be hidden.
///
/// # Errors
/// When the store fails.
pub async fn board(app: &App, _viewer: &Viewer) -> Result<Board> {
    Ok(app.store.one(&Board::id_of_all()).await?.unwrap_or_else(Board::empty))
}

/// Pins a published contribution, or takes the pin off. What is so already stays so.
///
/// # Errors
/// Not found; `TOO_MANY` when so many are pinned already.
pub async fn pin(
    app: &App,
    moderator: &Moderator,
    id: &ContributionId,
    pinned: bool,
    reason: &Reason,
    request: &Request,
) -> Result<Board> {
    once(app, moderator, request, || async {
        let mut board = board(app, moderator).await?;
        let found = find(app, id).await?.ok_or_else(missing)?;
        if pinned && found.state() != State::Published {
            return Err(missing());
        }
        if board.pinned.contains(id) == pinned {
            return Ok(Decision { result: board, batch: Batch::new() });
        }
        if pinned {
            without_deleted(app, &mut board).await?;
            if board.pinned.len() >= MAX {
                let message = format!("At most {MAX} contributions are pinned. Unpin one first.");
                return Err(Error::refused("contributionId", Code::TooMany, message));
            }
            board.pinned.insert(0, id.clone());
        } else {
            board.pinned.retain(|other| other != id);
        }
        let batch = if board.version == 0 {
            board.version = 1;
            Batch::new().insert(&board)
        } else {
            Batch::new().replace(&board)
        };
        let action = if pinned { AuditAction::PinContribution } else { AuditAction::UnpinContribution };
        let act = Act::new(action, id.as_str()).because(reason);
        let act = act.changed(Facts::pinned(!pinned), Facts::pinned(pinned));
        let told = acted(app, moderator, act, &Concerned::contribution(&found));
        Ok(Decision { result: board, batch: batch.and(told) })
    })
    .await
}

fn missing() -> Error {
    not_found("published contribution")
}

/// What was deleted holds no place.
async fn without_deleted(app: &App, board: &mut Board) -> Result<()> {
    let mut kept = Vec::new();
    for id in std::mem::take(&mut board.pinned) {
        let found = find(app, &id).await?;
        if found.as_ref().map(Contribution::state).is_some_and(|state| state != State::Deleted) {
            kept.push(id);
        }
    }
    board.pinned = kept;
    Ok(())
}
