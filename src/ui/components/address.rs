//! Addresses of pages with their query parameters.

use crate::domain::percent_encoded;

/// `path` with the non-empty `pairs` as its query, encoded for a link.
#[must_use]
pub fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    let mut mark = '?';
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(mark);
        address.push_str(name);
        address.push('=');
        address.push_str(&percent_encoded(value, b"-._~"));
        mark = '&';
    }
    address
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn values_are_encoded_and_empty_ones_left_out() {
        assert_eq!(address("/a", &[("b", ""), ("c", "")]), "/a");
        assert_eq!(address("/a", &[("b", ""), ("c", "ö & 1"), ("d", "x")]), "/a?c=%C3%B6%20%26%201&d=x");
    }
}
