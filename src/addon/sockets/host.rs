//! The host of the event loop, over Node-API: events become records and one call of `deliver` per connection.

use std::cell::RefMut;
use std::rc::Rc;

use napi::Result;

use super::accept::{self, Server};
use super::consumer::Scope;
use crate::addon::host::{NodeHost, send_queued};
use crate::addon::sys::{
    Outcome, Reference, ThreadsafeFunction, add_cleanup_hook, call_predicate, can_call, can_poll,
    create_array_buffer, failed, in_handle_scope, make_callback_in_context, report_uncaught, uv_loop,
    with_memory,
};
use crate::connection::MaskingKeys;
use crate::transport::event_loop::{Delivered, EventLoop, Host, InPlace, LoopControl, Poller};
use crate::transport::listener::AcceptedConnection;
use crate::transport::socket::SocketEvents;
use crate::transport::uv::{Callbacks, LoopHandles, reports_end_with_bytes, run_in_close_phase};

impl Host for NodeHost {
    /// An `ArrayBuffer`.
    type Memory = Reference;
    type Server = Rc<Server>;
    type Scope<'a> = Scope<'a>;

    fn is_running(&self) -> bool {
        can_call(self.env)
    }

    fn with_scope(&self, deliver: impl FnOnce(&Self::Scope<'_>)) {
        // An error means that the environment is ending: nothing is to be delivered.
        let _ = in_handle_scope(self.env, || self.consumer.with(deliver));
    }

    fn write_batch(&self, events: &mut SocketEvents, in_place: Option<&InPlace<Reference>>) -> u32 {
        self.records.write(|writer| {
            writer.set_chunk(in_place.and_then(InPlace::arena_offset));
            events.write_to(writer)
        })
    }

    fn deliver(&self, scope: &Scope<'_>, id: u32, count: u32) -> Delivered {
        let outcome = match self.consumer.context(id) {
            Some(context) => make_callback_in_context(self.env, &context, scope.in_context, id, count),
            None => make_callback_in_context(self.env, scope.context, scope.function, id, count),
        };
        match outcome {
            Outcome::Threw(error) if report_uncaught(self.env, error).is_ok() => Delivered::Again,
            // Ticks and microtasks have run; now the rest.
            Outcome::Returned(true) => Delivered::Again,
            Outcome::EnvironmentEnding => Delivered::Ended,
            _ => Delivered::Done,
        }
    }

    fn note_idle(&self, id: u32) {
        self.consumer.drop_context(id);
    }

    fn send_queued(&self, event_loop: &EventLoop<Self>) {
        send_queued(event_loop);
    }

    fn allocate(&self, length: usize) -> Option<Reference> {
        create_array_buffer(self.env, length).and_then(|value| Reference::new(self.env, value)).ok()
    }

    fn with_memory<R>(&self, memory: &Reference, access: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
        with_memory(self.env, memory, access).ok()
    }

    fn with_arena<R>(&self, access: impl FnOnce(&mut [u8]) -> R) -> R {
        self.arena.with(access)
    }

    fn masking_keys(&self) -> RefMut<'_, impl MaskingKeys> {
        self.keys.borrow_mut()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn reports_end_with_bytes(&self) -> bool {
        reports_end_with_bytes()
    }

    fn should_fall_back(&self, server: &Rc<Server>) -> bool {
        call_predicate(self.env, &server.takes_all, &server.owner)
    }

    fn deliver_accepted(
        &self,
        accepted: Vec<AcceptedConnection<Rc<Server>>>,
        is_ended: impl Fn() -> bool,
        reject: impl Fn(u32),
    ) {
        // An error means that the environment is ending: all sockets are closed then.
        let _ = in_handle_scope(self.env, || {
            for connection in accepted {
                if !is_ended() && !accept::deliver(self.env, &self.records, &connection) {
                    reject(connection.number);
                }
            }
        });
    }
}

/// Gives the event loop its handles, if it has none yet.
///
/// # Errors
/// If the loop takes no handle, the system has no poller left, or the environment is ending.
pub(in crate::addon) fn start(event_loop: &Rc<EventLoop<NodeHost>>) -> Result<()> {
    if event_loop.is_started() {
        return Ok(());
    }
    let env = event_loop.host().env;
    let callback = |run: fn(&EventLoop<NodeHost>)| -> Box<dyn Fn()> {
        let event_loop = Rc::clone(event_loop);
        // The loop calls without a handle scope. An error means that the environment is ending.
        Box::new(move || {
            if !event_loop.has_ended() {
                let _ = in_handle_scope(env, || run(&event_loop));
            }
        })
    };
    let poller = can_poll().then(Poller::new).transpose();
    let poller = poller.map_err(failed)?.map(Rc::new);
    let on_wake = callback(EventLoop::on_wake);
    let handles: Box<dyn LoopControl> = if let Some(poller) = &poller {
        let callbacks = Callbacks {
            on_wake,
            before_poll: callback(EventLoop::before_poll),
            on_readable: callback(EventLoop::on_readable),
            after_poll: callback(EventLoop::after_poll),
        };
        let handles = LoopHandles::new(uv_loop(env)?, Rc::clone(poller), callbacks);
        Box::new(handles.map_err(failed)?)
    } else {
        // I/O threads drive all sockets of hosts without libuv.
        Box::new(ThreadsafeFunction::new(env, on_wake)?)
    };
    let ending = Rc::clone(event_loop);
    let hooked = add_cleanup_hook(
        env,
        Box::new(move |done| {
            ending.host().consumer.clear();
            ending.end(Box::new(done));
        }),
    );
    if let Err(error) = hooked {
        // An open handle would keep the loop from ending.
        handles.close(Box::new(()));
        return Err(error);
    }
    event_loop.start(poller, handles);
    Ok(())
}

/// Calls `deliver` with id 0, which is no connection's, and `number`, when this cycle of the loop closes handles. Each call has a handle
/// of its own: the loop closes handles in an order that depends on all of them.
///
/// # Errors
/// If the loop takes no handle.
pub(in crate::addon) fn call_when_closing(event_loop: &Rc<EventLoop<NodeHost>>, number: u32) -> Result<()> {
    let env = event_loop.host().env;
    let event_loop = Rc::clone(event_loop);
    let closing = move || {
        // The loop calls without a handle scope. An error means that the environment is ending.
        let _ = in_handle_scope(env, || {
            if event_loop.is_running() {
                event_loop.host().consumer.with(|scope| {
                    make_callback_in_context(env, scope.context, scope.function, 0, number).report(env);
                });
            }
        });
    };
    run_in_close_phase(uv_loop(env)?, Box::new(closing)).map_err(failed)
}
