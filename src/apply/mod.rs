//! The one room that changes the world. Emits events, prints nothing.

pub mod event;
