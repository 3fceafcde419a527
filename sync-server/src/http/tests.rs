//! A real server on a port of its own, spoken to over the wire. Refusals first.

mod admission;
mod carriers;
mod hellos;
mod manifests;
mod papers;
mod uploads;
mod world;
