//! The HOPE exchange: where heads of patient experience across the NHS help each other.
pub mod clock;
pub mod ids;
pub mod query;
pub mod store;
