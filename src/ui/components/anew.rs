//! What changes while people look at it.

use leptos::{either::Either, prelude::*};

/// Shows `value`, with elements made anew at each change. See [`Text`](super::Text) for why.
#[component]
pub fn Anew<T, V, F, C>(value: V, children: C) -> impl IntoView
where
    T: Clone + PartialEq + Send + Sync + 'static,
    V: Fn() -> T + Send + Sync + 'static,
    F: IntoView + 'static,
    C: Fn(T) -> F + Send + 'static,
{
    let value = Memo::new(move |_| value());
    let mut is_odd = false;
    move || {
        // The two sides share no elements. A keyed list of one does the same, and takes several KB for each type.
        is_odd = !is_odd;
        let view = children(value.get());
        if is_odd { Either::Left(view) } else { Either::Right(view) }
    }
}
