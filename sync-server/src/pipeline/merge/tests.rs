//! Merging what units really sealed: order, repetition, defects, crashes.

pub(crate) mod centre;
mod order;
mod refused;
mod restart;
