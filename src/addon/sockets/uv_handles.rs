//! The ways in which an environment's event loop comes to look at its sockets: woken by an I/O thread, told by the reactor
//! that some are ready, at the end of each turn, and at the beginning of one that is in a hurry. Made with the first socket, closed before the environment ends. What is
//! then done is in `rounds` and `driving`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use napi::{Env, Error, Result};

use crate::addon::sys::{AsyncHandle, Check, Poll, can_poll};
use crate::transport::event_loop::Reactor;
use crate::transport::socket::{Mailbox, RECEIVE_BUFFER};

/// What is called on the environment's thread, and when.
pub(super) struct Callbacks {
    /// An I/O thread has put sockets into the mailbox.
    pub(super) woken: Box<dyn Fn()>,
    /// The loop is about to wait for readiness, and was [told](Line::poll_without_blocking) not to wait long.
    pub(super) begun: Box<dyn Fn()>,
    /// The reactor has sockets that are ready.
    pub(super) ready: Box<dyn Fn()>,
    /// The loop has looked at everything that was ready.
    pub(super) turned: Box<dyn Fn()>,
}

pub(super) struct Line {
    /// Where I/O threads put the sockets that have news.
    pub(super) mailbox: Arc<Mailbox>,
    /// What the loop's own sockets are read into.
    pub(super) buffer: RefCell<Box<[u8]>>,
    /// Polls the sockets that the loop drives. `None` where it can't: then it drives none.
    reactor: Option<Rc<Reactor>>,
    /// `None` once closed.
    handles: RefCell<Option<Handles>>,
}

struct Handles {
    wakeup: AsyncHandle,
    /// There if the reactor is.
    driving: Option<(Poll, Check)>,
}

impl Line {
    /// # Errors
    /// When the loop takes no handle, the system gives no poller, or the environment is ending.
    pub(super) fn new(env: Env, callbacks: Callbacks) -> Result<Self> {
        let Callbacks { woken, begun, ready, turned } = callbacks;
        let (reactor, driving) = if can_poll() {
            let reactor = Reactor::new().map_err(|error| Error::from_reason(error.to_string()))?;
            let poll = Poll::new(env, reactor.fd(), ready)?;
            (Some(Rc::new(reactor)), Some((poll, Check::new(env, begun, turned)?)))
        } else {
            (None, None)
        };
        let wakeup = AsyncHandle::new(env, woken)?;
        Ok(Self {
            mailbox: Arc::new(Mailbox::new(Box::new(wakeup.handle()))),
            buffer: RefCell::new(vec![0; RECEIVE_BUFFER].into_boxed_slice()),
            reactor,
            handles: RefCell::new(Some(Handles { wakeup, driving })),
        })
    }

    /// The poller, where the loop can drive sockets.
    pub(super) fn reactor(&self) -> Option<&Reactor> {
        self.reactor.as_deref()
    }

    /// Whether this keeps the loop alive.
    pub(super) fn set_ref(&self, keep: bool) {
        if let Some(handles) = &*self.handles.borrow() {
            handles.wakeup.set_ref(keep);
        }
    }

    /// Whether the turn ends without waiting for anything.
    pub(super) fn poll_without_blocking(&self, hurry: bool) {
        if let Some(Handles { driving: Some((_, turn)), .. }) = &*self.handles.borrow() {
            turn.poll_without_blocking(hurry);
        }
    }

    /// Closes the handles; `closed` is dropped when the loop has let go of them.
    pub(super) fn close<T: 'static>(&self, closed: T) {
        let Some(Handles { wakeup, driving }) = self.handles.borrow_mut().take() else { return };
        // The descriptor must not close before the loop has let go of it.
        let reactor = self.reactor.clone();
        let let_go = move || drop((reactor, closed));
        wakeup.close(Box::new(move || match driving {
            Some((poll, turn)) => poll.close(Box::new(move || turn.close(Box::new(let_go)))),
            None => let_go(),
        }));
    }
}
