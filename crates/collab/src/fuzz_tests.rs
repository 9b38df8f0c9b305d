//! Seeded mutations of what real clients and servers send, for every target.

use super::*;
use crate::limits::{SCAN_DEPTH_MAX, UPDATE_BYTES_MAX};
use std::panic::catch_unwind;

/// Mutated inputs for each target; `FUZZ_INPUTS` sets another number.
const INPUTS: usize = 60_000;

/// xorshift64*
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// Updates of real sessions of Yjs.
fn updates() -> Vec<Vec<u8>> {
    let sessions = [
        include_str!("../../../fixtures/differential/460.txt"),
        include_str!("../../../fixtures/differential/511.txt"),
        include_str!("../../../fixtures/differential/635.txt"),
        include_str!("../../../fixtures/differential/670.txt"),
        include_str!("../../../fixtures/differential/783.txt"),
    ];
    let steps = sessions.iter().flat_map(|session| {
        let (head, _) = session.split_once("\n\n").unwrap();
        head.lines().skip(1)
    });
    steps
        .map(|step| unhex(step.split_once(' ').unwrap().0))
        .collect()
}

/// The frames of the shared vectors, good and bad.
fn frames() -> Vec<Vec<u8>> {
    let text = include_str!("../../../fixtures/protocol/frames.json");
    let all: serde_json::Value = serde_json::from_str(text).unwrap();
    let vectors = all["vectors"].as_array().unwrap();
    let bytes = vectors.iter().filter_map(|vector| vector["hex"].as_str());
    bytes.map(unhex).collect()
}

fn yjs() -> Vec<Vec<u8>> {
    let mut all = vec![
        unhex("010d01070315007b2275736572223a7b226e616d65223a2241227d7d"),
        [&[1, 9, 1, 7, 3][..], b"\x04null"].concat(),
        [&b"\x06page-5"[..], &[2, 0, 3], b"abc\x014"].concat(),
        vec![9],
        vec![3],
        vec![2, 7, 3, 9, 1],
    ];
    for update in updates() {
        let bytes = Bytes::from(update.clone());
        let step = YMessage::Update(bytes).encode();
        all.push([&b"\x06page-5"[..], &step].concat());
        all.push(step.to_vec());
    }
    all
}

fn values_of_clients() -> Vec<Vec<u8>> {
    vec![
        br#"{"a":[1,-2.5e3,null,{"b":"\u00e9\n"}],"c":{}}"#.to_vec(),
        br#"["\ud83c\udf0a",true]"#.to_vec(),
        [
            &[118, 2, 1, b'a', 125, 65, 1, b'b', 117, 2, 119, 1],
            &b"x\x7e"[..],
        ]
        .concat(),
        [117, 1].repeat(SCAN_DEPTH_MAX),
        vec![123, 63, 240, 0, 0, 0, 0, 0, 0, 116, 2, 1, 2],
    ]
}

/// One to four small changes, of the kinds that make lengths, counts and nesting lie.
fn mutated(numbers: &mut Numbers, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = numbers.pick(seeds).clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        match numbers.below(10) {
            0 if !bytes.is_empty() => {
                let at = at % bytes.len();
                bytes[at] ^= 1 << numbers.below(8);
            }
            1 | 2 if !bytes.is_empty() => {
                let at = at % bytes.len();
                bytes[at] = numbers.below(256) as u8;
            }
            3 => bytes.insert(at, numbers.below(256) as u8),
            4 => bytes.truncate(at),
            5 => {
                let to = at + numbers.below(bytes.len() - at + 1);
                bytes.drain(at..to);
            }
            6 => {
                let to = at + numbers.below(bytes.len() - at + 1).min(40);
                let piece = bytes[at..to].to_vec();
                let piece = piece.repeat(1 + numbers.below(6));
                bytes.splice(at..at, piece);
            }
            7 => {
                let large: [&[u8]; 5] = [
                    &[0xff, 0xff, 0xff, 0xff, 0x0f],
                    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
                    &[0x80, 0x00],
                    &[0xff, 0xff, 0x03],
                    &[0xff; 12],
                ];
                let large = numbers.pick(&large).to_vec();
                let to = (at + numbers.below(3)).min(bytes.len());
                bytes.splice(at..to, large);
            }
            8 => {
                let other = numbers.pick(seeds).clone();
                let from = numbers.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => {
                bytes.push(b'|');
                bytes.extend(numbers.pick(seeds).clone());
            }
        }
    }
    bytes
}

fn run(name: &str, target: fn(&[u8]), seeds: &[Vec<u8>]) {
    let inputs = std::env::var("FUZZ_INPUTS").map_or(INPUTS, |n| n.parse().unwrap());
    let mut numbers = Numbers(20_261_122);
    let mutations = (0..inputs).map(|_| mutated(&mut numbers, seeds));
    for input in seeds.iter().cloned().chain(mutations) {
        let outcome = catch_unwind(|| target(&input));
        assert!(
            outcome.is_ok(),
            "target `{name}` fails on {}; add it to the seeds",
            input.iter().map(|b| format!("{b:02x}")).collect::<String>()
        );
    }
}

/// [SCAN-1] [SCAN-2] [SCAN-4]
#[test]
fn scanner_takes_anything() {
    run("scanner", scanner, &updates());
}

/// [WIRE-2] [WIRE-3] [WIRE-4]
#[test]
fn frames_take_anything() {
    run("client_frames", client_frames, &frames());
    run("server_frames", server_frames, &frames());
}

/// [ROOM-2]
#[test]
fn leases_take_anything() {
    run("leases", leases, &frames());
}

/// [SCAN-1] [SCAN-2]
#[test]
fn values_take_anything() {
    run("values", values, &values_of_clients());
}

/// [YJS-3] [YJS-5] [YJS-10]
#[test]
fn yjs_messages_take_anything() {
    run("yjs_messages", yjs_messages, &yjs());
}

/// [YJS-9]
#[test]
fn yjs_updates_take_anything() {
    run("yjs_updates", yjs_updates, &updates());
}

/// [SCAN-1] Updates of the largest size, each all of one kind: what is not linear does not come to an end here.
#[test]
fn large_and_of_one_kind() {
    let room = UPDATE_BYTES_MAX - 64;
    let filled = |head: &[u8], piece: &[u8], n: usize| {
        let mut bytes = head.to_vec();
        while bytes.len() + piece.len() < room.min(n * piece.len()) {
            bytes.extend_from_slice(piece);
        }
        bytes
    };
    let all = [
        // Items that each refer to the one before; gaps; deleted clocks; sections; nested values; digits.
        filled(
            &[1, 0xc0, 0x9a, 0x0c, 7, 0],
            &[0x84, 7, 0, 1, b'a'],
            200_000,
        ),
        filled(&[1, 0xc0, 0x9a, 0x0c, 7, 0], &[10, 1, 0, 1], 200_000),
        filled(&[0, 1, 7, 0xc0, 0x9a, 0x0c], &[1, 1], 200_000),
        filled(&[0x80, 0x08], &[1, 7, 0, 0, 1], 200_000),
        filled(
            &[1, 1, 7, 0, 8, 1, 1, b't', 0xff, 0xff, 0x7f],
            &[117, 1],
            usize::MAX / 4,
        ),
        filled(
            &[1, 1, 7, 0, 5, 1, 1, b't', 0xc0, 0x84, 0x3d],
            b"[",
            usize::MAX / 4,
        ),
        filled(
            &[1, 1, 7, 0, 5, 1, 1, b't', 0xc0, 0x84, 0x3d],
            b"9",
            usize::MAX / 4,
        ),
    ];
    for bytes in &all {
        scanner(bytes);
        client_frames(bytes);
        values(bytes);
        yjs_messages(bytes);
    }
}
