//! Deflate work that is too much for the JavaScript thread: it goes to the threads of Node's pool, and the shim is called back
//! when it is done. What is then done with the result, and in which order, the shim knows.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use napi::{Result, sys};

use super::channel::Channel;
use super::environment::Shared;
use super::sys::{Reference, call_function, queue_async_work};
use crate::protocol::deflate::{Inflation, Outgoing, Progress, deflate_alone, stored};

/// How many jobs are remembered, to be joined: a broadcast is sent to one receiver after the other, and there are few sets of
/// parameters at a time.
const REMEMBERED: usize = 4;

/// A payload that is being compressed, and who waits for it: the same one for many connections is compressed once.
pub(super) struct CompressionJob {
    payload: Arc<[u8]>,
    outgoing: Outgoing,
    waiters: RefCell<Vec<(Rc<RefCell<Channel>>, Reference)>>,
}

impl Shared {
    /// Has `payload` compressed for a connection, which refers to nothing before it, and then calls `callback`; then
    /// [`Channel::send_deflated`] can send it.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(super) fn deflate_async(
        self: &Rc<Self>,
        channel: &Rc<RefCell<Channel>>,
        outgoing: &Outgoing,
        payload: &[u8],
        callback: sys::napi_value,
    ) -> Result<()> {
        let callback = Reference::new(self.env, callback)?;
        let waiter = (Rc::clone(channel), callback);
        let is_same = |job: &&Rc<CompressionJob>| *job.payload == *payload && job.outgoing == *outgoing;
        if let Some(job) = self.deflating.borrow().iter().find(is_same) {
            job.waiters.borrow_mut().push(waiter);
            return Ok(());
        }
        let payload: Arc<[u8]> = Arc::from(payload);
        let job = Rc::new(CompressionJob {
            payload: Arc::clone(&payload),
            outgoing: outgoing.clone(),
            waiters: RefCell::new(vec![waiter]),
        });
        let (shared, running) = (Rc::clone(self), Rc::clone(&job));
        let (pool, outgoing) = (Arc::clone(&self.pool), outgoing.clone());
        queue_async_work(
            self.env,
            move || deflate_alone(&pool, &outgoing, &payload),
            move |compressed| {
                // Whatever went wrong, the message leaves.
                let compressed = compressed.unwrap_or_else(|| stored(&running.payload));
                shared.deflated(&running, &Rc::new(compressed));
            },
        )?;
        let mut remembered = self.deflating.borrow_mut();
        remembered.truncate(REMEMBERED - 1);
        remembered.insert(0, job);
        Ok(())
    }

    fn deflated(&self, job: &Rc<CompressionJob>, compressed: &Rc<Vec<u8>>) {
        self.deflating.borrow_mut().retain(|other| !Rc::ptr_eq(other, job));
        for (channel, callback) in job.waiters.take() {
            channel.borrow_mut().keep_deflated(Rc::clone(compressed));
            call_function(self.env, &callback, 0);
        }
    }

    /// Has the frame inflated that a connection waits for, and then calls `callback` with the number of records that can be
    /// read; on an attached connection with 0, since its news is delivered as ever.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(super) fn inflate_async(
        self: &Rc<Self>,
        channel: &Rc<RefCell<Channel>>,
        callback: sys::napi_value,
    ) -> Result<()> {
        let callback = Reference::new(self.env, callback)?;
        let Some(mut inflation) = channel.borrow_mut().take_inflation() else { return Ok(()) };
        let (shared, channel) = (Rc::clone(self), Rc::clone(channel));
        queue_async_work(
            self.env,
            move || {
                while inflation.run(usize::MAX) == Progress::Paused {}
                inflation
            },
            move |inflation| {
                shared.inflated(&channel, inflation.unwrap_or_else(Inflation::failed), &callback);
            },
        )
    }

    fn inflated(&self, channel: &RefCell<Channel>, inflation: Inflation, callback: &Reference) {
        let count = channel.borrow_mut().return_inflation(self, inflation);
        call_function(self.env, callback, count);
    }
}
