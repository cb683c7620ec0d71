//! The parts of the pages that live in the browser.

mod chat_list;
