//! The transports of an owner, by connection id: the configuration of each connection and its backend. JavaScript names a connection
//! by this id. Commands that need the event loop are in `event_loop::commands`.

use std::cell::{Ref, RefCell, RefMut};
use std::mem;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use super::event_loop::{ActiveConnection, IdleConnection};
use super::slab::Slab;
use super::stream::Stream;
use crate::connection::{Config, Connection, EventMemory, Trimmed};
use crate::protocol::deflate::InflateJob;
use crate::protocol::{Limits, MaskingKey, Role};

/// The transports of one owner. `M` is the memory of its host.
pub struct Transports<M> {
    by_id: RefCell<Slab<Rc<RefCell<Transport<M>>>>>,
    /// Memory of event batches, which the connections take turns with.
    event_memory: RefCell<EventMemory>,
}

impl<M> Default for Transports<M> {
    fn default() -> Self {
        Self { by_id: RefCell::default(), event_memory: RefCell::default() }
    }
}

impl<M> Transports<M> {
    /// The transport of a connection. `None` if there is no such connection.
    pub fn get(&self, id: u32) -> Option<Rc<RefCell<Transport<M>>>> {
        self.by_id.borrow().get(id as usize).map(Rc::clone)
    }

    /// Adds a transport and returns its id. Ids are used again.
    pub fn insert(&self, transport: Rc<RefCell<Transport<M>>>) -> u32 {
        self.by_id.borrow_mut().insert(transport) as u32
    }

    /// The id that the next transport will get.
    pub fn next_id(&self) -> u32 {
        self.by_id.borrow().vacant_key() as u32
    }

    /// Removes a transport. Its id may be given to another one.
    pub fn remove(&self, id: u32) -> Option<Rc<RefCell<Transport<M>>>> {
        self.by_id.borrow_mut().remove(id as usize)
    }

    /// Runs `access` on each transport.
    pub fn for_each(&self, mut access: impl FnMut(&RefCell<Transport<M>>)) {
        for transport in self.by_id.borrow().iter() {
            access(transport);
        }
    }

    /// All transports, without a count of references for each.
    pub fn borrow(&self) -> Ref<'_, Slab<Rc<RefCell<Transport<M>>>>> {
        self.by_id.borrow()
    }

    /// Spare memory of event batches.
    pub fn event_memory(&self) -> RefMut<'_, EventMemory> {
        self.event_memory.borrow_mut()
    }
}

/// The mover of a connection's bytes.
pub enum Backend<M> {
    /// A Node Duplex: the caller carries the bytes.
    Stream(Box<Stream>),
    /// A socket.
    Active(Rc<ActiveConnection<M>>),
    /// A socket with nothing in flight.
    Idle(IdleConnection),
    /// None: the connection is closed.
    Closed(Totals),
}

/// Running totals of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Bytes ever queued.
    pub queued: u64,
    /// Bytes ever accepted by the kernel or the stream.
    pub written: u64,
    /// Bytes ever received.
    pub read: u64,
}

impl Totals {
    /// Bytes queued and not accepted yet.
    pub fn pending(&self) -> u64 {
        self.queued.saturating_sub(self.written)
    }

    fn of_output(connection: &Connection) -> Self {
        Self { queued: connection.queued_total(), written: connection.written_total(), read: 0 }
    }
}

/// A message, or a fragment of one, to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Binary, otherwise text.
    pub binary: bool,
    /// The last fragment.
    pub fin: bool,
    /// It is to be compressed, if that was negotiated.
    pub compress: bool,
    /// The masking key.
    pub key: Option<MaskingKey>,
    /// The payload.
    pub payload: &'a [u8],
}

/// The transport of one connection.
pub struct Transport<M> {
    config: Arc<Config>,
    backend: Backend<M>,
    /// The next payload to send, if another thread has compressed it.
    compressed: Option<Rc<Vec<u8>>>,
}

impl<M> Transport<M> {
    /// A transport whose caller carries the bytes.
    pub fn over_stream(config: Arc<Config>) -> Self {
        let mut connection = Connection::new(Arc::clone(&config));
        // The caller answers pings, in the order of events.
        connection.set_auto_pong(false);
        Self::new(config, Backend::Stream(Box::new(Stream::new(connection))))
    }

    /// A transport that was destroyed.
    pub fn closed() -> Self {
        let config = Config {
            role: Role::Server,
            limits: Limits::default(),
            auto_pong: false,
            skip_utf8_validation: false,
            deflate: None,
        };
        Self::new(Arc::new(config), Backend::Closed(Totals::default()))
    }

    pub(in crate::transport) fn new(config: Arc<Config>, backend: Backend<M>) -> Self {
        Self { config, backend, compressed: None }
    }

    /// The configuration of the connection.
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// The mover of the bytes.
    pub fn backend(&mut self) -> &mut Backend<M> {
        &mut self.backend
    }

    /// Replaces the backend by a closed one, which has its totals.
    pub(in crate::transport) fn take_backend(&mut self) -> Backend<M> {
        let closed = Backend::Closed(self.totals());
        mem::replace(&mut self.backend, closed)
    }

    /// Replaces the backend.
    pub fn set_backend(&mut self, backend: Backend<M>) {
        self.backend = backend;
    }

    /// The stream, if the caller carries the bytes.
    pub fn stream(&mut self) -> Option<&mut Stream> {
        match &mut self.backend {
            Backend::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    /// The active connection of a socket. `None` also if it is idle.
    pub fn active(&self) -> Option<&Rc<ActiveConnection<M>>> {
        match &self.backend {
            Backend::Active(connection) => Some(connection),
            _ => None,
        }
    }

    /// True once destroyed.
    pub fn is_closed(&self) -> bool {
        matches!(self.backend, Backend::Closed(_))
    }

    /// Runs `access` on the connection. `None` if it is idle or destroyed.
    pub fn with_connection<R>(&mut self, access: impl FnOnce(&mut Connection) -> R) -> Option<R> {
        match &mut self.backend {
            Backend::Stream(stream) => Some(access(&mut stream.connection)),
            Backend::Active(connection) => connection.with_connection(access),
            Backend::Idle(_) | Backend::Closed(_) => None,
        }
    }

    /// The totals; those at the end, once destroyed.
    pub fn totals(&self) -> Totals {
        match &self.backend {
            Backend::Stream(stream) => {
                Totals { read: stream.bytes_read(), ..Totals::of_output(&stream.connection) }
            }
            Backend::Active(connection) => {
                let output = connection.with_connection(|connection| Totals::of_output(connection));
                Totals { read: connection.bytes_read(), ..output.unwrap_or_default() }
            }
            Backend::Idle(idle) => {
                let written = idle.written_total();
                Totals { queued: written, written, read: idle.bytes_read() }
            }
            Backend::Closed(totals) => *totals,
        }
    }

    /// Sets the limit for messages, in bytes, of the connection and of its configuration, which an idle connection has when it is
    /// active again; 0 means unlimited.
    pub fn set_max_payload(&mut self, limit: u64) {
        Arc::make_mut(&mut self.config).limits.max_payload = limit;
        self.with_connection(|connection| connection.set_max_payload(limit));
    }

    /// Turns UTF-8 validation off or on, as [`Transport::set_max_payload`] sets the limit.
    pub fn set_skip_utf8_validation(&mut self, skip: bool) {
        Arc::make_mut(&mut self.config).skip_utf8_validation = skip;
        self.with_connection(|connection| connection.set_skip_utf8_validation(skip));
    }

    /// Chooses whether an I/O thread answers pings. False if it may not yet: an unanswered ping has not been delivered.
    pub fn set_auto_pong(&mut self, on: bool) -> bool {
        if let Backend::Active(connection) = &self.backend
            && !connection.set_may_pong(on)
        {
            return false;
        }
        if self.config.auto_pong != on {
            Arc::make_mut(&mut self.config).auto_pong = on;
        }
        true
    }

    /// The addresses of a TCP socket: local, and of the peer.
    pub fn local_and_peer_addr(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        match &self.backend {
            Backend::Active(connection) => connection.local_and_peer_addr(),
            Backend::Idle(idle) => idle.local_and_peer_addr(),
            Backend::Stream(_) | Backend::Closed(_) => (None, None),
        }
    }

    /// The number of the socket's descriptor; -1 if there is none.
    pub fn fd(&self) -> i32 {
        match &self.backend {
            Backend::Active(connection) => connection.fd(),
            Backend::Idle(idle) => idle.fd(),
            Backend::Stream(_) | Backend::Closed(_) => -1,
        }
    }

    /// Keeps a payload that another thread has compressed for this connection.
    pub fn set_compressed(&mut self, payload: Rc<Vec<u8>>) {
        self.compressed = Some(payload);
    }

    /// Takes the payload of [`Transport::set_compressed`].
    pub fn take_compressed(&mut self) -> Option<Rc<Vec<u8>>> {
        self.compressed.take()
    }

    /// Takes the frame that another thread is to inflate.
    pub fn take_inflate_job(&mut self) -> Option<InflateJob> {
        self.with_connection(Connection::take_inflate_job)?
    }

    /// Releases memory of permessage-deflate that was not used since the last call.
    pub fn free_unused(&mut self) -> Trimmed {
        if self.config.deflate.is_none() {
            Trimmed::default()
        } else {
            self.with_connection(Connection::trim_memory).unwrap_or_default()
        }
    }
}
