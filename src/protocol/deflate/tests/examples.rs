//! The examples of RFC 7692 section 7.2.3, byte for byte.

use super::super::{
    Compressor, EMPTY_FRAGMENT, EMPTY_MESSAGE, InflateJob, Inflater, Progress, strip_trailer,
};
use super::{OutgoingParams, inflate, inflate_with};

const HELLO: &[u8] = &[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
/// The second message, in the window of the first.
const HELLO_AGAIN: &[u8] = &[0xF2, 0x00, 0x11, 0x00, 0x00];

#[test]
fn a_message_in_one_block() {
    assert_eq!(inflate(HELLO).unwrap().output, b"Hello");
}

#[test]
fn a_message_in_two_fragments() {
    let mut job = InflateJob::new(Inflater::new(), HELLO[..3].to_vec(), false, Vec::new(), 5);
    assert_eq!(job.run(usize::MAX), Progress::Done);
    let first = job.into_parts().unwrap();
    let start = first.output.len();
    let mut job = InflateJob::new(first.inflater.unwrap(), HELLO[3..].to_vec(), true, first.output, 5);
    assert_eq!(job.run(usize::MAX), Progress::Done);
    let second = job.into_parts().unwrap();
    assert_eq!((&second.output[..], second.start), (&b"Hello"[..], start));
}

#[test]
fn two_messages_share_the_window() {
    let first = inflate(HELLO).unwrap();
    let second = inflate_with(first.inflater.unwrap(), HELLO_AGAIN, 5).unwrap();
    assert_eq!(second.output, b"Hello");
    // Without the window, the second message refers to nothing.
    assert!(inflate(HELLO_AGAIN).is_err());
}

#[test]
fn a_block_without_compression() {
    let stored = [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00];
    assert_eq!(inflate(&stored).unwrap().output, b"Hello");
}

#[test]
fn a_block_with_bfinal_set() {
    let last = inflate(&[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00]).unwrap();
    assert_eq!(last.output, b"Hello");
    assert!(last.inflater.is_none());
}

#[test]
fn two_blocks_in_one_message() {
    let blocks = [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00];
    assert_eq!(inflate(&blocks).unwrap().output, b"Hello");
}

#[test]
fn an_empty_fragment() {
    let empty = inflate(EMPTY_MESSAGE).unwrap();
    assert_eq!((&empty.output[..], EMPTY_MESSAGE), (&b""[..], &[0x00][..]));
    // It does not change the window.
    let hello = inflate_with(empty.inflater.unwrap(), HELLO, 5).unwrap();
    let mut job = InflateJob::new(hello.inflater.unwrap(), EMPTY_FRAGMENT.to_vec(), false, Vec::new(), 5);
    assert_eq!(job.run(usize::MAX), Progress::Done);
    let empty = job.into_parts().unwrap();
    assert_eq!(empty.output, b"");
    assert_eq!(inflate_with(empty.inflater.unwrap(), HELLO_AGAIN, 5).unwrap().output, b"Hello");
}

#[test]
fn output_matches_the_rfc() {
    let mut compressor = Compressor::new(&OutgoingParams::default(), usize::MAX);
    assert_eq!(strip_trailer(compressor.compress(b"", b"Hello"), true), HELLO);
    assert_eq!(strip_trailer(compressor.compress(b"Hello", b"Hello"), true), HELLO_AGAIN);
    let first = compressor.compress(b"", b"He").to_vec();
    assert_eq!(strip_trailer(&first, false), first);
}
