//! What is made anew when it changes.

use std::hash::Hash;

use leptos::prelude::*;

/// Shows `children` of `value`, whose elements are made anew with each change; see [`Text`](super::Text) for why.
#[component]
pub fn Anew<T, V, F, C>(value: V, children: C) -> impl IntoView
where
    T: Clone + Eq + Hash + Send + 'static,
    V: Fn() -> T + Send + 'static,
    F: IntoView + 'static,
    C: Fn(T) -> F + Clone + Send + 'static,
{
    view! { <For each=move || [value()] key=T::clone children=children /> }
}
