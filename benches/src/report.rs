//! Figures of several repeats as a Markdown table: the median, and the range.

use std::fmt::Write;

use crate::{Outcome, Size};

/// Number of attempts per repeat to obtain figures.
const TRIES: usize = 3;

/// The reason why one attempt has no figures. It does not affect the others; any other error, such as a lost message,
/// ends the run.
#[derive(Debug)]
pub struct NoFigures(pub String);

impl std::fmt::Display for NoFigures {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for NoFigures {}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    Count(f64),
    /// Microseconds.
    Time(u64),
    Bytes(u64),
    /// The share of one core, from 0 to 1.
    Share(f64),
}

pub struct Table {
    name: &'static str,
    about: &'static str,
    columns: Vec<&'static str>,
    /// Rows in the order of their first measurement.
    rows: Vec<(&'static str, Vec<Vec<Figure>>)>,
    /// The reasons for attempts without figures, and their counts.
    remarks: Vec<(&'static str, String, usize)>,
}

impl Table {
    pub fn new(name: &'static str, about: &'static str, columns: &[&'static str]) -> Self {
        Self { name, about, columns: columns.to_vec(), rows: Vec::new(), remarks: Vec::new() }
    }

    /// Adds the figures of one repeat for the server of this name.
    pub fn add(&mut self, server: &'static str, figures: Vec<Figure>) {
        let shown: Vec<_> = figures.iter().map(|figure| figure.to_string()).collect();
        eprintln!("bench: {} {}: {}", self.name, server, shown.join(", "));
        match self.rows.iter_mut().find(|(known, _)| *known == server) {
            Some((_, repeats)) => repeats.push(figures),
            None => self.rows.push((server, vec![figures])),
        }
    }

    /// Measures the server of this name, and repeats attempts without figures. `None` if all attempts had none: then
    /// the table states the reason.
    ///
    /// # Errors
    /// All other errors.
    pub fn try_for<T>(&mut self, server: &'static str, mut measure: impl FnMut() -> Outcome<T>) -> Outcome<Option<T>> {
        for _ in 0..TRIES {
            match measure() {
                Ok(measured) => return Ok(Some(measured)),
                Err(error) if error.is::<NoFigures>() => self.remark(server, &error.to_string()),
                Err(error) => return Err(format!("{}, {server}: {error}", self.name).into()),
            }
        }
        Ok(None)
    }

    /// Records why an attempt has no figures.
    pub fn remark(&mut self, server: &'static str, why: &str) {
        eprintln!("bench: {} {server}: {why}", self.name);
        match self.remarks.iter_mut().find(|(known, ..)| *known == server) {
            Some((.., times)) => *times += 1,
            None => self.remarks.push((server, why.to_owned(), 1)),
        }
    }

    /// Prints the table. The smoke form has no figures and only reports success.
    pub fn print(&self, size: &Size) {
        if size.smoke {
            println!("{}: nothing lost, doubled or out of order", self.name);
            return;
        }
        let mut out = format!("### {}\n\n{}.\n\n| server |", self.name, self.about);
        for column in &self.columns {
            let _ = write!(out, " {column} |");
        }
        let _ = write!(out, "\n| --- |{}", " ---: |".repeat(self.columns.len()));
        for (server, repeats) in &self.rows {
            let _ = match repeats.len() {
                all if all == size.repeats => write!(out, "\n| {server} |"),
                some => write!(out, "\n| {server}, {some} of {} repeats |", size.repeats),
            };
            for column in 0..self.columns.len() {
                let mut figures: Vec<_> = repeats.iter().map(|repeat| repeat[column]).collect();
                figures.sort_by(|a, b| a.value().total_cmp(&b.value()));
                let (low, median, high) = (figures[0], figures[figures.len() / 2], figures[figures.len() - 1]);
                let _ = if low == high {
                    write!(out, " {median} |")
                } else {
                    write!(out, " **{median}** ({low} to {high}) |")
                };
            }
        }
        for (server, why, times) in &self.remarks {
            let _ = write!(out, "\n\n{server}, {times} × without figures, first because {why}.");
        }
        println!("{out}\n");
    }
}

impl Figure {
    fn value(self) -> f64 {
        match self {
            Self::Count(value) | Self::Share(value) => value,
            Self::Time(value) | Self::Bytes(value) => value as f64,
        }
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Count(count) => out.write_str(&thousands(count)),
            Self::Time(micros) => out.write_str(&millis(micros)),
            Self::Bytes(bytes @ 0..10_000) => write!(out, "{bytes} B"),
            Self::Bytes(bytes @ 10_000..1_000_000) => write!(out, "{:.1} KB", bytes as f64 / 1e3),
            Self::Bytes(bytes) => write!(out, "{:.1} MB", bytes as f64 / 1e6),
            Self::Share(share) => write!(out, "{:.0} %", share * 100.0),
        }
    }
}

pub fn millis(micros: u64) -> String {
    format!("{:.2} ms", micros as f64 / 1e3)
}

fn thousands(count: f64) -> String {
    let digits = format!("{count:.0}");
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// The limits of valid figures.
pub mod limits {
    use super::NoFigures;

    /// The maximum load of the generator.
    const GENERATOR: f64 = 0.9;

    /// # Errors
    /// The generator was the bottleneck, so the figure would describe only the generator.
    pub fn generator(busy: f64, smoke: bool) -> Result<(), NoFigures> {
        if busy > GENERATOR && !smoke {
            let why = format!("the generator took {:.0} % of its core, so this measures nothing", busy * 100.0);
            return Err(NoFigures(why));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_easily() {
        assert_eq!(Figure::Count(1_234_567.4).to_string(), "1,234,567");
        assert_eq!(Figure::Count(12.0).to_string(), "12");
        assert_eq!(Figure::Time(1234).to_string(), "1.23 ms");
        assert_eq!(Figure::Bytes(5120).to_string(), "5120 B");
        assert_eq!(Figure::Share(0.5).to_string(), "50 %");
    }
}
