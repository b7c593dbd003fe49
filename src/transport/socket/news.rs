//! When a socket goes into its owner's mailbox: if it has news and is not known there. Called under the socket's lock.

use super::sync::MutexGuard;

/// What has news for an owner now and then.
pub(super) trait News {
    /// Whether there is some to be had now.
    fn has_news(&self) -> bool;

    /// Whether the owner has been told, or is just being told, and has not looked since.
    fn announced(&mut self) -> &mut bool;
}

/// Has `tell` put it into the mailbox if that is due. Gives the lock back first: an owner that wakes up looks at once.
pub(super) fn announce<S: News>(mut state: MutexGuard<'_, S>, tell: impl FnOnce()) {
    if *state.announced() || !state.has_news() {
        return;
    }
    *state.announced() = true;
    drop(state);
    tell();
}

/// The owner looks: from now on news is announced anew, whether there is some to be had now or not.
pub(super) fn look<S: News>(state: &mut S) -> bool {
    *state.announced() = false;
    state.has_news()
}
