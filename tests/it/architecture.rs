//! Holds the house to its walls.
