//! Content that changes while it is shown.

use leptos::{either::Either, prelude::*};

/// Renders `value` with new elements at each change. See [`Text`](super::Text) for the reason.
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
        // The two branches share no elements. A keyed list of one would cost several KB per type.
        is_odd = !is_odd;
        let view = children(value.get());
        if is_odd { Either::Left(view) } else { Either::Right(view) }
    }
}
