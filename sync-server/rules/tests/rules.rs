//! What an engine of the rules has to pass: examples by the rules' names, tables, and properties over random logs.

#[path = "rules/log.rs"]
mod log;
#[path = "rules/memory.rs"]
mod memory;
#[path = "rules/drafts.rs"]
mod drafts;
#[path = "rules/world.rs"]
mod world;
#[path = "rules/random.rs"]
mod random;

#[path = "rules/properties.rs"]
mod properties;
#[path = "rules/examples.rs"]
mod examples;
#[path = "rules/late.rs"]
mod late;
#[path = "rules/steps.rs"]
mod steps;
#[path = "rules/told.rs"]
mod told;
#[path = "rules/persons.rs"]
mod persons;
#[path = "rules/decided.rs"]
mod decided;
#[path = "rules/captures.rs"]
mod captures;
#[path = "rules/versions.rs"]
mod versions;
#[path = "rules/table.rs"]
mod table;
#[path = "rules/cost.rs"]
mod cost;
