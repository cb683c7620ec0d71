//! How sends turn out, whichever way they came: over the socket, by REST or as a form.

use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use crate::{
    domain::{Code, Problem},
    storage::Posted,
};

/// Each outcome's counter, made once: counting a send looks nothing up.
#[derive(Debug)]
pub(super) struct Sends {
    all: Family<[(&'static str, &'static str); 1], Counter>,
    stored: Counter,
    repeated: Counter,
    refused: [(Code, Counter); Code::ALL.len()],
}

impl Default for Sends {
    fn default() -> Self {
        let all = Family::<[(&'static str, &'static str); 1], Counter>::default();
        let of = |outcome| all.get_or_create_owned(&[("outcome", outcome)]);
        let (stored, repeated) = (of("stored"), of("repeated"));
        let refused = Code::ALL.map(|code| (code, of(code.word())));
        Self { stored, repeated, refused, all }
    }
}

impl Sends {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("sends", "Messages sent, by what came of it", self.all.clone());
    }

    pub(super) fn count(&self, outcome: &Result<Posted, Problem>) {
        match outcome {
            Ok(Posted { fresh: true, .. }) => _ = self.stored.inc(),
            Ok(_) => _ = self.repeated.inc(),
            Err(problem) => {
                if let Some((_, refused)) = self.refused.iter().find(|(code, _)| *code == problem.code) {
                    refused.inc();
                }
            }
        }
    }
}
