//! How long work is told about: a bar on a terminal, a plain line now and then elsewhere.

use std::{
    io::{IsTerminal, stderr},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Progress of something that has `total` parts.
pub struct Progress {
    what: &'static str,
    bar: ProgressBar,
    is_terminal: bool,
}

impl Progress {
    #[must_use]
    pub fn new(what: &'static str, total: usize) -> Self {
        let is_terminal = stderr().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        if is_terminal {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { what, bar, is_terminal }
    }

    /// `done` parts of `total` are done.
    pub fn set(&self, done: usize, total: usize) {
        let before = self.bar.position() * 10 / (total.max(1) as u64);
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
        let tenth = done as u64 * 10 / (total.max(1) as u64);
        if !self.is_terminal && tenth > before {
            eprintln!("{}: {done} of {total}", self.what);
        }
    }

    /// `more` parts are done.
    pub fn add(&self, more: usize) {
        let total = usize::try_from(self.bar.length().unwrap_or_default()).unwrap_or(usize::MAX);
        self.set(usize::try_from(self.bar.position()).unwrap_or_default() + more, total);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
