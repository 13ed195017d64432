//! GraphQL: the product's API.
