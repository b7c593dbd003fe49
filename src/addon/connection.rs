//! The class for rare operations on a connection: the object of an attached connection is made on first use. Frequent
//! operations are in `functions`.

use std::cell::RefCell;
use std::rc::Rc;

use napi::bindgen_prelude::{BufferSlice, Uint8Array, Unknown};
use napi::{Env, JsValue, Result, ValueType};
use napi_derive::napi;

use super::codec::{SocketAddress, masking_key};
use super::compression_jobs::{deflate_async, inflate_async};
use super::context::Context;
use super::environment::Environment;
use super::functions::to_double;
use super::host::{SharedTransport, fresh_key, send_queued};
use super::payload::flag;
use super::sockets;
use super::sys::{Reference, unknown};
use crate::transport::compression::{params_if_compressed, send_compressed};
use crate::transport::event_loop::{HandedBackEvents, SocketCommand};
use crate::transport::transports::Transport;

/// One WebSocket connection. Calls after `destroy` do nothing.
#[napi]
pub struct Connection {
    context: Rc<Context>,
    transport: SharedTransport,
    /// The id of the connection, and whether it is free when this object has been collected.
    id: u32,
    is_owner: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_owner {
            self.context.event_loop.transports().remove(self.id);
        }
    }
}

#[napi]
impl Environment {
    /// The object of an attached connection.
    #[napi(catch_unwind)]
    pub fn connection(&self, id: u32) -> Result<Connection> {
        let transport = self.context.transport(id)?;
        Ok(Connection { context: Rc::clone(&self.context), transport, id, is_owner: false })
    }
}

impl Connection {
    /// The transport, with all that the shim has queued for it.
    fn transport(&self) -> &SharedTransport {
        send_queued(&self.context.event_loop);
        &self.transport
    }
}

#[napi]
#[allow(clippy::needless_pass_by_value, reason = "napi hands arguments over by value")]
impl Connection {
    /// A connection whose bytes the caller carries, with a configuration of `Environment.configure`.
    #[napi(constructor, catch_unwind)]
    pub fn new(environment: &Environment, configuration: u32) -> Result<Self> {
        let context = Rc::clone(&environment.context);
        let config = context.configuration(configuration)?;
        let limits = config.time_limits;
        let transport = Rc::new(RefCell::new(Transport::over_stream(config)));
        let id = context.event_loop.transports().insert(Rc::clone(&transport));
        context.event_loop.watch(id, &limits);
        Ok(Self { context, transport, id, is_owner: true })
    }

    /// The id of the connection, for `Environment.functions`.
    #[napi(getter, catch_unwind)]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Has a message or a fragment compressed on another thread, if it is to be compressed (`flags`: `COMPRESS` 64),
    /// and then calls `callback`; in that call or later, `sendDeflated` sends it. No other message may be sent
    /// before. Returns false if it is not to be compressed.
    #[napi(catch_unwind)]
    pub fn deflate(
        &mut self,
        #[napi(ts_arg_type = "string | Uint8Array")] data: Unknown<'_>,
        flags: u32,
        #[napi(ts_arg_type = "() => void")] callback: Unknown<'_>,
    ) -> Result<bool> {
        let Context { env, event_loop, compression, payloads, .. } = &*self.context;
        let start = |payload: &[u8]| {
            let compress = flags & flag::COMPRESS != 0;
            let outgoing =
                params_if_compressed(event_loop, &mut self.transport().borrow_mut(), compress, payload.len());
            let Some(outgoing) = outgoing else { return Ok(false) };
            let callback = Reference::new(*env, callback.raw())?;
            deflate_async(compression, *env, self.transport(), &outgoing, payload, callback).map(|()| true)
        };
        if data.get_type()? == ValueType::String {
            payloads.with_string(*env, data.raw(), start)?
        } else {
            payloads.with_bytes(*env, data.raw(), start)?
        }
    }

    /// Queues the payload that `deflate` has compressed. Flags as of `send`. Returns the bytes ever queued.
    #[napi(catch_unwind)]
    pub fn send_deflated(&mut self, flags: u32, key: Option<Uint8Array>) -> Result<f64> {
        let key = key.map(|key| masking_key(&key)).transpose()?;
        let key = key.or_else(|| fresh_key(self.context.host(), flags));
        let (binary, fin) = (flags & flag::BINARY != 0, flags & flag::FIN != 0);
        let mut transport = self.transport().borrow_mut();
        Ok(to_double(send_compressed(&self.context.event_loop, &mut transport, binary, fin, key)))
    }

    /// After an `INFLATING` record: has the frame inflated on another thread, and then calls `callback` with the
    /// number of records that can be read. Attached: with 0, and the events are delivered as any others.
    #[napi(catch_unwind)]
    pub fn inflate(
        &mut self,
        #[napi(ts_arg_type = "(count: number) => void")] callback: Unknown<'_>,
    ) -> Result<()> {
        inflate_async(&self.context.event_loop, self.transport(), callback.raw())
    }

    /// The payload of the next record with the flag `LARGE`.
    #[napi(catch_unwind)]
    pub fn take_large<'env>(&mut self, env: &'env Env) -> Result<BufferSlice<'env>> {
        BufferSlice::copy_from(env, self.context.host().records.extras.borrow_mut().take_large())
    }

    /// The memory of the next record with the flag `DETACHED`.
    #[napi(catch_unwind, ts_return_type = "ArrayBuffer | undefined")]
    pub fn take_detached(&mut self) -> Result<Option<Unknown<'_>>> {
        let transport = self.transport().borrow();
        let memory = transport.active().and_then(|active| active.with_frame_memory(Reference::value));
        memory.map(|value| unknown(self.context.env, value?)).transpose()
    }

    /// The lengths of the non-empty frames of the next record with the flag `FRAGMENTED`.
    #[napi(catch_unwind)]
    pub fn take_fragments(&mut self) -> Vec<u32> {
        self.context.host().records.extras.borrow_mut().take_fragments()
    }

    /// Over a stream: all output queued since the last call; `null` if there is none.
    #[napi(catch_unwind)]
    pub fn take_output<'env>(&mut self, env: &'env Env) -> Result<Option<BufferSlice<'env>>> {
        let mut transport = self.transport().borrow_mut();
        let Some(stream) = transport.stream() else { return Ok(None) };
        if stream.connection.output().is_empty() {
            return Ok(None);
        }
        let output = BufferSlice::copy_from(env, stream.connection.output())?;
        stream.discard_output();
        Ok(Some(output))
    }

    /// Attached, over TCP: the local address; `null` once destroyed.
    #[napi(catch_unwind)]
    pub fn local_address(&self) -> Option<SocketAddress> {
        self.transport().borrow().local_and_peer_addr().0.map(SocketAddress::from)
    }

    /// Attached, over TCP: the peer's address; `null` once it is not connected.
    #[napi(catch_unwind)]
    pub fn remote_address(&self) -> Option<SocketAddress> {
        self.transport().borrow().local_and_peer_addr().1.map(SocketAddress::from)
    }

    /// Attached: the number of the descriptor; -1 once destroyed.
    #[napi(catch_unwind)]
    pub fn descriptor(&self) -> i32 {
        self.transport().borrow().fd()
    }

    /// Adopted: a handle of Node owns the descriptor from now on, and must not close it before `destroy`.
    #[napi(catch_unwind)]
    pub fn lend(&self) {
        let mut transport = self.transport().borrow_mut();
        if let Ok(borrowed) = sockets::borrow_fd(transport.fd()) {
            transport.lend(borrowed);
        }
    }

    /// Attached: gives the descriptor back to its handle. From now on the caller carries the bytes: `receive` and
    /// `takeOutput` continue where the socket has stopped. All records must have been read. Returns events without a
    /// record: 1 all output has gone out, or that is to be reported; 2 the writing side was shut down; 4 a write
    /// failed (else a read), with the error number from the ninth bit on. -1 if there is no socket.
    #[napi(catch_unwind)]
    pub fn hand_back(&mut self) -> i32 {
        let events = self.transport().borrow_mut().hand_back(&self.context.event_loop);
        events.map_or(-1, HandedBackEvents::bits)
    }

    /// Attached: true if `mark` bytes of output have been pending since none were. Then a `DRAIN` record follows when
    /// none are.
    #[napi(catch_unwind)]
    pub fn needs_drain(&self, mark: u32) -> bool {
        self.transport().borrow().active().is_some_and(|active| active.needs_drain(mark.into()))
    }

    /// Attached: from now on, a `DRAIN` record follows whenever no output is pending after `mark` bytes were.
    #[napi(catch_unwind)]
    pub fn watch_drain(&mut self, mark: u32) {
        if let Some(active) = self.context.event_loop.activate(&mut self.transport().borrow_mut()) {
            active.watch_drain(mark.into());
        }
    }

    /// Attached: holds output back, or stops doing so.
    #[napi(catch_unwind)]
    pub fn cork(&mut self, corked: bool) {
        self.transport().borrow_mut().execute(&self.context.event_loop, SocketCommand::Cork(corked));
    }

    /// Chooses whether an I/O thread answers pings. Returns false if it may not yet: an unanswered ping has not been delivered.
    #[napi(catch_unwind)]
    pub fn set_auto_pong(&mut self, on: bool) -> bool {
        self.transport().borrow_mut().set_auto_pong(on)
    }

    /// Sets the limit for messages, in bytes; 0 and below mean unlimited.
    #[napi(catch_unwind)]
    pub fn set_max_payload(&mut self, limit: i32) {
        self.transport().borrow_mut().set_max_payload(u64::try_from(limit).unwrap_or(0));
    }

    /// Turns UTF-8 validation off or on.
    #[napi(catch_unwind)]
    pub fn set_skip_utf8_validation(&mut self, skip: bool) {
        self.transport().borrow_mut().set_skip_utf8_validation(skip);
    }
}
