//! What arrives at an environment's listening sockets: when the event loop looks at them, and one call of JavaScript for each
//! connection that has said what it wants. The class that the shim has for a listening socket is in `listener`.

use std::mem;
use std::rc::Rc;

use napi::{Result, sys};

use super::rounds::Rounds;
use crate::addon::environment::Shared;
use crate::addon::sys::{
    Outcome, Reference, buffer, call_predicate, in_handle_scope, latin1, make_callback, report_uncaught,
    uint32, undefined,
};
use crate::protocol::handshake::Field;
use crate::transport::listener::{AcceptedConnection, FallbackReason, Listeners, PollContext, Request};

/// Connections that arrive before they are delivered. See `stages`.
const STAGE: usize = 64;

/// Who is told of what arrives at a listening socket.
pub(super) struct Host {
    pub(super) owner: Reference,
    /// What is called.
    pub(super) arrived: Reference,
    /// What is asked before connections are accepted.
    pub(super) takes_all: Reference,
}

/// What `arrived` is told of the reason why a connection is put aside.
fn number_of(reason: FallbackReason) -> u32 {
    match reason {
        FallbackReason::NotUpgrade => 1,
        FallbackReason::Ended => 2,
        FallbackReason::TimedOut => 3,
        FallbackReason::ListenerClosed => 4,
    }
}

impl Rounds {
    /// Runs something with what has arrived and what there is to work with. `None`: the loop can't listen, or is ending.
    pub(super) fn with_arrivals<R>(
        &self,
        run: impl FnOnce(&mut Listeners<Rc<Host>>, &mut PollContext<'_, Rc<Host>>) -> R,
    ) -> Option<R> {
        let line = self.line().filter(|_| !self.has_ended())?;
        let reactor = line.reactor()?;
        let (mut buffer, mut arrived) = (line.buffer.borrow_mut(), self.arrived.borrow_mut());
        let mut turn = PollContext { reactor, now: self.now(), buffer: &mut buffer, accepted: &mut arrived };
        let mut arrivals = self.arrivals.borrow_mut();
        let result = run(&mut arrivals, &mut turn);
        let has_connections = arrivals.connection_count() > 0;
        let is_unfinished = arrivals.has_backlog() || !arrived.is_empty();
        drop((arrivals, arrived, buffer));
        // As with Node, a connection keeps the loop alive, whoever listens.
        if self.has_connections.replace(has_connections) != has_connections {
            self.keep(has_connections);
        }
        if is_unfinished {
            line.poll_without_blocking(true);
        }
        Some(result)
    }

    /// Milliseconds since the environment began; they wrap around.
    fn now(&self) -> u32 {
        self.begun.elapsed().as_millis() as u32
    }
}

impl Shared {
    /// A token of a listening socket or of a connection that came by one is ready. Returns whether it was one.
    pub(super) fn arrivals_ready(&self, token: u64) -> bool {
        let is_arrivals = Listeners::<Rc<Host>>::is_token(token);
        if is_arrivals {
            self.ask(token);
            self.rounds.with_arrivals(|arrivals, turn| arrivals.on_ready(token, turn));
            if self.rounds.arrived.borrow().len() >= STAGE {
                self.deliver_arrivals();
            }
        }
        is_arrivals
    }

    /// Asks the owner of a listening socket that is ready whether all who come are to be put aside.
    fn ask(&self, token: u64) {
        let Some((number, host)) = self.rounds.arrivals.borrow().listener_for(token) else { return };
        let takes_all = call_predicate(self.env, &host.takes_all, &host.owner);
        self.rounds.arrivals.borrow_mut().set_fall_back(number, takes_all);
    }

    /// The turn of the loop has ended: accepts what there was no time for. Returns whether there is more.
    pub(super) fn arrivals_turn_ended(&self) -> bool {
        if self.rounds.arrivals.borrow().has_backlog() {
            self.rounds.with_arrivals(Listeners::resume_accepting);
        }
        self.deliver_arrivals();
        self.rounds.arrivals.borrow().has_backlog() || !self.rounds.arrived.borrow().is_empty()
    }

    /// Tells the owners of what has arrived. What arrives meanwhile gets its turn later.
    pub(super) fn deliver_arrivals(&self) {
        if self.rounds.arrived.borrow().is_empty() {
            return;
        }
        let arrived = mem::take(&mut *self.rounds.arrived.borrow_mut());
        // An error says that the environment is ending: all sockets are closed then.
        let _ = in_handle_scope(self.env, || {
            for arrival in arrived {
                if !self.rounds.has_ended() {
                    self.deliver_arrival(&arrival);
                }
            }
        });
    }

    fn deliver_arrival(&self, arrival: &AcceptedConnection<Rc<Host>>) {
        let called = match self.values(arrival) {
            Ok((arrived, arguments)) => make_callback(self.env, None, arrived, arguments[0], &arguments),
            Err(_) => Outcome::EnvironmentEnding,
        };
        match called {
            Outcome::Returned(_) => {}
            Outcome::Threw(error) => drop(report_uncaught(self.env, error)),
            // Nobody knows of it.
            Outcome::EnvironmentEnding => {
                self.rounds.with_arrivals(|arrivals, _| arrivals.discard(arrival.number));
            }
        }
    }

    /// The function to be called and its arguments.
    fn values(
        &self,
        arrival: &AcceptedConnection<Rc<Host>>,
    ) -> Result<(sys::napi_value, [sys::napi_value; 5])> {
        let (env, host) = (self.env, &arrival.server);
        let (head, detail, rest) = match &arrival.request {
            Request::Upgrade { length, fields } => {
                let words =
                    |field: &Field| [field.name(), field.value()].map(|range| [range.start, range.end]);
                self.write_records(fields.iter().map(words));
                let (head, rest) = arrival.bytes.split_at(*length);
                (latin1(env, head)?, fields.len() as u32, rest)
            }
            Request::Fallback(reason) => (undefined(env)?, number_of(*reason), &*arrival.bytes),
        };
        let (number, detail) = (uint32(env, arrival.number)?, uint32(env, detail)?);
        let rest = if rest.is_empty() { undefined(env)? } else { buffer(env, rest)? };
        Ok((host.arrived.value()?, [host.owner.value()?, number, head, detail, rest]))
    }
}
