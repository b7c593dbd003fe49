//! Messages sent by one end equal those received by the other, for both roles and at every split.

use super::{CountingKeys, Event, config, key_of, opposite, receive_chunks};
use crate::connection::{Connection, EventBatch};
use crate::protocol::{Limits, Role};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

#[derive(Debug, Clone)]
enum Command {
    /// A message in these fragments, with a ping of one byte between each two.
    Message {
        binary: bool,
        fragments: Vec<Vec<u8>>,
    },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let payload = || vec(any::<u8>(), 0..200);
    let command = prop_oneof![
        vec(payload(), 1..5).prop_map(|fragments| Command::Message { binary: true, fragments }),
        vec("\\PC{0,60}", 1..4).prop_map(|texts| Command::Message {
            binary: false,
            fragments: texts.into_iter().map(String::into_bytes).collect()
        }),
        vec(any::<u8>(), 0..=125).prop_map(Command::Ping),
        vec(any::<u8>(), 0..=125).prop_map(Command::Pong),
        Just(Command::Message { binary: true, fragments: vec![vec![9; 70_000]] }),
    ];
    vec(command, 0..12)
}

fn run(connection: &mut Connection, role: Role, command: &Command, expected: &mut Vec<Event>) {
    let key = key_of(role);
    match command {
        Command::Message { binary, fragments } => {
            for (index, fragment) in fragments.iter().enumerate() {
                if index > 0 {
                    connection.ping(key, &[index as u8]);
                    expected.push(Event::Ping(vec![index as u8]));
                }
                connection.send(*binary, index + 1 == fragments.len(), key, fragment);
            }
            let lengths = fragments.iter().map(|fragment| fragment.len() as u32).filter(|&length| length > 0);
            expected.push(Event::Message {
                binary: *binary,
                data: fragments.concat(),
                fragments: if fragments.len() > 1 { lengths.collect() } else { Vec::new() },
            });
        }
        Command::Ping(payload) => {
            connection.ping(key, payload);
            expected.push(Event::Ping(payload.clone()));
        }
        Command::Pong(payload) => {
            connection.pong(key, payload);
            expected.push(Event::Pong(payload.clone()));
        }
    }
}

proptest! {
    #[test]
    fn commands_become_events(
        commands in commands(),
        client: bool,
        size in prop_oneof![1_usize..40, Just(usize::MAX)],
    ) {
        let role = if client { Role::Client } else { Role::Server };
        let mut sender = Connection::new(config(role));
        let mut expected = Vec::new();
        for command in &commands {
            run(&mut sender, role, command, &mut expected);
        }
        sender.close(Some(3001), b"done", key_of(role));
        expected.push(Event::Close(3001, b"done".into()));

        let mut receiver = Connection::new(config(opposite(role)));
        prop_assert_eq!(&receive_chunks(&mut receiver, sender.output().chunks(size)), &expected);

        // Every ping is answered with its payload.
        let answers = receive_chunks(&mut sender, [receiver.output()]);
        let pings = expected.into_iter().filter_map(|event| match event {
            Event::Ping(payload) => Some(Event::Pong(payload)),
            _ => None,
        });
        prop_assert_eq!(answers, pings.collect::<Vec<_>>());
    }

    #[test]
    fn garbage_gives_the_same_events_at_every_split(
        bytes: Vec<u8>,
        client: bool,
        cut in any::<prop::sample::Index>(),
    ) {
        let limits = Limits { max_buffered_chunks: 0, ..Limits::default() };
        let role = if client { Role::Client } else { Role::Server };
        let mut connections = [(); 2].map(|()| super::with_limits(role, limits));
        let (head, tail) = bytes.split_at(cut.index(bytes.len() + 1));
        let whole = receive_chunks(&mut connections[0], [&bytes[..]]);
        prop_assert_eq!(receive_chunks(&mut connections[1], [head, tail]), whole);
        prop_assert_eq!(connections[0].output(), connections[1].output());
        prop_assert_eq!(connections[0].is_receiving(), connections[1].is_receiving());
    }

    #[test]
    fn an_undelivered_batch_accepts_more_events(
        payloads in vec(vec(any::<u8>(), 0..50), 1..20),
        deliver in 0_usize..3,
    ) {
        let mut sender = Connection::new(config(Role::Server));
        let mut receiver = Connection::new(config(Role::Client));
        let (mut events, mut seen, mut output) = (EventBatch::new(), Vec::new(), Vec::new());
        for payload in &payloads {
            sender.send(true, true, None, payload);
            sender.take_output(&mut output);
            receiver.receive(&output, &mut CountingKeys::default(), &mut events);
            for _ in 0..deliver {
                seen.extend(events.peek().map(Event::from));
                events.advance();
            }
        }
        while let Some(event) = events.peek() {
            seen.push(event.into());
            events.advance();
        }
        prop_assert_eq!(seen, payloads.iter().map(|payload| Event::binary(payload)).collect::<Vec<_>>());
    }
}
