//! Qlik Cloud's own rules: a tenant is set up once after it was made, and its keys need owners, permissions and room.

pub(super) mod assume;
mod compare;
mod create;
pub(super) mod explain;
pub(super) mod facts;
mod found;
mod ground;
mod headroom;
mod key;
pub(super) mod listed;
mod objects;
mod renewable;
pub(super) mod role;
mod slots;
mod standing;
mod tenant;
pub(super) mod unmanaged;

pub(super) use ground::Qlik;
