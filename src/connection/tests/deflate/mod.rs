//! Connections with permessage-deflate, and helpers shared by the test files.

mod broadcast;
mod broadcast_sharing;
mod frames;
mod in_place;
mod limits;
mod offload;
mod properties;
mod sending;
mod trim;

use std::sync::Arc;

use flate2::{Decompress, FlushDecompress};

use super::{
    CountingKeys, Event, assert_same_however_cut, config, key_of, opposite, receive, receive_chunks,
};
use crate::connection::{Config, Connection, EventBatch, EventRef};
use crate::protocol::deflate::{
    Broadcast, DeflateParams, IncomingParams, InflateJob, OutgoingParams, PermessageDeflate, Pool, Progress,
    WindowBits,
};
use crate::protocol::frame::FrameRules;
use crate::protocol::{FrameHeader, Limits, ProtocolError, Role};

/// Configuration of a connection with these parameters.
fn config_with(role: Role, params: DeflateParams) -> Config {
    Config {
        deflate: Some(Arc::new(PermessageDeflate { params, pool: Arc::new(Pool::default()) })),
        ..config(role)
    }
}

/// A connection with the default parameters.
fn with_deflate(role: Role) -> Connection {
    Connection::new(config_with(role, DeflateParams::default()))
}

fn client() -> Connection {
    with_deflate(Role::Client)
}

fn with_limits(limits: Limits) -> Connection {
    Connection::new(Config { limits, ..config_with(Role::Client, DeflateParams::default()) })
}

/// Parameters of the peer of a connection that sends with `outgoing`.
fn peer_params(outgoing: &OutgoingParams) -> DeflateParams {
    let incoming = IncomingParams {
        window_bits: outgoing.window_bits,
        context_takeover: outgoing.context_takeover,
        dictionary: outgoing.dictionary.clone(),
    };
    DeflateParams { incoming, ..DeflateParams::default() }
}

/// Both ends: one that sends with these parameters, and one that receives.
fn ends(role: Role, outgoing: &OutgoingParams) -> (Connection, Connection) {
    let receiver = config_with(opposite(role), peer_params(outgoing));
    let params = DeflateParams { outgoing: outgoing.clone(), ..DeflateParams::default() };
    (Connection::new(config_with(role, params)), Connection::new(receiver))
}

/// Parameters without context takeover.
fn without_takeover() -> OutgoingParams {
    OutgoingParams { context_takeover: false, threshold: 100, ..OutgoingParams::default() }
}

fn narrow(bits: u8) -> OutgoingParams {
    OutgoingParams { window_bits: WindowBits::new(bits).unwrap(), ..OutgoingParams::default() }
}

/// Sends a whole binary message, compressed if it is worth it.
fn send(connection: &mut Connection, payload: &[u8]) {
    send_part(connection, true, payload);
}

fn send_part(connection: &mut Connection, fin: bool, payload: &[u8]) {
    let key = key_of(connection.config.role);
    connection.send_compressed(true, fin, key, payload, true, &mut Broadcast::default());
}

fn taken(connection: &mut Connection) -> Vec<u8> {
    let mut output = Vec::new();
    connection.take_output(&mut output);
    output
}

/// The frames sent by a server: first bytes and payloads.
fn frames(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut seen = Vec::new();
    let mut fragmented = false;
    while let [first, ..] = *bytes {
        let rules = FrameRules {
            role: Role::Client,
            rsv1_allowed: true,
            fragmented,
            message_length: 0,
            max_payload: 0,
        };
        let (header, start) = FrameHeader::parse(bytes, &rules).unwrap().unwrap();
        let (payload, rest) = bytes[start..].split_at(header.payload_length as usize);
        seen.push((first, payload));
        if !header.opcode.is_control() {
            fragmented = !header.fin;
        }
        bytes = rest;
    }
    seen
}

/// A frame to a client.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(length as u8),
        length @ 126..0x1_0000 => {
            bytes.push(126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            bytes.push(127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// Inflates a payload without its trailer, using flate2 alone.
fn inflate_with_flate2(inflater: &mut Decompress, payload: &[u8]) -> Vec<u8> {
    let input = [payload, &[0, 0, 0xFF, 0xFF]].concat();
    let (mut output, start) = (Vec::new(), inflater.total_in());
    loop {
        output.reserve(64 * 1024);
        let rest = &input[(inflater.total_in() - start) as usize..];
        inflater.decompress_vec(rest, &mut output, FlushDecompress::Sync).unwrap();
        if output.len() < output.capacity() {
            return output;
        }
    }
}

fn finish(mut job: InflateJob) -> InflateJob {
    while job.run(70_000) == Progress::Paused {}
    job
}

/// Moves events into `seen` up to an offloaded frame, which is returned.
fn collect(
    connection: &mut Connection,
    events: &mut EventBatch,
    seen: &mut Vec<Event>,
) -> Option<InflateJob> {
    while let Some(event) = events.peek() {
        let is_inflating = event == EventRef::Inflating;
        if !is_inflating {
            seen.push(event.into());
        }
        events.advance();
        if is_inflating {
            assert!(events.is_empty(), "nothing comes before the message");
            return connection.take_inflate_job();
        }
    }
    None
}

/// Like `receive_chunks`, and finishes each offloaded frame this many chunks later.
fn receive_inflating<'a>(
    connection: &mut Connection,
    chunks: impl IntoIterator<Item = &'a [u8]>,
    later: usize,
) -> Vec<Event> {
    let (mut events, mut seen, mut keys) = (EventBatch::new(), Vec::new(), CountingKeys::default());
    let (mut waiting, mut since) = (None, 0);
    for chunk in chunks {
        connection.receive(chunk, &mut keys, &mut events);
        if waiting.is_some() {
            assert!(events.is_empty() && connection.is_inflating(), "nothing is parsed meanwhile");
            since += 1;
        } else {
            (waiting, since) = (collect(connection, &mut events, &mut seen), 0);
        }
        while since >= later
            && let Some(job) = waiting.take()
        {
            connection.finish_inflate_job(finish(job), &mut keys, &mut events);
            (waiting, since) = (collect(connection, &mut events, &mut seen), 0);
        }
    }
    while let Some(job) = waiting {
        connection.finish_inflate_job(finish(job), &mut keys, &mut events);
        waiting = collect(connection, &mut events, &mut seen);
    }
    assert!(!connection.is_inflating());
    seen
}

/// Text of a few repeating words, similar for all seeds.
fn words(seed: usize, length: usize) -> Vec<u8> {
    let word = |at: usize| {
        let word = (at * 7 + (at / (3 + seed % 13)) * 11 + at * at * (1 + seed % 5)) % 23;
        format!("{word}-{} ", word * 37_991)
    };
    (seed..).flat_map(|at| word(at).into_bytes()).take(length).collect()
}

/// Incompressible bytes.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn failed(error: ProtocolError) -> Event {
    Event::Failed(error)
}
