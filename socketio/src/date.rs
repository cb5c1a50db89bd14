//! Dates as JavaScript writes them.

use std::time::Duration;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The time since 1970 as `new Date(n).toJSON()`.
pub(crate) fn iso(since: Duration) -> String {
    let (year, month, day) = civil(since);
    let (hours, minutes, seconds) = clock(since);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{:03}Z", since.subsec_millis())
}

/// The time since 1970 as `String(new Date(n))`, in Greenwich.
pub(crate) fn javascript(since: Duration) -> String {
    let (year, month, day) = civil(since);
    let (hours, minutes, seconds) = clock(since);
    let weekday = DAYS[(since.as_secs() / 86_400 % 7) as usize];
    let month = MONTHS[(month - 1) as usize];
    format!("{weekday} {month} {day:02} {year:04} {hours:02}:{minutes:02}:{seconds:02} GMT+0000 (Coordinated Universal Time)")
}

fn clock(since: Duration) -> (u64, u64, u64) {
    let seconds = since.as_secs() % 86_400;
    (seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The civil calendar of the days since 1970, in eras of 400 years that begin in March: year, month from 1, day from 1.
fn civil(since: Duration) -> (u64, u64, u64) {
    let shifted = since.as_secs() / 86_400 + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_javascript() {
        // From `new Date(n).toJSON()` and `String(new Date(n))` with `TZ=UTC`.
        let known = [
            (0, "1970-01-01T00:00:00.000Z", "Thu Jan 01 1970 00:00:00"),
            (951_782_400_123, "2000-02-29T00:00:00.123Z", "Tue Feb 29 2000 00:00:00"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z", "Thu Feb 29 2024 23:59:59"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z", "Fri Mar 01 2024 00:00:00"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z", "Wed Dec 31 2025 23:59:59"),
            (1_795_162_540_144, "2026-11-20T08:15:40.144Z", "Fri Nov 20 2026 08:15:40"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z", "Mon Mar 01 2100 00:00:00"),
        ];
        for (milliseconds, json, text) in known {
            let since = Duration::from_millis(milliseconds);
            assert_eq!(iso(since), json);
            assert_eq!(javascript(since), format!("{text} GMT+0000 (Coordinated Universal Time)"));
        }
    }
}
