//! The wire against a scripted server: what was sent, where, how often, and what became of it.

mod changes;
mod local;
mod reads;

/// The futures cross threads; a tool that reads thousands of tenants spawns them.
#[test]
fn every_call_can_be_spawned() {
    fn send<T: Send>(_: T) {}
    let mut reader = local::qlik_at(9, None);
    let writer = super::QlikWriter::over(&mut reader);
    let qlik = writer.reader();
    let (account, host) = (local::account(), local::host("a"));
    let owner = crate::model::spec::Owner::Client;
    let expiry = crate::model::duration::Duration::from_seconds(60);
    let secret = crate::model::secret::Secret::new("s".into());
    send(qlik.tenant(&account, &host, None));
    send(qlik.keys(&account, &host));
    send(qlik.caller(&account, &host, &owner));
    send(writer.create_tenant(&account, &secret));
    send(writer.mint(&account, &host, &owner, "d", expiry));
    send(writer.revoke(&account, &host, &owner, "k"));
    send(qlik.revoke_tokens());
}
