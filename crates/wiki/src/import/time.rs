//! Times of an export: local times without a zone, turned into milliseconds since the epoch.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads `yyyy-MM-dd HH:mm:ss[.SSS]` in a zone. A time that the zone skips or repeats is taken as clocks take it.
pub(crate) fn parse_ms(text: &str, zone: &TimeZone) -> Option<i64> {
    let time: DateTime = text.trim().parse().ok()?;
    let zoned = time.to_zoned(zone.clone()).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

/// The day `yyyy-mm-dd` of a blog post: the day of its creation where it was written.
pub(crate) fn day(ms: i64, zone: &TimeZone) -> String {
    let stamp = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.to_zoned(zone.clone()).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_times_become_epoch_milliseconds_of_their_zone() {
        let madrid = TimeZone::get("Europe/Madrid").unwrap();
        assert_eq!(
            parse_ms("2023-11-13 12:37:12.969", &TimeZone::UTC),
            Some(1_699_879_032_969)
        );
        assert_eq!(
            parse_ms("2023-11-13 12:37:12.969", &madrid),
            Some(1_699_875_432_969)
        );
        assert_eq!(
            parse_ms("2023-11-13 12:37:12", &madrid),
            Some(1_699_875_432_000)
        );
        assert_eq!(
            parse_ms("2023-03-26 02:30:00.000", &madrid),
            Some(1_679_794_200_000),
            "a skipped hour"
        );
        for wrong in [
            "",
            "yesterday",
            "2023-13-01 00:00:00",
            "99999999-01-01 00:00:00",
        ] {
            assert_eq!(parse_ms(wrong, &madrid), None, "{wrong}");
        }
    }

    #[test]
    fn the_posting_day_is_the_day_where_it_was_written() {
        let madrid = TimeZone::get("Europe/Madrid").unwrap();
        let ms = parse_ms("2023-11-21 00:10:00.000", &madrid).unwrap();
        assert_eq!(day(ms, &madrid), "2023-11-21");
        assert_eq!(day(ms, &TimeZone::UTC), "2023-11-20");
    }
}
