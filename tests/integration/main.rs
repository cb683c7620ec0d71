//! Everything that is tested from outside, in one program, by subject.

mod access_matrix;
mod architecture;
mod nodes;
mod operations;
mod pages;
mod rest;
mod storage;
mod support;
mod texts;
mod transport;
mod ws;
