//! Merging what units really sealed: order, repetition, defects, crashes.
#![allow(clippy::disallowed_methods, reason = "tests act as disk and operator")]

pub(crate) mod centre;
mod order;
mod refused;
mod restart;
