//! In the place of `sockets` where a socket is no descriptor that one could take over (Windows): the same names, and nothing
//! behind them. There never is an [`Attachment`], so what is asked of one needs no code; every connection stays with its
//! stream.

#![allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "those of `sockets` need it")]

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use napi::{Env, Error, Result, sys};

use super::channel::{Link, Offer, SocketCommand};
use super::environment::Shared;
use super::records::RecordWriter;
use crate::connection::{Config, Connection as Core};
use crate::protocol::deflate::Inflation;
use crate::transport::stream::Stream;

/// Whether sockets can be taken over on this system.
pub(super) const TAKES_SOCKETS: bool = false;

/// Whether event loops can listen here.
pub(super) fn can_listen() -> bool {
    false
}

/// How many I/O threads run in this process.
pub(super) fn threads() -> usize {
    0
}

/// The sockets of an environment: none.
pub(super) struct Rounds;

impl Rounds {
    pub(super) fn new(_: Env, _deliver: sys::napi_value) -> Result<Self> {
        Ok(Self)
    }

    pub(super) fn flush_sync(&self) {}

    pub(super) fn awake(&self) -> usize {
        0
    }

    /// The streams keep the loop alive.
    pub(super) fn keep(&self, _up: bool) {}
}

impl Shared {
    pub(super) fn attach(self: &Rc<Self>, _: &Arc<Config>, _: &Offer<'_>) -> Result<Link> {
        Err(Error::from_reason("sockets can't be taken over on this system"))
    }

    pub(super) fn flush(&self) {}

    pub(super) fn call_when_closing(self: &Rc<Self>, _number: u32) -> Result<()> {
        Err(Error::from_reason("sockets can't be taken over on this system"))
    }

    pub(super) fn rest_idle(&self) {}
}

/// A socket that was taken over and rests. There is none.
pub(super) enum Resting {}

impl Resting {
    pub(super) fn written_total(&self) -> u64 {
        match *self {}
    }

    pub(super) fn bytes_read(&self) -> u64 {
        match *self {}
    }

    pub(super) fn ends(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        match *self {}
    }

    pub(super) fn descriptor(&self) -> i32 {
        match *self {}
    }

    pub(super) fn lend(&mut self) {
        match *self {}
    }

    pub(super) fn release(self, _: &Shared) {
        match self {}
    }

    pub(super) fn wake(self, _: &Shared, _: &Arc<Config>) -> Option<Rc<Attachment>> {
        match self {}
    }
}

/// A socket that was taken over. There is none.
pub(super) enum Attachment {}

impl Attachment {
    pub(super) fn can_rest(self: &Rc<Self>) -> bool {
        match **self {}
    }

    pub(super) fn rest(self: Rc<Self>, _: &Shared) -> Option<Resting> {
        match *self {}
    }

    pub(super) fn is_on_thread(&self) -> bool {
        match *self {}
    }

    pub(super) fn bytes_read(&self) -> u64 {
        match *self {}
    }

    pub(super) fn with_core<R>(&self, _: impl FnOnce(&mut Core) -> R) -> Option<R> {
        match *self {}
    }

    pub(super) fn mark_dirty(self: &Rc<Self>, _: &Shared) {
        match **self {}
    }

    pub(super) fn send_from_place(&self, _binary: bool, _fin: bool, _payload: &[u8]) -> bool {
        match *self {}
    }

    pub(super) fn obey(self: &Rc<Self>, _: &Shared, _: SocketCommand) {
        match **self {}
    }

    pub(super) fn set_may_pong(&self, _: bool) {
        match *self {}
    }

    pub(super) fn ends(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        match *self {}
    }

    pub(super) fn descriptor(&self) -> i32 {
        match *self {}
    }

    pub(super) fn lend(&self) {
        match *self {}
    }

    pub(super) fn is_empty(&self) -> bool {
        match *self {}
    }

    pub(super) fn fill(&self, _: &mut RecordWriter<'_>) -> bool {
        match *self {}
    }

    pub(super) fn landed(&self) -> Result<Option<sys::napi_value>> {
        match *self {}
    }

    pub(super) fn return_inflation(self: &Rc<Self>, _: &Shared, _: Inflation) {
        match **self {}
    }

    pub(super) fn collect_now(self: &Rc<Self>, _: &Shared) {
        match **self {}
    }

    pub(super) fn last_read(&self, _: &Shared) {
        match *self {}
    }

    pub(super) fn needs_drain(&self, _mark: u64) -> bool {
        match *self {}
    }

    pub(super) fn watch_drain(&self, _mark: u64) {
        match *self {}
    }

    pub(super) fn hand_back(&self, _: &Shared) -> Option<(Stream, i32)> {
        match *self {}
    }

    pub(super) fn detach(&self, _: &Shared) -> Option<Core> {
        match *self {}
    }
}
