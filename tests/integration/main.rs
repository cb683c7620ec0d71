//! Everything that is tested from outside, in one program, by subject.

mod storage;
