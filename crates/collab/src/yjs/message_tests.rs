use super::*;

/// [YJS-3] Every message is read as it is written, and the bytes are those of the y-protocols.
#[test]
fn messages() {
    let bytes = Bytes::from_static(b"\x01\x02");
    for (message, expected) in [
        (YMessage::Step1(bytes.clone()), &b"\x00\x00\x02\x01\x02"[..]),
        (YMessage::Step2(bytes.clone()), b"\x00\x01\x02\x01\x02"),
        (YMessage::Update(bytes.clone()), b"\x00\x02\x02\x01\x02"),
        (YMessage::Awareness(bytes), b"\x01\x02\x01\x02"),
        (YMessage::Denied("no".to_owned()), b"\x02\x00\x02no"),
        (YMessage::QueryAwareness, b"\x03"),
    ] {
        assert_eq!(message.encode(), expected);
        assert_eq!(YMessage::decode(&message.encode()), Ok(message));
    }
    for (bytes, why) in [
        (&b""[..], Malformed::Empty),
        (b"\x00", Malformed::Truncated),
        (b"\x00\x03\x00", Malformed::BadValue),
        (b"\x00\x02\x05\x00", Malformed::Truncated),
        (b"\x03\x00", Malformed::Trailing),
        (b"\x0b", Malformed::UnknownType),
        (b"\x02\x01\x00", Malformed::BadValue),
    ] {
        assert_eq!(YMessage::decode(&Bytes::from_static(bytes)), Err(why));
    }
    let large = AWARENESS_BYTES_MAX + 1;
    let large = YMessage::Awareness(vec![0; large].into()).encode();
    assert_eq!(YMessage::decode(&large), Err(Malformed::TooLarge));
}

/// [YJS-5] The frames of Hocuspocus v3 and v4, with and without a session in the address.
#[test]
fn hocuspocus() {
    let read = |bytes: &'static [u8]| HocuspocusFrame::decode(&Bytes::from_static(bytes));
    let message = |bytes| read(bytes).map(|frame| frame.message);
    use HocuspocusMessage::*;
    let step1 = YMessage::Step1(Bytes::from_static(b"\0"));
    assert_eq!(message(b"\x01d\0\0\x01\0"), Ok(Y(step1.clone())));
    assert_eq!(message(b"\x01d\x04\0\x01\0"), Ok(Y(step1)));
    assert_eq!(message(b"\x01d\x02\0\x02ab"), Ok(Token("ab".to_owned())));
    let with_version = message(b"\x01d\x02\0\x02ab\x054.8.0");
    assert_eq!(with_version, Ok(Token("ab".to_owned())));
    assert_eq!(message(b"\x01d\x05\x01x"), Ok(Stateless("x".to_owned())));
    assert_eq!(message(b"\x01d\x07"), Ok(Close));
    assert_eq!(message(b"\x01d\x07\x01x"), Ok(Close));
    assert_eq!(message(b"\x09"), Ok(Ping));
    assert_eq!(message(b"\x0a"), Ok(Pong));
    assert_eq!(message(b"\x01d\x09"), Ok(Ping));
    // What only servers say to each other.
    assert_eq!(message(b"\x01d\x06\x01x"), Err(Malformed::UnknownType));
    assert_eq!(message(b"\x01d\x02\x01\x01x"), Err(Malformed::BadValue));
    assert_eq!(message(b""), Err(Malformed::Empty));
    let frame = read(b"\x03d\0s\x03").unwrap();
    assert_eq!((frame.document(), frame.address.as_str()), ("d", "d\0s"));
}

/// [YJS-4] A refusal is told to each kind of client in its own way.
#[test]
fn refusals() {
    let denied = YMessage::Denied("no".to_owned()).encode();
    assert_eq!(addressed("d", &denied), &b"\x01d\x02\x01\x02no"[..]);
    assert_eq!(addressed("d", &sync_status(true)), &b"\x01d\x08\x01"[..]);
    let told = |message: Bytes| YMessage::for_y_websocket(&message).map(|told| told[0]);
    assert_eq!(told(sync_status(true)), None);
    assert_eq!(told(sync_status(false)), Some(2));
    assert_eq!(told(authorized(true)), None);
    assert_eq!(told(authorized(false)), Some(2));
    assert_eq!(told(stateless("x")), None);
    assert_eq!(told(YMessage::QueryAwareness.encode()), Some(3));
}
