use super::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

const MASK: [u8; 4] = [0x12, 0xfe, 0x03, 0x77];

/// A frame as a client sends it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let piece = Piece::new(0, Bytes::copy_from_slice(payload));
    let mut frame = piece.head[..piece.head_len].to_vec();
    frame[0] = first;
    frame[1] |= MASKED;
    frame.extend(MASK);
    let masked = payload.iter().zip(MASK.iter().cycle());
    frame.extend(masked.map(|(byte, key)| byte ^ key));
    frame
}

fn pair(space: usize) -> (Wire<DuplexStream>, DuplexStream) {
    let (ours, theirs) = duplex(space);
    (Wire::new(ours), theirs)
}

/// Everything that a client's bytes are heard as.
async fn hear(bytes: &[u8]) -> Result<Vec<Heard>, Wrong> {
    let (mut wire, mut client) = pair(1 << 16);
    let bytes = bytes.to_vec();
    tokio::spawn(async move { client.write_all(&bytes).await });
    let mut heard = Vec::new();
    while let Ok(Turn::Read) = wire.turn().await {
        while let Some(one) = wire.heard()? {
            heard.push(one);
        }
        wire.write.clear();
    }
    Ok(heard)
}

fn message(bytes: &[u8]) -> Heard {
    Heard::Message(Bytes::copy_from_slice(bytes))
}

/// [WIRE-1]
#[tokio::test]
async fn messages_of_every_length() {
    for len in [0, 1, 15, 16, 17, 125, 126, 5_000, 65_535, 65_536, 300_000] {
        let payload: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        let twice = [frame(FINAL | BINARY, &payload), frame(FINAL | BINARY, b"x")].concat();
        let heard = hear(&twice).await.unwrap();
        assert_eq!(heard, [message(&payload), message(b"x")], "{len}");
    }
}

#[tokio::test]
async fn a_message_in_parts_with_a_ping_between() {
    let bytes = [
        frame(BINARY, b"on"),
        frame(FINAL | PING, b"?"),
        frame(CONTINUATION, b""),
        frame(FINAL | CONTINUATION, b"e"),
        frame(FINAL | BINARY, b"two"),
    ];
    let heard = hear(&bytes.concat()).await.unwrap();
    assert_eq!(heard, [Heard::Alive, message(b"one"), message(b"two")]);
}

/// [WIRE-1] [WIRE-3]
#[tokio::test]
async fn what_is_no_frame() {
    let mut unmasked = frame(FINAL | BINARY, b"x");
    unmasked[1] &= !MASKED;
    let mut reserved = frame(FINAL | BINARY, b"x");
    reserved[0] |= 0x40;
    let mut too_long_a_length = frame(FINAL | BINARY, &[0; 126]);
    too_long_a_length[3] = 125;
    let huge = [
        &[FINAL | BINARY, MASKED | 127][..],
        &u64::MAX.to_be_bytes(),
        &MASK,
    ]
    .concat();
    let cases = [
        (unmasked, Wrong::Malformed),
        (reserved, Wrong::Malformed),
        (too_long_a_length, Wrong::Malformed),
        (frame(PING, b""), Wrong::Malformed),
        (frame(FINAL | PING, &[0; 126]), Wrong::Malformed),
        (frame(FINAL | 0x0b, b""), Wrong::Malformed),
        (frame(FINAL | 0x03, b""), Wrong::Malformed),
        (frame(FINAL | CONTINUATION, b""), Wrong::Malformed),
        (
            [frame(BINARY, b"a"), frame(FINAL | BINARY, b"b")].concat(),
            Wrong::Malformed,
        ),
        (frame(FINAL | TEXT, b"hello"), Wrong::Text),
        (huge, Wrong::TooLong),
    ];
    for (bytes, why) in cases {
        assert_eq!(hear(&bytes).await, Err(why), "{bytes:?}");
    }
    let part = vec![7; limits::LIVE_FRAME_BYTES_MAX / 2 + 1];
    let parts = [frame(BINARY, &part), frame(FINAL | CONTINUATION, &part)].concat();
    assert_eq!(hear(&parts).await, Err(Wrong::TooLong));
}

#[tokio::test]
async fn pings_and_the_end_are_answered() {
    let (mut wire, mut client) = pair(1 << 10);
    let bytes = [
        frame(FINAL | PING, b"42"),
        frame(FINAL | CLOSE, &[3, 232, b'b']),
    ]
    .concat();
    client.write_all(&bytes).await.unwrap();
    assert_eq!(wire.turn().await.unwrap(), Turn::Read);
    assert_eq!(wire.heard(), Ok(Some(Heard::Alive)));
    assert_eq!(wire.heard(), Ok(Some(Heard::Closed)));
    assert_eq!(wire.turn().await.unwrap(), Turn::Written(0));
    let mut answers = [0; 8];
    client.read_exact(&mut answers).await.unwrap();
    assert_eq!(
        answers,
        [FINAL | PONG, 2, b'4', b'2', FINAL | CLOSE, 2, 3, 232]
    );
}

/// Through a pipe of a few bytes everything comes out in order, and reading goes on while writing cannot.
#[tokio::test]
async fn written_in_pieces() {
    let (mut wire, mut client) = pair(7);
    for len in [0, 3, 130, 70_000] {
        wire.put(Bytes::from(vec![len as u8; len]));
    }
    wire.close(4400, &"ä".repeat(100));
    assert_eq!(wire.put, 70_133);
    client.write_all(&frame(FINAL | PONG, b"")).await.unwrap();
    let mut alive = false;
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        client.read_to_end(&mut all).await.unwrap();
        all
    });
    loop {
        match tokio::time::timeout(Duration::from_secs(10), wire.turn())
            .await
            .unwrap()
        {
            Ok(Turn::Read) => alive |= wire.heard() == Ok(Some(Heard::Alive)),
            Ok(Turn::Written(count)) => break assert_eq!(count, 70_133),
            Err(why) => panic!("{why}"),
        }
    }
    drop(wire);
    let all = reading.await.unwrap();
    assert!(alive);
    let heads = [2, 2 + 3, 4 + 130, 10 + 70_000].iter().sum::<usize>();
    assert_eq!(all[heads..heads + 4], [FINAL | CLOSE, 124, 0x11, 0x30]);
    assert_eq!(all.len(), heads + 2 + 124);
}
