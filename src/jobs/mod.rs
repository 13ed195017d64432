//! Background jobs: one a file, and the runner that leases them.
