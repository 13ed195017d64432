//! What only one engine can get wrong.
