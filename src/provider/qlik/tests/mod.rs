//! The wire against a scripted server: what was sent, where, how often, and what became of it.

mod changes;
mod local;
mod reads;

/// The futures cross threads; a tool that reads thousands of tenants spawns them.
#[test]
fn every_call_can_be_spawned() {
    fn send<T: Send>(_: T) {}
    let qlik = local::qlik_at(9, None);
    let (account, host) = (local::account(), local::host("a"));
    let owner = crate::model::spec::Owner::Client;
    let expiry = crate::model::duration::Duration::from_seconds(60);
    let secret = crate::model::secret::Secret::new("s".into());
    send(qlik.tenant(&account, &host, None));
    send(qlik.keys(&account, &host));
    send(qlik.caller(&account, &host, &owner));
    send(qlik.create_tenant(&account, &secret));
    send(qlik.mint(&account, &host, &owner, "d", expiry));
    send(qlik.revoke(&account, &host, &owner, "k"));
    send(qlik.revoke_tokens());
}
