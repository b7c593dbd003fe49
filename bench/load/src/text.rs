//! Text for compression: JSON resembling that of applications, different for every number and equal
//! in every run. Pure functions, used by `message`.

use std::fmt::Write;

const USERS: [&str; 16] = [
    "marta.keller",
    "jonas.lind",
    "amara.okafor",
    "li.wei",
    "sofia.rossi",
    "tom.becker",
    "priya.nair",
    "diego.fuentes",
    "hana.sato",
    "noah.martin",
    "zofia.nowak",
    "omar.haddad",
    "elena.petrova",
    "lucas.moreau",
    "aino.virtanen",
    "grace.mbeki",
];
const ITEMS: [&str; 16] = [
    "Copper kettle",
    "Desk lamp",
    "Wool blanket",
    "Garden chair",
    "Bread knife",
    "Notebook A5",
    "Oak shelf",
    "Bicycle pump",
    "Tea towel",
    "Wall clock",
    "Glass bowl",
    "Rain jacket",
    "Door mat",
    "Picture frame",
    "Camping stove",
    "Watering can",
];
const CENTS: [&str; 4] = ["00", "50", "90", "95"];
const STATES: [&str; 5] = ["new", "paid", "packed", "shipped", "returned"];
const WORDS: [&str; 16] = [
    "please",
    "leave",
    "the",
    "parcel",
    "with",
    "a",
    "neighbour",
    "before",
    "noon",
    "or",
    "call",
    "again",
    "when",
    "window",
    "opens",
    "door",
];

/// 2026-03-14T00:00:00Z in seconds, and a day.
const DAY_START: u32 = 1_773_446_400;
const DAY_SECONDS: u32 = 86_400;
/// Separator between the records and the padding of the message.
const BEFORE_NOTE: &str = "],\"note\":\"";
const END: &str = "\"}";

/// A pseudorandom sequence with a seed (xorshift).
struct Numbers(u32);

impl Numbers {
    fn draw(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.draw() % limit
    }

    fn pick(&mut self, list: &[&'static str]) -> &'static str {
        list[self.draw() as usize % list.len()]
    }
}

/// Message number `number`: a JSON object of `size` bytes, truncated if that is too short.
pub fn json(size: usize, number: u32) -> Vec<u8> {
    let mut numbers = Numbers(number.wrapping_mul(0x9e37_79b9) | 1);
    // Adjacent seeds give similar first numbers.
    for _ in 0..8 {
        numbers.draw();
    }
    let seconds = numbers.below(DAY_SECONDS);
    let mut text = format!(
        "{{\"seq\":{},\"time\":\"2026-03-14T{:02}:{:02}:{:02}.{:03}Z\",\"orders\":[",
        48_000 + number,
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        numbers.below(1000),
    );
    let room = size.saturating_sub(BEFORE_NOTE.len() + END.len());
    for index in 0.. {
        let record = record(&mut numbers, seconds);
        let comma = if index > 0 { "," } else { "" };
        if text.len() + comma.len() + record.len() > room {
            break;
        }
        text.push_str(comma);
        text.push_str(&record);
    }
    text.push_str(BEFORE_NOTE);
    let full = size.saturating_sub(END.len());
    while text.len() < full {
        text.push_str(numbers.pick(&WORDS));
        text.push(' ');
    }
    text.truncate(full);
    text.push_str(END);
    text.truncate(size);
    text.into_bytes()
}

/// One order, with `seconds` as its time of day.
fn record(numbers: &mut Numbers, seconds: u32) -> String {
    let mut text = String::new();
    let at = DAY_START + seconds - numbers.below(seconds.clamp(1, 3600));
    // Writing to a string never fails.
    let _ = write!(
        text,
        "{{\"id\":\"{:06}\",\"user\":\"{}\",\"item\":\"{}\",\"count\":{},\"price\":{}.{},\"state\":\"{}\",\"at\":{at}}}",
        numbers.below(1_000_000),
        numbers.pick(&USERS),
        numbers.pick(&ITEMS),
        1 + numbers.below(12),
        1 + numbers.below(249),
        numbers.pick(&CENTS),
        numbers.pick(&STATES),
    );
    text
}

#[cfg(test)]
mod tests {
    use super::json;

    #[test]
    fn messages_have_their_size_and_differ() {
        for size in [0, 20, 200, 2048, 65_536] {
            assert_eq!(json(size, 7).len(), size);
            assert_eq!(json(size, 7), json(size, 7));
            assert_eq!(json(size, 7) != json(size, 8), size > 0, "{size} bytes");
        }
    }

    #[test]
    fn messages_are_complete_objects() {
        for size in [200, 2048] {
            let text = json(size, 3);
            assert!(text.starts_with(b"{\"seq\"") && text.ends_with(b"\"}"), "{size} bytes");
            assert!(text.windows(6).any(|part| part == b"\"id\":\""), "{size} bytes");
        }
    }
}
