//! Ways to log in to Azure, each with what goes wrong there.

use super::*;

/// The sink's login is what is left out of the environment.
const WAYS: [&str; 4] = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_SECRET"];

#[test]
fn each_way_that_the_environment_offers_logs_in() {
    let mut shop = Shop::new();
    shop.vault.logins();
    shop.plan(&["doctor"]).says("by a federated token has a token for 3599 s");
    let logins = shop.vault.logins();
    assert!(!logins.is_empty() && logins.iter().all(|how| how == "assertion"), "{logins:?}");
    shop.is("AZURE_CLIENT_SECRET", SECRET);
    shop.recovers();
    shop.plan(&["doctor"]).says("by its secret has a token for 3599 s");
    let logins = shop.vault.logins();
    assert!(!logins.is_empty() && logins.iter().all(|how| how == "secret"), "{logins:?}");

    // A job of GitHub's asks for the token that speaks for it.
    shop.is_not("AZURE_CLIENT_SECRET");
    shop.is_not("AZURE_FEDERATED_TOKEN_FILE");
    shop.plan(&FULL).exits(1).says("neither AZURE_FEDERATED_TOKEN_FILE nor AZURE_CLIENT_SECRET is");
    shop.is("ACTIONS_ID_TOKEN_REQUEST_URL", &format!("http://{}/idtoken?job=1", shop.vault.near.clone()));
    shop.plan(&FULL).exits(1).says("ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set");
    shop.is("ACTIONS_ID_TOKEN_REQUEST_TOKEN", vault::OF_THE_JOB);
    shop.plan(&FULL).exits(0);
    assert_eq!(shop.vault.logins(), ["assertion"]);
    shop.is("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "another");
    shop.plan(&FULL).exits(1).says("GitHub issues no id token").says("id-token: write");

    for name in WAYS {
        shop.is_not(name);
    }
    shop.plan(&FULL).exits(1).says("there are no credentials for Azure").says("managed_identity: true");
    shop.is("IDENTITY_ENDPOINT", &format!("http://{}/msi/token", shop.vault.near.clone()));
    shop.plan(&FULL).exits(1).says("IDENTITY_HEADER is not");
    shop.is("IDENTITY_HEADER", vault::HEADER);
    shop.plan(&FULL).exits(0);
    assert_eq!(shop.vault.logins(), ["/msi/token"]);
    shop.vault.refuses_logins(true);
    shop.plan(&FULL).exits(1).says("the identity of this platform").says("Identity not found").says("identity assign");
    shop.vault.refuses_logins(false);
    // What the environment names is asked only where what is sent there goes no further than this machine.
    for far in ["http://10.1.2.3/msi/token", "http://identity.example/msi/token"] {
        shop.is("IDENTITY_ENDPOINT", far);
        shop.plan(&FULL).exits(1).says("IDENTITY_ENDPOINT is neither https nor an address that ends at this machine");
    }
}

#[test]
fn the_machine_logs_in_where_settings_say_so_and_nowhere_else() {
    let mut shop = Shop::with(", managed_identity: true");
    shop.is("AZURE_POD_IDENTITY_AUTHORITY_HOST", &format!("http://{}", shop.vault.near.clone()));
    shop.vault.logins();
    // Whatever else the environment offers.
    shop.is("AZURE_CLIENT_SECRET", "another-secret-that-nobody-knows");
    shop.recovers();
    let logins = shop.vault.logins();
    assert!(logins.iter().all(|how| how == "/metadata/identity/oauth2/token"), "{logins:?}");
    shop.vault.refuses_logins(true);
    shop.plan(&FULL).exits(1).says("the identity of this machine").says("az vm identity assign");
    shop.is("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://metadata.example");
    shop.plan(&FULL).exits(1).says("AZURE_POD_IDENTITY_AUTHORITY_HOST is neither https nor an address that ends");
}

#[test]
fn a_token_that_ends_in_the_middle_is_replaced_and_the_write_goes_out_again() {
    let shop = Shop::new();
    shop.recovers();
    shop.six_days_later();
    shop.vault.logins();
    let running = shop.begin();
    shop.vault.ends();
    shop.end(running).exits(0);
    assert_eq!(shop.vault.logins(), ["assertion"; 2]);
    shop.recovers();
}

#[test]
fn a_login_that_is_dead_in_the_middle_is_told_as_that_and_leaves_no_key() {
    let mut shop = Shop::new();
    let token = shop.stage.dir().join("token");
    let running = shop.begin();
    shop.vault.ends();
    std::fs::write(&token, "eyJhbGciOiJSUzI1NiJ9.another-token-0817.c2lnbmF0dXJl").unwrap();
    let run = shop.end(running).exits(1).says("AADSTS700024").says("was revoked").says("the federated token has ended");
    assert!(!run.all().contains("another-token-0817"), "{}", run.all());
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.stage.forget_requests();
    shop.plan(&FULL).exits(1).says("AADSTS700024");
    shop.apply(&["--yes"]).exits(1).says("AADSTS700024");
    std::fs::remove_file(&token).unwrap();
    shop.plan(&FULL).exits(1).says("sinks.kv.AZURE_FEDERATED_TOKEN_FILE").says("cannot be read");
    std::fs::write(&token, ASSERTION).unwrap();

    shop.is("AZURE_CLIENT_SECRET", "a-secret-that-nobody-knows-0818");
    let run = shop.plan(&FULL).exits(1).says("AADSTS7000215").says("give AZURE_CLIENT_SECRET a secret");
    assert!(!run.all().contains("nobody-knows-0818"), "{}", run.all());
    shop.is("AZURE_CLIENT_SECRET", SECRET);
    shop.is("AZURE_CLIENT_ID", "00000000-0000-0000-0000-000000000000");
    shop.plan(&FULL).exits(1).says("AADSTS700016").says("check AZURE_CLIENT_ID and AZURE_TENANT_ID");
    shop.is("AZURE_CLIENT_ID", CLIENT);
    shop.is("AZURE_TENANT_ID", "contoso.onmicrosoft.com");
    shop.plan(&FULL).exits(1).says("AADSTS90002").says("check AZURE_TENANT_ID");
    shop.is("AZURE_TENANT_ID", "../../contoso");
    shop.plan(&FULL).exits(1).says("AZURE_TENANT_ID is no id of Entra's");
    shop.is("AZURE_TENANT_ID", TENANT);
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    shop.recovers();
}

/// Credentials go where settings say, and the environment moves them nowhere.
#[test]
fn an_authority_that_settings_do_not_name_gets_nothing() {
    let mut shop = Shop::new();
    shop.vault.logins();
    for host in ["https://login.example/", "http://login.example", "https://127.0.0.1:1/"] {
        shop.is("AZURE_AUTHORITY_HOST", host);
        shop.plan(&FULL).exits(1).says("AZURE_AUTHORITY_HOST is not https://127.0.0.1").says("authority: https://");
    }
    assert_eq!(shop.vault.logins(), Vec::<String>::new());
    shop.is("AZURE_AUTHORITY_HOST", &format!("https://{}/", shop.vault.host.clone()));
    shop.recovers();
}
