//! The class for what is asked of a connection rarely: one that is attached has an object only when that is asked. What the shim
//! does as a rule is in `calls`; the state is in `channel`.

use std::cell::RefCell;
use std::rc::Rc;

use napi::bindgen_prelude::{BufferSlice, Uint8Array, Unknown};
use napi::{Env, JsValue, Result};
use napi_derive::napi;

use super::address::SocketAddress;
use super::channel::{Channel, SocketCommand};
use super::codec::masking_key;
use super::environment::{Environment, Shared};
use super::functions::to_double;
use super::sys::{data_bytes, is_string, string_bytes, unknown};

/// One WebSocket connection. Calls after `destroy` do nothing.
#[napi]
pub struct Connection {
    shared: Rc<Shared>,
    channel: Rc<RefCell<Channel>>,
    /// Its number, and whether that is nobody's any more when this object was collected.
    id: u32,
    is_owner: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_owner {
            self.shared.channels.borrow_mut().remove(self.id as usize);
        }
    }
}

impl Connection {
    /// The object of an attached connection.
    pub(super) fn of(shared: &Rc<Shared>, id: u32) -> Result<Self> {
        Ok(Self { shared: Rc::clone(shared), channel: shared.channel(id)?, id, is_owner: false })
    }
}

#[napi]
#[allow(clippy::needless_pass_by_value, reason = "napi hands arguments over by value")]
impl Connection {
    /// A connection whose bytes the caller carries, configured as `Environment.configure` was told under this number.
    #[napi(constructor, catch_unwind)]
    pub fn new(environment: &Environment, configuration: u32) -> Result<Self> {
        let shared = Rc::clone(&environment.shared);
        let channel = Rc::new(RefCell::new(Channel::new(shared.configuration(configuration)?)));
        let id = shared.channels.borrow_mut().insert(Rc::clone(&channel)) as u32;
        Ok(Self { shared, channel, id, is_owner: true })
    }

    /// What the functions of `Environment.calls` know this connection by.
    #[napi(getter, catch_unwind)]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Has a message or a fragment compressed on another thread if it is to be compressed (`flags`: `COMPRESS` 64), and then
    /// calls `callback`, in whose call or later `sendDeflated` sends it; no other may be sent before. `false`: it is not to be.
    #[napi(catch_unwind)]
    pub fn deflate(
        &mut self,
        #[napi(ts_arg_type = "string | Uint8Array")] data: Unknown<'_>,
        flags: u32,
        #[napi(ts_arg_type = "() => void")] callback: Unknown<'_>,
    ) -> Result<bool> {
        let shared = &self.shared;
        let mut scratch = shared.scratch.borrow_mut();
        let start = |payload: &[u8]| {
            let outgoing = self.channel.borrow_mut().deflates(shared, flags, payload.len());
            let Some(outgoing) = outgoing else { return Ok(false) };
            shared.deflate_async(&self.channel, &outgoing, payload, callback.raw()).map(|()| true)
        };
        if is_string(shared.env, data.raw())? {
            string_bytes(shared.env, data.raw(), &mut scratch)?;
            let started = start(&scratch);
            // Large, as a rule.
            *scratch = Vec::new();
            return started;
        }
        data_bytes(shared.env, data.raw(), &mut scratch, start)?
    }

    /// Queues what `deflate` has compressed. Flags as of `send`; the running total of bytes ever queued.
    #[napi(catch_unwind)]
    pub fn send_deflated(&mut self, flags: u32, key: Option<Uint8Array>) -> Result<f64> {
        let key = key.map(|key| masking_key(&key)).transpose()?;
        Ok(to_double(self.channel.borrow_mut().send_deflated(&self.shared, flags, key)))
    }

    /// After an `INFLATING` record: has the frame inflated on another thread, and then calls `callback` with the number of
    /// records that can be read; attached, with 0, and what was received is delivered as ever.
    #[napi(catch_unwind)]
    pub fn inflate(
        &mut self,
        #[napi(ts_arg_type = "(count: number) => void")] callback: Unknown<'_>,
    ) -> Result<()> {
        self.shared.inflate_async(&self.channel, callback.raw())
    }

    /// The payload of the next record with the flag `LARGE`.
    #[napi(catch_unwind)]
    pub fn take_large<'env>(&mut self, env: &'env Env) -> Result<BufferSlice<'env>> {
        let payload = self.shared.parts.borrow_mut().large.pop_front().unwrap_or_default();
        BufferSlice::copy_from(env, payload)
    }

    /// The memory of the next record with the flag `DETACHED`.
    #[napi(catch_unwind, ts_return_type = "ArrayBuffer | undefined")]
    pub fn take_landed(&mut self) -> Result<Option<Unknown<'_>>> {
        let value = self.channel.borrow().landed()?;
        value.map(|value| unknown(self.shared.env, value)).transpose()
    }

    /// The lengths of the non-empty frames of the next record with the flag `FRAGMENTED`.
    #[napi(catch_unwind)]
    pub fn take_fragments(&mut self) -> Vec<u32> {
        self.shared.parts.borrow_mut().fragments.pop_front().unwrap_or_default()
    }

    /// Over a stream: everything queued since the last call; `null` if nothing is.
    #[napi(catch_unwind)]
    pub fn take_output<'env>(&mut self, env: &'env Env) -> Result<Option<BufferSlice<'env>>> {
        let mut channel = self.channel.borrow_mut();
        let Some(stream) = channel.stream() else { return Ok(None) };
        if stream.connection.output().is_empty() {
            return Ok(None);
        }
        let output = BufferSlice::copy_from(env, stream.connection.output())?;
        stream.discard_output();
        Ok(Some(output))
    }

    /// Attached, over TCP: this end; `null` once destroyed.
    #[napi(catch_unwind)]
    pub fn local_address(&self) -> Option<SocketAddress> {
        self.channel.borrow().ends().0.map(SocketAddress::from)
    }

    /// Attached, over TCP: the other end; `null` once it is not connected any more.
    #[napi(catch_unwind)]
    pub fn remote_address(&self) -> Option<SocketAddress> {
        self.channel.borrow().ends().1.map(SocketAddress::from)
    }

    /// Attached: the number of the descriptor; -1 once destroyed.
    #[napi(catch_unwind)]
    pub fn descriptor(&self) -> i32 {
        self.channel.borrow().descriptor()
    }

    /// Adopted: a handle of Node's owns that descriptor from now on, and must not close it before `destroy`.
    #[napi(catch_unwind)]
    pub fn lend(&self) {
        self.channel.borrow_mut().lend();
    }

    /// Attached: gives the descriptor back to its handle; from now on the caller carries the bytes, and `receive` and
    /// `takeOutput` go on where the socket has stopped. All records must have been read. Returns news that no record tells of:
    /// 1 all output has gone out, or that is to be told, 2 the writing side was shut down, 4 a write failed (else a read), and
    /// from the ninth bit on the number of that error; -1: there is no socket.
    #[napi(catch_unwind)]
    pub fn hand_back(&mut self) -> i32 {
        self.channel.borrow_mut().hand_back(&self.shared).unwrap_or(-1)
    }

    /// Attached: whether as many bytes of output as `mark` have been pending since none were. If so, a `DRAIN` record comes when
    /// none are.
    #[napi(catch_unwind)]
    pub fn needs_drain(&self, mark: u32) -> bool {
        self.channel.borrow().attachment().is_some_and(|attachment| attachment.needs_drain(mark.into()))
    }

    /// Attached: from now on a `DRAIN` record comes whenever no output is pending any more after so many bytes of it were.
    #[napi(catch_unwind)]
    pub fn watch_drain(&mut self, mark: u32) {
        if let Some(attachment) = self.channel.borrow_mut().wake(&self.shared) {
            attachment.watch_drain(mark.into());
        }
    }

    /// Attached: from now on `RAW` records bring the received bytes as they came, behind their events.
    #[napi(catch_unwind)]
    pub fn tap(&mut self) {
        self.channel.borrow_mut().obey(&self.shared, SocketCommand::Tap);
    }

    /// Attached: holds the output back, or lets it go again.
    #[napi(catch_unwind)]
    pub fn cork(&mut self, corked: bool) {
        self.channel.borrow_mut().obey(&self.shared, SocketCommand::Cork(corked));
    }

    /// Whether pings may be answered without being asked, which an I/O thread does.
    #[napi(catch_unwind)]
    pub fn set_auto_pong(&mut self, on: bool) {
        self.channel.borrow_mut().set_auto_pong(on);
    }

    /// Changes the limit for messages, in bytes; 0 and below mean unlimited.
    #[napi(catch_unwind)]
    pub fn set_max_payload(&mut self, limit: i32) {
        let limit = u64::try_from(limit).unwrap_or(0);
        let mut channel = self.channel.borrow_mut();
        channel.configure(|config| config.limits.max_payload = limit, |core| core.set_max_payload(limit));
    }

    /// Turns UTF-8 validation off or on.
    #[napi(catch_unwind)]
    pub fn set_skip_utf8_validation(&mut self, skip: bool) {
        let mut channel = self.channel.borrow_mut();
        channel.configure(
            |config| config.skip_utf8_validation = skip,
            |core| core.set_skip_utf8_validation(skip),
        );
    }
}
