//! Ways to log in to Google, each with what goes wrong there.

use super::*;

fn federated(source: &Value) -> Value {
    json!({
        "type": "external_account", "audience": POOL, "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token", "credential_source": source,
        "universe_domain": "googleapis.com",
    })
}

fn lends(mut file: Value) -> Value {
    file["service_account_impersonation_url"] = json!(format!(
        "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken"
    ));
    file
}

#[test]
fn each_kind_of_credential_file_logs_in() {
    let mut shop = Shop::new();
    shop.google.logins();
    shop.plan(&["doctor"]).says(&format!("the service account {EMAIL}, by its key has a token for 3599 s"));
    shop.recovers();

    shop.logs_in_by(&json!({
        "type": "authorized_user", "client_id": "gcloud", "client_secret": google::CLIENT_SECRET, "refresh_token": google::REFRESH,
    }));
    shop.google.logins();
    shop.plan(&FULL).exits(0);
    assert_eq!(shop.google.logins(), ["user"]);

    // A token in a file, as GitLab and pods have it.
    std::fs::create_dir(shop.stage.dir().join("run")).unwrap();
    let file = shop.stage.dir().join("run/token");
    std::fs::write(&file, SUBJECT).unwrap();
    shop.logs_in_by(&federated(&json!({ "file": file })));
    shop.plan(&FULL).exits(0);
    assert_eq!(shop.google.logins(), ["exchange"]);

    // What google-github-actions/auth writes: a URL that is asked, and a service account that is lent.
    let asked = json!({
        "url": format!("http://{}/idtoken?audience=x", shop.google.host),
        "headers": { "Authorization": format!("Bearer {}", google::OF_THE_JOB) },
        "format": { "type": "json", "subject_token_field_name": "value" },
    });
    shop.logs_in_by(&lends(federated(&asked)));
    shop.plan(&FULL).exits(1).says("getAccessToken").says("roles/iam.workloadIdentityUser");
    shop.google.allow(&[&LEAST[..], &["iam.serviceAccounts.getAccessToken"]].concat());
    shop.google.logins();
    shop.plan(&FULL).exits(0);
    assert_eq!(shop.google.logins(), ["exchange", "borrowed"]);
    shop.plan(&["doctor"]).says(&format!("the service account {EMAIL}, by a federated token has a token for 3600 s"));
    let mut wrong = asked;
    wrong["headers"]["Authorization"] = json!("Bearer another");
    shop.logs_in_by(&federated(&wrong));
    shop.plan(&FULL).exits(1).says("gives no token that speaks for this run: it answers 401").says("id-token: write");
}

#[test]
fn the_machine_logs_in_where_settings_say_so_and_nowhere_else() {
    let mut shop = Shop::with(", attached_service_account: true");
    shop.is("GCE_METADATA_HOST", &shop.google.host.clone());
    shop.google.logins();
    shop.recovers();
    let logins = shop.google.logins();
    assert!(!logins.is_empty() && logins.iter().all(|how| how == "attached"), "{logins:?}");
    shop.google.refuses_logins(true);
    shop.plan(&FULL).exits(1).says("the service account of this machine").says("attached_service_account");
    shop.is("GCE_METADATA_HOST", "metadata.example");
    shop.plan(&FULL).exits(1).says("GCE_METADATA_HOST is no address that ends at this machine");
}

#[test]
fn a_token_that_ends_in_the_middle_is_replaced_and_the_write_goes_out_again() {
    let shop = Shop::new();
    shop.recovers();
    shop.six_days_later();
    shop.google.logins();
    let running = shop.begin();
    shop.google.ends();
    shop.end(running).exits(0);
    assert_eq!(shop.google.logins(), ["key"; 2]);
    shop.recovers();
}

#[test]
fn a_login_that_is_dead_in_the_middle_is_told_as_that_and_leaves_no_key() {
    let mut shop = Shop::new();
    let running = shop.begin();
    shop.google.ends();
    shop.google.refuses_logins(true);
    let run = shop.end(running).exits(1).says("Invalid grant: account not found").says("was revoked");
    run.says("gcloud iam service-accounts keys list");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.stage.forget_requests();
    shop.plan(&FULL).exits(1).says("gives no token to the service account");
    shop.apply(&["--yes"]).exits(1).says("gives no token to the service account");
    shop.google.refuses_logins(false);

    let key = shop.key();
    let without = |field: &str| {
        let mut file = key.clone();
        file.as_object_mut().unwrap().remove(field);
        file
    };
    let with = |field: &str, value: &str| {
        let mut file = key.clone();
        file[field] = json!(value);
        file
    };
    let other = Google::start();
    let federation = lends(federated(&json!({ "file": "nowhere" })));
    let moved = |field: &str, value: &str| {
        let mut file = federation.clone();
        file[field] = json!(value);
        file
    };
    for (file, says) in [
        (without("private_key"), "holds no `private_key`"),
        (with("private_key", "no key"), "is no RSA key"),
        (with("private_key", &other.key), "invalid_grant"),
        (with("universe_domain", "s3nsapis.fr"), "is of another universe"),
        (with("type", "impersonated_service_account"), "impersonated_service_account, which is not taken"),
        (with("type", "x"), "is of no type that is taken"),
        (federation.clone(), "nowhere cannot be read"),
        (moved("token_url", "https://sts.example/v1/token"), "names another `token_url`"),
        (
            moved("service_account_impersonation_url", "https://iam.example/v1/x"),
            "that is not of https://iamcredentials",
        ),
        (federated(&json!({ "url": "http://idtoken.example/" })), "neither https nor on this machine"),
        (federated(&json!({ "executable": { "command": "/bin/true" } })), "`file` and `url` are"),
        (json!("x"), "is not the JSON of a credential file"),
    ] {
        shop.logs_in_by(&file);
        shop.plan(&FULL).exits(1).says(says);
    }
    shop.is("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json");
    shop.plan(&FULL).exits(1).says("/nowhere/key.json cannot be read");
    shop.is("GOOGLE_APPLICATION_CREDENTIALS", "");
    shop.plan(&FULL).exits(1).says("there are no credentials for Google").says("attached_service_account: true");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    shop.logs_in_by(&key);
    shop.recovers();
}
