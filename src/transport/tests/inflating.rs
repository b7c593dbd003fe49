//! Large compressed messages, which another thread inflates: meanwhile their socket is not read by either driver, and
//! then it continues with nothing lost.

use std::net::Shutdown;
use std::sync::{Arc, LazyLock};
use std::thread;

use super::either_driver::with_both;
use super::{
    Dice, Event, Family, LINK, Link, LoopOwner, OneKey, Owner, Owns, Peer, SETUPS, key_of, opposite, pair,
    pattern, text, wait_until,
};
use crate::connection::{Config, Connection, EventBatch, EventMemory, TimeLimits};
use crate::protocol::deflate::{Broadcast, InflateJob, PermessageDeflate, Progress};
use crate::protocol::{Limits, Role};
use crate::transport::socket::{Descriptor, RECEIVE_BUFFER, Socket, SocketEvents};

/// Inflates to more than one step does, and to less than the high-water mark, which therefore is not why reading
/// stops.
const LARGE: isize = 200_000;
/// This much of each message can't be compressed.
const INCOMPRESSIBLE: usize = 17_000;

fn payload(number: usize, length: usize) -> Vec<u8> {
    let mut payload = pattern(number, length);
    let mut dice = Dice(number as u64);
    for byte in payload.iter_mut().take(INCOMPRESSIBLE) {
        *byte = dice.roll(256) as u8;
    }
    payload
}

fn deflating(role: Role) -> Connection {
    let limits = Limits {
        max_payload: 0,
        max_fragments: 0,
        max_buffered_chunks: 0,
        max_pending_auto_pongs: 0,
        max_read: 0,
    };
    let deflate = Some(Arc::new(PermessageDeflate::default()));
    Connection::new(Config {
        role,
        limits,
        auto_pong: false,
        skip_utf8_validation: false,
        time_limits: TimeLimits::default(),
        deflate,
    })
}

/// Gives the connection permessage-deflate. Nothing was received yet.
fn with_deflate<O: Owns>(link: Link<O>) -> Link<O> {
    let role = link.role;
    link.socket.with_connection(|connection| *connection = deflating(role)).unwrap();
    link.socket.set_may_pong(true);
    link
}

fn small(owner: LoopOwner, setup: (Family, Role)) -> Link<LoopOwner> {
    with_deflate(Link::small_of(owner, setup))
}

/// Bytes that a peer sends, and the events that its receiver must get: compressed messages of these lengths, plain
/// ones of lengths below 0, and a ping at the end.
struct Script {
    bytes: Vec<u8>,
    expected: Vec<Event>,
}

impl Script {
    fn new(role: Role, lengths: &[isize]) -> Self {
        let (mut peer, key) = (deflating(role), key_of(role));
        let mut expected = Vec::new();
        for (number, &length) in lengths.iter().enumerate() {
            let payload = payload(number, length.unsigned_abs());
            peer.send_compressed(true, true, key, &payload, length > 0, &mut Broadcast::default());
            expected.push(Event::Binary(payload));
        }
        peer.ping(key, b"?");
        expected.push(Event::Ping(b"?".to_vec()));
        Self { bytes: peer.output().to_vec(), expected }
    }
}

/// For peers of both roles: compressing takes a while.
type Scripts = LazyLock<[(Role, Script); 2]>;

fn for_both(lengths: &[isize]) -> [(Role, Script); 2] {
    [Role::Client, Role::Server].map(|role| (role, Script::new(role, lengths)))
}

/// More than buffers hold, with three large messages.
static LONG: Scripts =
    LazyLock::new(|| for_both(&[&[300, LARGE][..], &[-1_500; 800], &[LARGE, LARGE]].concat()));
/// Fits into buffers, with one large message.
static SHORT: Scripts = LazyLock::new(|| for_both(&[LARGE, 1_000, -5_000, -100]));

fn script<O: Owns>(scripts: &'static Scripts, link: &Link<O>) -> &'static Script {
    scripts.iter().find_map(|(role, script)| (*role == link.peer.role).then_some(script)).unwrap()
}

fn run(mut job: InflateJob) -> InflateJob {
    while job.run(100_000) == Progress::Paused {}
    job
}

fn take<O: Owns>(link: &Link<O>) -> InflateJob {
    link.socket.with_connection(Connection::take_inflate_job).unwrap().unwrap()
}

/// Sends the short script up to the large message, of which only the first event is delivered.
fn until_inflating<O: Owns>(link: &mut Link<O>) -> (InflateJob, &'static Script) {
    let script = script(&SHORT, link);
    link.peer.write(&script.bytes);
    let seen = link.until(|seen| !seen.events.is_empty());
    assert_eq!(seen.events, [Event::Inflating]);
    (take(link), script)
}

fn give_back<O: Owns>(link: &Link<O>, job: InflateJob) {
    link.socket.finish_inflate_job(job, &mut OneKey);
    // The answers to pings behind it.
    link.socket.flush();
}

/// Waits until the driver has served the socket.
fn let_drive<O: Owns>(link: &mut Link<O>) {
    link.send(b"turn");
    while link.peer.next() != Event::Binary(b"turn".to_vec()) {}
    link.until(|_| true);
}

/// Asserts that a socket is not read while a frame is inflated and its peer keeps sending.
fn is_not_read<O: Owns>(link: &mut Link<O>) {
    let read = link.socket.bytes_read();
    for _ in 0..3 {
        let_drive(link);
        let interest = link.socket.interest();
        assert!(!interest.read && !interest.deliver && link.socket.bytes_read() == read);
    }
}

/// Sends the long script. Frames are inflated on another thread while `meanwhile` runs, which gets the number of
/// those before.
fn play<O: Owns>(link: &mut Link<O>, meanwhile: impl Fn(&mut Link<O>, usize)) {
    let (mut peer, script) = (link.peer.second(), script(&LONG, link));
    thread::scope(|scope| {
        scope.spawn(move || peer.write(&script.bytes));
        let (mut told, mut inflated) = (0, 0);
        while told - inflated < script.expected.len() {
            let seen = link.until(|seen| seen.events.len() > told);
            let event = &seen.events[told];
            told += 1;
            if *event == Event::Inflating {
                assert_eq!(seen.events.len(), told, "nothing is told before the message");
                let job = take(link);
                let elsewhere = scope.spawn(move || run(job));
                meanwhile(link, inflated);
                give_back(link, elsewhere.join().unwrap());
                inflated += 1;
            } else {
                assert!(*event == script.expected[told - inflated - 1], "event {told}");
            }
        }
        assert_eq!(inflated, 3);
    });
}

#[test]
fn a_socket_is_not_read_while_a_frame_is_inflated() {
    with_both(small, |link| play(link, |link, _| is_not_read(link)));
    for setup in SETUPS {
        play(&mut with_deflate(Link::<Owner>::small(setup)), |link, _| is_not_read(link));
    }
}

#[test]
fn pings_behind_a_large_frame_are_answered_on_a_thread() {
    for setup in SETUPS {
        let mut link = small(LoopOwner::on_threads(), setup);
        let (job, script) = until_inflating(&mut link);
        is_not_read(&mut link);
        give_back(&link, run(job));
        assert_eq!(link.peer.next(), Event::Pong(b"?".to_vec()));
        assert!(link.until(|seen| seen.events.len() > script.expected.len()).events[1..] == script.expected);
    }
}

#[test]
fn a_pause_holds_the_message_back() {
    with_both(small, |link| {
        let (job, script) = until_inflating(link);
        link.socket.pause();
        give_back(link, run(job));
        let_drive(link);
        assert_eq!(link.until(|_| true).events, [Event::Inflating]);
        link.socket.resume();
        assert!(link.until(|seen| seen.events.len() > script.expected.len()).events[1..] == script.expected);
    });
}

#[test]
fn the_peers_end_follows_all_messages() {
    with_both(small, |link| {
        let (job, script) = until_inflating(link);
        link.peer.stream.shutdown(Shutdown::Write).unwrap();
        is_not_read(link);
        assert_eq!(link.owner.seen(LINK).ended, 0);
        give_back(link, run(job));
        assert!(link.until(|seen| seen.ended == 1).events[1..] == script.expected);
    });
}

#[test]
fn a_head_may_hold_a_large_frame() {
    for (family, role) in SETUPS {
        let (ours, theirs) = pair(family);
        ours.set_nonblocking(true).unwrap();
        let (owner, peer) = (Owner::begin(), Peer::new(theirs, opposite(role)));
        let (_, Script { bytes, expected }) = SHORT.iter().find(|(role, _)| *role == peer.role).unwrap();
        let (head, rest) = bytes.split_at(bytes.len() - 5);
        let fd = Descriptor::Owned(Arc::new(ours));
        let socket = Socket::new(fd, deflating(role), head, &mut OneKey, &owner.mailbox, LINK, true);
        owner.add(&socket);
        let mut link = Link { owner, socket, peer, role };
        link.peer.write(rest);
        assert_eq!(link.until(|seen| !seen.events.is_empty()).events, [Event::Inflating]);
        is_not_read(&mut link);
        assert_eq!(link.socket.bytes_read(), head.len() as u64);
        give_back(&link, run(take(&link)));
        assert!(link.until(|seen| seen.events.len() > expected.len()).events[1..] == expected[..]);
    }
}

#[test]
fn reading_in_place_stops_too() {
    for setup in SETUPS {
        let mut link = small(LoopOwner::new(), setup);
        let script = script(&LONG, &link);
        let mut peer = link.peer.second();
        thread::scope(|scope| {
            scope.spawn(move || peer.write(&script.bytes));
            let mut buffer = vec![0; RECEIVE_BUFFER];
            let mut told: Vec<Event> = Vec::new();
            while told.len() < script.expected.len() {
                while link.socket.interest().read && !link.socket.interest().deliver {
                    link.socket.receive_in_place(
                        false,
                        &mut buffer,
                        &mut OneKey,
                        &mut EventMemory::default(),
                    );
                }
                link.socket.with_events(|_, events| events.copy_out_chunk(&buffer));
                buffer.fill(0xEE);
                let before = link.owner.seen(LINK).events.len();
                link.owner.collect(LINK);
                let seen = &link.owner.seen(LINK).events;
                told.extend(seen[before..].iter().filter(|event| **event != Event::Inflating).cloned());
                if seen.last() == Some(&Event::Inflating) {
                    assert!(!link.socket.interest().read);
                    give_back(&link, run(take(&link)));
                }
            }
            assert!(told == script.expected);
        });
    }
}

/// Destroys a socket whose frame is being inflated, as the addon does. Returns the events of the connection that
/// remains.
fn destroy(link: &mut Link<LoopOwner>, job: InflateJob) -> Vec<Event> {
    let mut connection = link.socket.take_inflating().unwrap();
    assert!(link.socket.take_inflating().is_none());
    let Link { owner, socket, peer, .. } = link;
    owner.destroy_socket(socket);
    peer.wait_for_end();
    let mut events = EventBatch::new();
    connection.finish_inflate_job(run(job), &mut OneKey, &mut events);
    let mut told = Vec::new();
    while let Some(event) = events.peek() {
        told.push(event.into());
        events.advance();
    }
    // The socket has no more events, and no other references.
    owner.cycle();
    assert_eq!(owner.seen(LINK).events, [Event::Inflating]);
    wait_until(|| Arc::strong_count(socket) == 1);
    told
}

#[test]
fn a_destroyed_socket_leaves_its_connection() {
    with_both(small, |link| {
        assert!(link.socket.take_inflating().is_none());
        let (job, script) = until_inflating(link);
        // Bytes that were read with the frame are in the connection.
        assert!(destroy(link, job) == script.expected);
    });
}

#[test]
fn a_last_read_goes_to_the_connection() {
    with_both(small, |link| {
        let (job, script) = until_inflating(link);
        link.socket.pause();
        link.peer.send_text("unread");
        let mut undelivered = SocketEvents::default();
        wait_until(|| {
            link.socket.last_read(&mut vec![0; RECEIVE_BUFFER], &mut OneKey, &mut undelivered);
            link.socket.bytes_read() > script.bytes.len() as u64
        });
        assert!(undelivered.is_empty());
        let told = destroy(link, job);
        assert!(told[..script.expected.len()] == script.expected);
        assert_eq!(told[script.expected.len()..], [text("unread")]);
    });
}

#[test]
fn a_frame_returned_to_a_destroyed_socket_is_dropped() {
    with_both(small, |link| {
        let (job, _) = until_inflating(link);
        let Link { owner, socket, peer, .. } = link;
        owner.destroy_socket(socket);
        socket.finish_inflate_job(run(job), &mut OneKey);
        peer.wait_for_end();
        owner.cycle();
        assert_eq!(owner.seen(LINK).events, [Event::Inflating]);
        wait_until(|| Arc::strong_count(socket) == 1);
    });
}
