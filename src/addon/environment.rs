//! The class for an environment: one JavaScript thread, as one copy of the shim sees it. Its parts are in `context`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::Unknown;
use napi::{Env, Result};
use napi_derive::napi;

use super::context::{Context, context_of_thread};
use super::functions::Functions;
use super::host::send_queued;
use super::options::ConnectionOptions;
use super::sockets;
use super::sys::unknown;
use crate::transport::pacer::Slice;

/// The addon as one copy of the shim sees it; made when the copy is loaded.
#[napi]
pub struct Environment {
    pub(super) context: Rc<Context>,
    /// The numbers of the configurations that this copy has made, which are removed with it.
    configurations: RefCell<Vec<u32>>,
}

impl Drop for Environment {
    fn drop(&mut self) {
        let mut configurations = self.context.configurations.borrow_mut();
        for number in self.configurations.borrow().iter() {
            configurations.remove(*number as usize);
        }
    }
}

#[napi]
impl Environment {
    /// The environment of this thread, made by the first copy.
    ///
    /// Throws when the system has no randomness for masking keys.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env) -> Result<Self> {
        let context = context_of_thread(env, |thread| Context::new(env, thread))?;
        Ok(Self { context, configurations: RefCell::default() })
    }

    /// The value of `src/addon/thread.js`, the same for every copy. Its `deliver(id, count)` is called with the id of
    /// each attached connection that has events: `count` records can be read in [`Environment::records`], and more
    /// with `more` of [`Environment::functions`]. Each call has its own callback scope, with `deliver` as its
    /// resource; the owner enters the connection's async context. After `keepContext`, `deliverInContext(id, count)` is called
    /// instead, in that context. An exception becomes an `uncaughtException`.
    /// `deliver` is called again, with a count of 0, after an exception, and when it returns `true` because ticks and
    /// microtasks are to run first.
    #[napi(catch_unwind, ts_return_type = "object")]
    pub fn thread(&self) -> Result<Unknown<'_>> {
        unknown(self.context.env, self.context.thread.value()?)
    }

    /// The memory that batches are read from; never passed to a user. It begins with 32-bit words in the machine's
    /// byte order: word 0 is 1 if another batch follows, word 1 is the number of payload bytes with the flag
    /// `BATCHED`; 256 records of four words each begin at word 4. Then come 64 bytes for payloads sent with the flag
    /// `PLACED`, and 64 KiB of received payloads, at whose start the offsets of records begin.
    #[napi(catch_unwind, ts_return_type = "ArrayBuffer")]
    pub fn records(&self) -> Result<Unknown<'_>> {
        unknown(self.context.env, self.context.host().records.array.value()?)
    }

    /// The memory of small messages that the shim queues for sending; each other command, and `flush`, takes them first. Never passed
    /// to a user.
    #[napi(catch_unwind, ts_return_type = "ArrayBuffer")]
    pub fn send_queue(&self) -> Result<Unknown<'_>> {
        unknown(self.context.env, self.context.host().send_queue.value()?)
    }

    /// The memory of messages with the flag `ARENA` until they are read; never passed to a user.
    #[napi(catch_unwind, ts_return_type = "ArrayBuffer")]
    pub fn payload_arena(&self) -> Result<Unknown<'_>> {
        unknown(self.context.env, self.context.host().arena.value()?)
    }

    /// The memory that `receivePlaced` parses: handles of Node read into it. Never passed to a user.
    #[napi(catch_unwind, ts_return_type = "ArrayBuffer")]
    pub fn receive_buffer(&self) -> Result<Unknown<'_>> {
        unknown(self.context.env, self.context.host().receive_buffer()?.value()?)
    }

    /// The functions for connections.
    ///
    /// # Errors
    /// If JavaScript has no memory, or the environment is ending.
    #[napi(catch_unwind)]
    pub fn functions(&self) -> Result<Functions<'_>> {
        Functions::new(&self.context)
    }

    /// Adds a configuration of connections and returns its number. It replaces the one with the number `replaced`,
    /// which this copy must have made; connections that were made with that keep it.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands arguments over by value")]
    pub fn configure(&self, replaced: Option<u32>, options: ConnectionOptions) -> u32 {
        let config = Arc::new(options.config(&self.context.compression.pool));
        let mut own = self.configurations.borrow_mut();
        let mut configurations = self.context.configurations.borrow_mut();
        if let Some(place) = own.iter().position(|number| Some(*number) == replaced) {
            configurations.remove(own.swap_remove(place) as usize);
        }
        let number = configurations.insert(config) as u32;
        own.push(number);
        number
    }

    /// Calls `deliver` with 0 and `number` when the event loop closes handles in this cycle, in a callback scope of
    /// its own, in the position of a handle that is closed now. Throws where there is no libuv.
    #[napi(catch_unwind)]
    pub fn call_when_closing(&self, number: u32) -> Result<()> {
        sockets::call_when_closing(&self.context.event_loop, number)
    }

    /// Writes output queued on attached connections since the last flush: now where the event loop drives, soon where
    /// an I/O thread does.
    #[napi(catch_unwind)]
    pub fn flush(&self) {
        send_queued(&self.context.event_loop);
        self.context.event_loop.flush();
    }

    /// Writes queued output of all attached connections from this thread, as much as the kernel accepts.
    #[napi(catch_unwind)]
    pub fn flush_sync(&self) {
        send_queued(&self.context.event_loop);
        self.context.event_loop.write_all_now();
    }

    /// Continues housekeeping, or begins a pass: connections that were not used since the last pass become idle, and free memory
    /// is released. Returns the milliseconds after which to call again, because the pass is not over; 0 if it is; -1 if, in
    /// addition, the next pass may release memory of permessage-deflate that was in use.
    #[napi(catch_unwind)]
    pub fn sweep(&self) -> i32 {
        let Context { event_loop, compression, housekeeping, .. } = &*self.context;
        let mut housekeeping = housekeeping.borrow_mut();
        match housekeeping.run_slice(event_loop, compression) {
            Slice::Pause(nanos) => i32::try_from(nanos.div_ceil(1_000_000)).unwrap_or(i32::MAX),
            Slice::Done => -i32::from(housekeeping.may_free_more()),
        }
    }

    /// Looks at the connections whose time limits may have passed. Returns pairs of an id and an action: 1 take the output, which is a
    /// ping of a stream; 2 terminate, because the peer was silent for `idleTimeout`; 3 close, because `maxLifetime` has passed.
    #[napi(catch_unwind)]
    pub fn check_timers(&self) -> Vec<u32> {
        let due = self.context.event_loop.check_timers();
        due.into_iter().flat_map(|due| [due.id, due.action as u32]).collect()
    }

    /// Milliseconds after which to call `checkTimers`. -1 if no connection has a deadline, or if the timer that the caller has, if
    /// `isArmed`, is early enough.
    #[napi(catch_unwind)]
    pub fn timer_delay(&self, is_armed: bool) -> f64 {
        self.context.event_loop.timer_delay(is_armed).map_or(-1.0, f64::from)
    }

    /// Number of attached connections that are not idle.
    #[napi(getter, catch_unwind)]
    pub fn active_count(&self) -> u32 {
        self.context.event_loop.active_count() as u32
    }

    /// Adds a reference that keeps the event loop alive.
    #[napi(js_name = "ref", catch_unwind)]
    pub fn keep(&self) {
        self.context.event_loop.set_ref(true);
    }

    /// Removes a reference that keeps the event loop alive.
    #[napi(catch_unwind)]
    pub fn unref(&self) {
        self.context.event_loop.set_ref(false);
    }
}
