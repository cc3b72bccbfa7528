//! The way that every client of ours takes to a server: the client itself, the proxy before it, and what stood in the way, in words
//! that hold nothing of a request.

pub mod aws;
mod build_error;
mod client;
mod obstacle;
mod proxy;
mod roots;
#[cfg(all(test, feature = "sandbox"))]
mod tests;

pub use build_error::BuildError;
pub use client::{Connections, Unread, Way, body, client};
pub use obstacle::{Obstacle, causes};
pub use proxy::{Malformed, Proxy};
pub use roots::Roots;
