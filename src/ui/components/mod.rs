//! The small parts that pages and islands share. Their looks are in style/, a file per component.

mod field;
mod frame;
pub mod icon;
mod time;

pub use field::{Field, FormProblem};
pub use frame::{Frame, Layout, Mark};
pub use icon::Icon;
pub use time::long_date;
