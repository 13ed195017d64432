//! REST, where it fits: signing in, files, feeds, health.

use poem::Route;

use crate::app::App;

pub fn routes(_app: &App) -> Route {
    Route::new()
}
