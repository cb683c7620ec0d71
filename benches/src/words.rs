//! Text with the word frequencies of natural language: few words are common, many are rare. The same at every run.

/// Number of different words. The first is the most common.
const VOCABULARY: u64 = 5_000;

pub struct Words {
    state: u64,
}

impl Words {
    pub fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(2).wrapping_add(1) }
    }

    /// A text of `bytes` characters.
    pub fn text(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 16);
        while text.len() < bytes {
            // Zipf's law: ten times as rare, ten times as far down the list.
            let share = self.draw() as f64 / u64::MAX as f64;
            text.push_str(&word((VOCABULARY as f64).powf(share) as u64));
            text.push(' ');
        }
        text.truncate(bytes);
        text.truncate(text.trim_end().len());
        text
    }

    /// A number below `most`.
    pub fn below(&mut self, most: usize) -> usize {
        (self.draw() % most as u64) as usize
    }

    /// Marsaglia's xorshift64, as predictability is harmless here.
    fn draw(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}

/// The word of this rank: pronounceable, with distinct beginnings for words of the same length.
pub fn word(rank: u64) -> String {
    const SYLLABLES: [&str; 20] = [
        "ba", "de", "fi", "go", "ha", "ke", "li", "mo", "nu", "pa", "re", "si", "to", "va", "we", "zi", "cho", "sta",
        "bri", "plu",
    ];
    let mut word = String::new();
    let mut rest = rank;
    loop {
        word.push_str(SYLLABLES[(rest % 20) as usize]);
        rest /= 20;
        if rest == 0 {
            return word;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn few_words_are_common_and_many_are_rare() {
        let text = Words::new(1).text(200_000);
        let mut counts = HashMap::new();
        for found in text.split(' ') {
            *counts.entry(found).or_insert(0) += 1;
        }
        let count = |rank| counts.get(&*word(rank)).copied().unwrap_or(0);
        assert!(count(1) > 20 * count(100).max(1), "{} {}", count(1), count(100));
        assert!((1000..2000).filter(|&rank| count(rank) > 0).count() > 100);
    }
}
