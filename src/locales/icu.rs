//! Dates and numbers as a language writes them, on the server: by ICU4X. The browser's own (`intl.rs`) has its data
//! from the same source, CLDR.

use icu_datetime::{DateTimeFormatter, fieldsets, input};
use icu_decimal::{DecimalFormatter, input::Decimal};
use icu_locale_core::Locale as IcuLocale;

use crate::{
    domain::Date,
    locales::{DateStyle, Locale},
};

fn icu(locale: Locale) -> IcuLocale {
    locale.region_tag().parse().unwrap_or(IcuLocale::UNKNOWN)
}

/// A date. In ISO 8601 if there is no such day.
#[must_use]
pub fn date(locale: Locale, date: Date, style: DateStyle) -> String {
    let words = || {
        let day = input::Date::try_new_iso(i32::try_from(date.year).ok()?, date.month, date.day).ok()?;
        let icu = icu(locale).into();
        // Each kind is a type of its own, which brings just the patterns that it needs.
        macro_rules! format {
            ($fields:expr) => {
                DateTimeFormatter::try_new(icu, $fields).ok()?.format(&day).to_string()
            };
        }
        Some(match style {
            DateStyle::Day => format!(fieldsets::MD::long()),
            DateStyle::Year => format!(fieldsets::YMD::long()),
            DateStyle::Weekday => format!(fieldsets::MDE::long()),
            DateStyle::WeekdayYear => format!(fieldsets::YMDE::long()),
        })
    };
    words().unwrap_or_else(|| date.to_string())
}

/// Hundredths as an amount, without those if there are none: `1,200` or `1,200.50`.
#[must_use]
pub fn amount(locale: Locale, hundredths: i64) -> String {
    let mut number = Decimal::from(hundredths);
    number.multiply_pow10(-2);
    if hundredths % 100 == 0 {
        number.trim_end();
    }
    match DecimalFormatter::try_new(icu(locale).into(), Default::default()) {
        Ok(formatter) => formatter.format(&number).to_string(),
        Err(_) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_each_language() {
        let day = Date { year: 2025, month: 6, day: 3 };
        for (style, en, de) in [
            (DateStyle::Day, "3 June", "3. Juni"),
            (DateStyle::Year, "3 June 2025", "3. Juni 2025"),
            (DateStyle::Weekday, "Tuesday 3 June", "Dienstag, 3. Juni"),
            (DateStyle::WeekdayYear, "Tuesday, 3 June 2025", "Dienstag, 3. Juni 2025"),
        ] {
            assert_eq!((date(Locale::En, day, style), date(Locale::De, day, style)), (en.to_owned(), de.to_owned()));
        }
        assert_eq!(date(Locale::De, Date { year: 2025, month: 13, day: 1 }, DateStyle::Day), "2025-13-01");
    }

    #[test]
    fn amounts_in_each_language() {
        for (hundredths, en, de) in [
            (0, "0", "0"),
            (99, "0.99", "0,99"),
            (120_000, "1,200", "1.200"),
            (100_000_050, "1,000,000.50", "1.000.000,50"),
        ] {
            let amounts = (amount(Locale::En, hundredths), amount(Locale::De, hundredths));
            assert_eq!(amounts, (en.to_owned(), de.to_owned()));
        }
    }
}
