//! The handles by which an environment's loop calls its event loop: when an I/O thread has woken it, when the poller has ready sockets,
//! before it polls without blocking, and after each poll. Made with the first socket, closed before the environment ends.

use std::rc::Rc;

use napi::{Env, Error, Result};

use crate::addon::host::NodeHost;
use crate::addon::sys::{AsyncHandle, Check, Poll, add_cleanup_hook, can_poll, in_handle_scope};
use crate::transport::event_loop::{EventLoop, Poller};

/// The handles of one environment.
pub(super) struct Handles {
    async_handle: AsyncHandle,
    /// `None` where the loop cannot poll.
    polling: Option<(Rc<Poller>, Poll, Check)>,
}

/// Gives the event loop its handles, if it has none yet.
///
/// # Errors
/// When the loop takes no handle, the system has no poller left, or the environment is ending.
pub(super) fn start(event_loop: &Rc<EventLoop<NodeHost>>) -> Result<()> {
    if event_loop.is_started() {
        return Ok(());
    }
    let host = event_loop.host();
    let handles = Handles::new(host.env, event_loop)?;
    let ending = Rc::clone(event_loop);
    let hooked = add_cleanup_hook(
        host.env,
        Box::new(move |done| {
            ending.end();
            let node_loop = &ending.host().node_loop;
            node_loop.drop_consumer();
            let handles = node_loop.handles.take();
            if let Some(handles) = handles {
                handles.close(done);
            }
        }),
    );
    if let Err(error) = hooked {
        // An open handle would keep the loop from ending.
        handles.close(());
        return Err(error);
    }
    let (poller, waker) = (handles.poller(), Box::new(handles.async_handle.waker()));
    host.node_loop.handles.replace(Some(handles));
    event_loop.start(poller, waker);
    Ok(())
}

impl Handles {
    fn new(env: Env, event_loop: &Rc<EventLoop<NodeHost>>) -> Result<Self> {
        let callback = |run: fn(&EventLoop<NodeHost>)| -> Box<dyn Fn()> {
            let event_loop = Rc::clone(event_loop);
            // The loop calls without a handle scope. An error means that the environment is ending.
            Box::new(move || {
                if !event_loop.has_ended() {
                    let _ = in_handle_scope(env, || run(&event_loop));
                }
            })
        };
        let polling = if can_poll() {
            let poller = Rc::new(Poller::new().map_err(|error| Error::from_reason(error.to_string()))?);
            let poll = Poll::new(env, poller.fd(), callback(EventLoop::on_readable))?;
            let check = Check::new(env, callback(EventLoop::before_poll), callback(EventLoop::after_poll))?;
            Some((poller, poll, check))
        } else {
            None
        };
        Ok(Self { async_handle: AsyncHandle::new(env, callback(EventLoop::on_wake))?, polling })
    }

    fn poller(&self) -> Option<Rc<Poller>> {
        self.polling.as_ref().map(|(poller, ..)| Rc::clone(poller))
    }

    /// Chooses whether the handles keep the loop alive.
    pub(super) fn set_ref(&self, on: bool) {
        self.async_handle.set_ref(on);
    }

    /// Chooses whether the loop polls without blocking.
    pub(super) fn poll_without_blocking(&self, on: bool) {
        if let Some((.., check)) = &self.polling {
            check.poll_without_blocking(on);
        }
    }

    /// Closes the handles; `closed` is dropped when the loop has let go of them.
    fn close<T: 'static>(self, closed: T) {
        let Self { async_handle, polling } = self;
        async_handle.close(Box::new(move || match polling {
            // The poller's descriptor must not close before the loop has let go of it.
            Some((poller, poll, check)) => poll.close(Box::new(move || {
                check.close(Box::new(move || drop((poller, closed))));
            })),
            None => drop(closed),
        }));
    }
}
