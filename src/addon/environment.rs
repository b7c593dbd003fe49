//! One JavaScript environment (main thread or worker): what its connections share. Every copy of the shim has an
//! [`Environment`]; all of them in a thread share one [`Shared`], see `thread`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::Unknown;
use napi::{Env, Error, Result, sys};
use napi_derive::napi;

use super::channel::Channel;
use super::compression_jobs::CompressionJob;
use super::connection::Connection;
use super::functions::Functions;
use super::options::ConnectionOptions;
use super::payload_arena::PayloadArena;
use super::records::{HEADER_WORDS, PAYLOAD_AREA, RecordExtras, RecordWriter, SEND_AREA, SHARED_LENGTH};
use super::sockets::Rounds;
use super::sys::{Realm, Reference, SharedArray, malloc_trim, property, unknown};
use super::thread::environment_of_thread;
use crate::connection::{Config, Rested};
use crate::protocol::deflate::{Broadcast, Pool};
use crate::transport::RandomKeys;
use crate::transport::slab::Slab;

/// Bytes that are worth it to give them back to the system while others are in use.
const MUCH: usize = 4 * 1024 * 1024;

/// What all connections of an environment share. Lives on that environment's thread.
pub(super) struct Shared {
    pub(super) env: Env,
    /// The `ArrayBuffer` that batches are written to.
    records: SharedArray,
    /// What records of the last batch only point to.
    pub(super) parts: RefCell<RecordExtras>,
    /// Where large messages are received.
    pub(super) arena: PayloadArena,
    /// Where masking keys come from.
    pub(super) keys: RefCell<RandomKeys>,
    /// Where strings are turned into UTF-8, and whether the one that was sent last is still there.
    pub(super) text: RefCell<Vec<u8>>,
    pub(super) has_text: Cell<bool>,
    /// Where bytes are copied that other threads share.
    pub(super) scratch: RefCell<Vec<u8>>,
    /// Where compressors and inflaters are that no connection needs.
    pub(super) pool: Arc<Pool>,
    /// What was compressed last.
    pub(super) broadcast: RefCell<Broadcast>,
    /// About how many bytes of permessage-deflate were freed since free memory was given back to the system.
    pub(super) freed: Cell<usize>,
    /// And of sockets that rest now.
    pub(super) freed_by_rest: Cell<usize>,
    /// The last payloads that are being compressed elsewhere, the last one first.
    pub(super) deflating: RefCell<Vec<Rc<CompressionJob>>>,
    /// How connections are configured, by number.
    configurations: RefCell<Slab<Arc<Config>>>,
    /// The value of `thread.js`, and the realm that it was made in.
    thread: Reference,
    pub(super) realm: Realm,
    /// All connections, by their numbers. Number 0 is one that was destroyed, for whoever has none.
    pub(super) channels: RefCell<Slab<Rc<RefCell<Channel>>>>,
    /// The sockets that were taken over.
    pub(super) rounds: Rounds,
}

impl Shared {
    /// Puts one batch together in the memory that JavaScript reads. `fill` says whether something remains for another.
    /// Returns the number of records.
    pub(super) fn batch(&self, fill: impl FnOnce(&mut RecordWriter<'_>) -> bool) -> u32 {
        let mut parts = self.parts.borrow_mut();
        self.records.with(|memory| {
            let mut writer = RecordWriter::new(memory, &mut parts);
            let remains = fill(&mut writer);
            writer.finish(remains) as u32
        })
    }
}

impl Shared {
    /// The environment of a thread. `thread`: the value of `thread.js`.
    ///
    /// # Errors
    /// When the system has no randomness for masking keys, or the environment is ending.
    fn new(env: Env, thread: sys::napi_value) -> Result<Rc<Self>> {
        let rounds = Rounds::new(env, property(env, thread, c"deliver")?)?;
        let keys = RandomKeys::new().map_err(|error| Error::from_reason(error.to_string()))?;
        let records = SharedArray::new(env, SHARED_LENGTH)?;
        let shared = Self {
            env,
            records,
            parts: RefCell::default(),
            arena: PayloadArena::new(env)?,
            keys: RefCell::new(keys),
            text: RefCell::default(),
            has_text: Cell::new(false),
            scratch: RefCell::default(),
            pool: Arc::default(),
            broadcast: RefCell::default(),
            freed: Cell::new(0),
            freed_by_rest: Cell::new(0),
            deflating: RefCell::default(),
            configurations: RefCell::default(),
            thread: Reference::new(env, thread)?,
            realm: Realm::of(env)?,
            channels: RefCell::default(),
            rounds,
        };
        shared.channels.borrow_mut().insert(Rc::new(RefCell::new(Channel::gone())));
        Ok(Rc::new(shared))
    }

    /// How connections of this number are configured.
    ///
    /// # Errors
    /// When nobody has said so.
    pub(super) fn configuration(&self, number: u32) -> Result<Arc<Config>> {
        let config = self.configurations.borrow().get(number as usize).cloned();
        config.ok_or_else(|| Error::from_reason("no such configuration"))
    }

    /// Writes records of numbers into the shared array, as many as it can hold.
    pub(super) fn write_records(&self, records: impl Iterator<Item = [[usize; 2]; 2]>) {
        self.records.with(|memory| {
            let (words, _) = memory[4 * HEADER_WORDS..SEND_AREA.start].as_chunks_mut();
            for (place, word) in words.iter_mut().zip(records.flatten().flatten()) {
                *place = (word as u32).to_ne_bytes();
            }
        });
    }

    /// Puts bytes where the payloads of a batch begin. `false`: they are too many.
    pub(super) fn lay_out(&self, bytes: &[u8]) -> bool {
        self.records.with(|memory| {
            let place = memory[PAYLOAD_AREA].get_mut(..bytes.len());
            place.map(|place| place.copy_from_slice(bytes)).is_some()
        })
    }

    /// Runs `read` on the first `length` of the bytes that the shim has put into the shared memory to be sent.
    pub(super) fn with_placed<R>(&self, length: usize, read: impl FnOnce(&[u8]) -> R) -> R {
        let mut bytes = [0; SEND_AREA.end - SEND_AREA.start];
        self.records.with(|memory| bytes.copy_from_slice(&memory[SEND_AREA]));
        read(bytes.get(..length).unwrap_or_default())
    }
}

/// A copy's side of the addon; the shim makes one when it is loaded.
#[napi]
pub struct Environment {
    pub(super) shared: Rc<Shared>,
    /// The numbers of the configurations that this copy has made, which end with it.
    configurations: RefCell<Vec<u32>>,
}

impl Drop for Environment {
    fn drop(&mut self) {
        let mut configurations = self.shared.configurations.borrow_mut();
        for number in self.configurations.borrow().iter() {
            configurations.remove(*number as usize);
        }
    }
}

#[napi]
impl Environment {
    /// The environment of this thread; made by the first copy.
    ///
    /// Throws when the system has no randomness for masking keys.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env) -> Result<Self> {
        let shared = environment_of_thread(env, |thread| Shared::new(env, thread))?;
        Ok(Self { shared, configurations: RefCell::default() })
    }

    /// The value of `src/addon/thread.js`, the same for every copy. Its `deliver(id, count)` is called with the number of each
    /// attached connection that has events: `count` records can be read in [`Environment::records`], and more with `more` of
    /// [`Environment::calls`]. Each call has its own callback scope, with `deliver` as its resource; the async context of the
    /// connection is for its owner to enter. An exception becomes an `uncaughtException`. `deliver` is called again, with a count
    /// of 0, after an exception, and when it returns `true` because ticks and microtasks are to run first.
    #[napi(catch_unwind, ts_return_type = "object")]
    pub fn thread(&self) -> Result<Unknown<'_>> {
        unknown(self.shared.env, self.shared.thread.value()?)
    }

    /// The memory that batches are read from; never to be handed to a user. First 32-bit words in the machine's byte order:
    /// word 0 is 1 if another batch waits, word 1 is the number of bytes of payloads with the flag `BATCHED`; 256 records of four words
    /// each begin at word 4. Behind them are 64 bytes for what is sent with the flag `PLACED`, and behind these 64 KiB of payloads,
    /// which the offsets of records count from.
    #[napi(catch_unwind, ts_return_type = "ArrayBuffer")]
    pub fn records(&self) -> Result<Unknown<'_>> {
        unknown(self.shared.env, self.shared.records.value()?)
    }

    /// The memory that messages with the flag `ARENA` lie in until they are read; never to be handed to a user.
    #[napi(catch_unwind, ts_return_type = "ArrayBuffer")]
    pub fn bulk(&self) -> Result<Unknown<'_>> {
        unknown(self.shared.env, self.shared.arena.value()?)
    }

    /// What is done with connections as a rule.
    ///
    /// # Errors
    /// When JavaScript has no memory, or the environment is ending.
    #[napi(catch_unwind)]
    pub fn calls(&self) -> Result<Functions<'_>> {
        Functions::new(&self.shared)
    }

    /// Remembers a configuration of connections and returns its number. `replaced` is the number of one that this copy has made
    /// and that is forgotten for it; connections that were made with it keep it.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands arguments over by value")]
    pub fn configure(&self, replaced: Option<u32>, options: ConnectionOptions) -> u32 {
        let config = Arc::new(options.config(&self.shared));
        let mut own = self.configurations.borrow_mut();
        let mut configurations = self.shared.configurations.borrow_mut();
        if let Some(place) = own.iter().position(|number| Some(*number) == replaced) {
            configurations.remove(own.swap_remove(place) as usize);
        }
        let number = configurations.insert(config) as u32;
        own.push(number);
        number
    }

    /// The object of an attached connection, for what is not among the calls.
    #[napi(catch_unwind)]
    pub fn connection(&self, id: u32) -> Result<Connection> {
        Connection::of(&self.shared, id)
    }

    /// Has `deliver` called with 0 and `number` when the event loop closes handles in this turn, in a callback scope of its own,
    /// at the place that a handle has which is closed now. Throws where there is no libuv.
    #[napi(catch_unwind)]
    pub fn call_when_closing(&self, number: u32) -> Result<()> {
        self.shared.call_when_closing(number)
    }

    /// Has the output written that was queued on attached connections since the last flush: now where the event loop drives
    /// them, soon where an I/O thread does.
    #[napi(catch_unwind)]
    pub fn flush(&self) {
        self.shared.flush();
    }

    /// Writes the queued output of all attached connections from this thread, as far as the kernel takes it at once.
    #[napi(catch_unwind)]
    pub fn flush_sync(&self) {
        self.shared.rounds.flush_sync();
    }

    /// To be called from time to time: gives memory back that connections have not needed since the last time. Returns whether
    /// permessage-deflate may have more to give back the next time.
    #[napi(catch_unwind)]
    pub fn rest(&self) -> bool {
        let shared = &self.shared;
        let mut rested = Rested::default();
        // Whoever compresses has the pool.
        if Arc::strong_count(&shared.pool) > 1 {
            for channel in shared.channels.borrow().iter() {
                rested += channel.borrow_mut().rest();
            }
        }
        shared.broadcast.borrow_mut().forget();
        rested.again |= shared.pool.rest();
        shared.rest_idle();
        // To look for it takes time: not for little, unless it is the last of permessage-deflate.
        let freed = shared.freed.get() + rested.freed;
        let is_last = freed > 0 && !rested.again;
        if is_last || freed + shared.freed_by_rest.get() >= MUCH {
            malloc_trim();
            shared.freed.set(0);
            shared.freed_by_rest.set(0);
        } else {
            shared.freed.set(freed);
        }
        rested.again
    }

    /// How many attached connections do not rest.
    #[napi(getter, catch_unwind)]
    pub fn awake(&self) -> u32 {
        self.shared.rounds.awake() as u32
    }

    /// Counts up what keeps the event loop alive.
    #[napi(js_name = "ref", catch_unwind)]
    pub fn keep(&self) {
        self.shared.rounds.keep(true);
    }

    /// Counts down what keeps the event loop alive.
    #[napi(catch_unwind)]
    pub fn unref(&self) {
        self.shared.rounds.keep(false);
    }
}
