//! Dates and numbers as a language writes them, in the browser: by its own `Intl`. See `icu.rs` for the server's.

use std::cell::RefCell;

use js_sys::{Array, Function, Intl, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::{
    domain::Date,
    locales::{DateStyle, Locale},
};

const DAY_MS: f64 = 86_400_000.0;

thread_local! {
    /// To make a formatter takes as long as to format ten dates. A page has one language.
    static FORMATTERS: RefCell<[Option<Function>; 4]> = const { RefCell::new([const { None }; 4]) };
}

fn options(pairs: &[(&str, JsValue)]) -> Object {
    let options = Object::new();
    for (name, value) in pairs {
        let _ = Reflect::set(&options, &JsValue::from_str(name), value);
    }
    options
}

fn formatter(locale: Locale, style: DateStyle) -> Function {
    let has_year = matches!(style, DateStyle::Year | DateStyle::WeekdayYear);
    let has_weekday = matches!(style, DateStyle::Weekday | DateStyle::WeekdayYear);
    let [long, numeric, utc] = ["long", "numeric", "UTC"].map(JsValue::from_str);
    let mut pairs = vec![("day", numeric.clone()), ("month", long.clone()), ("timeZone", utc)];
    pairs.extend(has_year.then_some(("year", numeric)));
    pairs.extend(has_weekday.then_some(("weekday", long)));
    let tags = Array::of1(&locale.region_tag().into());
    Intl::DateTimeFormat::new(&tags, &options(&pairs)).format()
}

/// A date. In ISO 8601 if there is no such day.
#[must_use]
pub fn date(locale: Locale, date: Date, style: DateStyle) -> String {
    let time = JsValue::from_f64(date.days() as f64 * DAY_MS);
    let format = FORMATTERS
        .with_borrow_mut(|known| known[style as usize].get_or_insert_with(|| formatter(locale, style)).clone());
    let words = format.call1(&JsValue::NULL, &time).ok().and_then(|words| words.as_string());
    words.unwrap_or_else(|| date.to_string())
}

/// Hundredths as an amount, without those if there are none: `1,200` or `1,200.50`.
#[must_use]
pub fn amount(locale: Locale, hundredths: i64) -> String {
    let digits = if hundredths % 100 == 0 { 0 } else { 2 };
    let options = options(&[("minimumFractionDigits", digits.into()), ("maximumFractionDigits", digits.into())]);
    let format = Intl::NumberFormat::new(&Array::of1(&locale.region_tag().into()), &options).format();
    let number = JsValue::from_f64(hundredths as f64 / 100.0);
    format.call1(&JsValue::NULL, &number).ok().and_then(|words| words.as_string()).unwrap_or_default()
}
