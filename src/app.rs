//! The HTML document and the table of pages.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use leptos::prelude::*;

use crate::domain::Problem;

#[derive(Clone, Default)]
pub struct PageStatus(pub Arc<AtomicU16>);

impl PageStatus {
    pub fn get(&self) -> Option<u16> {
        Some(self.0.load(Ordering::Relaxed)).filter(|code| *code != 0)
    }
}

#[derive(Clone, Default)]
pub struct FormState {
    pub problem: Option<Problem>,
    pub values: BTreeMap<String, String>,
}

pub fn shell(_options: LeptosOptions) -> impl IntoView {}

#[component]
pub fn Preview() -> impl IntoView {}
