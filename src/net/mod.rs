//! The way that every client of ours takes to a server: the proxy before it, and what stood in the way, in words that hold nothing of a
//! request.

mod obstacle;
mod proxy;

pub use obstacle::Obstacle;
pub use proxy::{Malformed, Proxy};
