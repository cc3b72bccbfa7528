//! What goes wrong at AWS: requests and answers that are lost, an outage, rights that are missing, credentials of somebody else.

use super::*;
use crate::service::{Habit, ministack};

#[test]
fn an_answer_that_is_lost_is_looked_up() {
    for shop in Shop::both() {
        shop.between.becomes(Habit::Mute);
        shop.apply(&["--yes"]).exits(0).says("reading it back");
        shop.between.becomes(Habit::Honest);
        shop.plan(&FULL).exits(0);
        shop.is_whole();
        // Of the first step of a renewal, then of its second.
        for step in ["PutSecretValue", "UpdateSecretVersionStage"] {
            let (before, _) = shop.current("ci");
            shop.six_days_later();
            shop.between.becomes_to(step, Habit::Mute);
            shop.apply(&["--yes"]).exits(0);
            shop.between.becomes(Habit::Honest);
            shop.plan(&FULL).exits(0);
            assert_ne!(shop.current("ci").0["qlik_plan"]["key_id"], before["qlik_plan"]["key_id"]);
            assert_eq!(shop.labelled("ci", "AWSPREVIOUS"), before);
        }
    }
}

#[test]
fn a_version_that_was_never_stored_or_never_made_current_leaves_the_former_one() {
    for shop in Shop::both() {
        shop.recovers();
        let (before, version) = shop.current("ci");
        shop.six_days_later();
        let live = shop.stage.live_keys().len();
        // The second step finds no such version: nothing was delivered, for certain.
        shop.between.becomes_to("PutSecretValue", Habit::Deaf);
        shop.apply(&["--yes"]).exits(1).says("was revoked");
        assert_eq!((shop.current("ci"), shop.stage.live_keys().len()), ((before.clone(), version.clone()), live));
        // The second step may still arrive: nobody revokes what may become current.
        shop.between.becomes_to("UpdateSecretVersionStage", Habit::Deaf);
        shop.apply(&["--yes"]).exits(1).says("left as undelivered");
        assert_eq!(shop.current("ci"), (before, version));
        assert_eq!(shop.stage.live_keys().len(), live + 2);
    }
}

#[test]
fn an_outage_in_the_middle_loses_no_key() {
    for shop in Shop::both() {
        shop.stage
            .fault(&json!({ "match": { "method": "POST", "path": "/api/v1/api-keys" }, "nth": 1, "action": "pause" }));
        let running = shop.begin();
        shop.between.becomes(Habit::Sealed);
        shop.stage.control("POST", "/release", &json!({}));
        shop.end(running).exits(1).says("answers 503").says("left as undelivered");
        shop.stage.forget_requests();
        shop.apply(&["--yes"]).exits(1).says("answers 503").says("next:");
        assert_eq!(shop.stage.changes(), Vec::<String>::new());
    }
}

/// A user with these actions on the secrets of the sink, and nothing else; the server checks signatures.
fn user(shop: &Shop, actions: &[&str]) -> Vec<(String, String)> {
    let account = shop.aws.account;
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Action": actions.iter().map(|action| format!("secretsmanager:{action}")).collect::<Vec<_>>(),
        "Resource": format!("arn:aws:secretsmanager:us-east-1:{account}:secret:prod/*/*/*"),
    }] });
    let user = format!("runner{}", actions.len());
    shop.aws.iam("CreateUser", &[("UserName", &user)]);
    let policy = [("UserName", user.as_str()), ("PolicyName", "qlik"), ("PolicyDocument", &policy.to_string())];
    shop.aws.iam("PutUserPolicy", &policy);
    let made = shop.aws.iam("CreateAccessKey", &[("UserName", &user)]);
    let field = |name: &str| {
        let rest = made.split_once(&format!("<{name}>")).unwrap().1;
        rest.split_once('<').unwrap().0.to_owned()
    };
    vec![
        ("AWS_ACCESS_KEY_ID".to_owned(), field("AccessKeyId")),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), field("SecretAccessKey")),
    ]
}

const LEAST: [&str; 5] =
    ["DescribeSecret", "GetSecretValue", "CreateSecret", "PutSecretValue", "UpdateSecretVersionStage"];

#[test]
fn the_least_rights_are_enough_and_a_right_that_is_missing_is_named() {
    let Some(aws) = ministack() else { return };
    let mut shop = Shop::at(aws);
    let rights = "secretsmanager:DescribeSecret, GetSecretValue, CreateSecret, PutSecretValue and UpdateSecretVersionStage on arn:aws:secretsmanager:us-east-1:000000000000:secret:prod/*/*/*";
    // Not even to look: nothing is minted.
    shop.stage.forget_requests();
    shop.login = user(&shop, &["ListSecrets"]);
    shop.plan(&FULL).exits(1).says("AccessDenied").says(rights);
    shop.apply(&["--yes"]).exits(1).says(rights);
    // To look alone: the plan says what it does not know, and the first write what is missing. No key is left.
    shop.login = user(&shop, &LEAST[..2]);
    shop.plan(&FULL).exits(2).says("AWS tells it only to a write");
    shop.apply(&["--yes"]).exits(1).says("AccessDenied").says("was revoked").says(rights);
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.login = user(&shop, &LEAST);
    shop.plan(&["doctor", "--scopes"]).says(rights);
    shop.recovers();
    // All but the step that makes it current.
    shop.six_days_later();
    shop.login = user(&shop, &LEAST[..4]);
    let (before, version) = shop.current("ci");
    shop.apply(&["--yes"]).exits(1).says("UpdateSecretVersionStage").says("was revoked");
    assert_eq!(shop.current("ci"), (before, version));
    shop.login = user(&shop, &[LEAST.as_slice(), &["ListSecrets"]].concat());
    shop.apply(&["--yes"]).exits(0);
    shop.plan(&FULL).exits(0);
}

#[test]
fn credentials_that_are_dead_or_of_another_account_or_missing_write_nothing() {
    let Some(aws) = ministack() else { return };
    let mut shop = Shop::at(aws);
    let own = user(&shop, &LEAST);
    let with = |secret: &str| vec![own[0].clone(), ("AWS_SECRET_ACCESS_KEY".to_owned(), secret.to_owned())];
    let settings = shop.stage.dir().join("qlik-plan.settings.yaml");
    let text = std::fs::read_to_string(&settings).unwrap();
    shop.stage.forget_requests();
    for (login, says) in [
        (with("not-the-secret-of-that-key-0815"), "AWS does not take these credentials"),
        (vec![own[0].clone()], "AWS_SECRET_ACCESS_KEY is not set"),
        (vec![("AWS_PROFILE".to_owned(), "prod".to_owned())], "there are no credentials for AWS (AWS_PROFILE is set"),
    ] {
        shop.login = login;
        shop.plan(&FULL).exits(1).says(says);
        shop.apply(&["--yes"]).exits(1).says(says);
    }
    shop.plan(&["doctor"]).exits(1).says("sinks.aws: there are no credentials for AWS");
    shop.login = own;
    std::fs::write(&settings, text.replace("'000000000000'", "'111122223333'")).unwrap();
    shop.plan(&FULL).exits(1).says("are of account 000000000000, and settings say 111122223333");
    shop.apply(&["--yes"]).exits(1).says("log in to account 111122223333");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    std::fs::write(&settings, text).unwrap();
    shop.recovers();
}

impl Shop {
    /// From now on nothing but the token of an issuer that AWS trusts is there, in this file.
    fn assumes_a_role(&mut self) -> std::path::PathBuf {
        let issuer = "issuer.example";
        let account = self.aws.account;
        let provider = format!("arn:aws:iam::{account}:oidc-provider/{issuer}");
        let trust = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Federated": provider }, "Action": "sts:AssumeRoleWithWebIdentity",
        }] });
        let trust = trust.to_string();
        self.aws.iam(
            "CreateOpenIDConnectProvider",
            &[
                ("Url", "https://issuer.example"),
                ("ClientIDList.member.1", "sts.amazonaws.com"),
                ("ThumbprintList.member.1", "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"),
            ],
        );
        self.aws.iam("CreateRole", &[("RoleName", "runner"), ("AssumeRolePolicyDocument", &trust)]);
        let actions: Vec<String> = LEAST.iter().map(|action| format!("secretsmanager:{action}")).collect();
        let bucket = ["arn:aws:s3:::estate", "arn:aws:s3:::estate/qlik/*"];
        let objects = ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"];
        let policy = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": objects, "Resource": bucket }, {
            "Effect": "Allow", "Action": actions,
            "Resource": format!("arn:aws:secretsmanager:us-east-1:{account}:secret:prod/*/*/*"),
        }] });
        self.aws.iam(
            "PutRolePolicy",
            &[("RoleName", "runner"), ("PolicyName", "qlik"), ("PolicyDocument", &policy.to_string())],
        );
        let part = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({
            "iss": "https://issuer.example", "aud": "sts.amazonaws.com", "sub": "repo:acme/estate",
            "iat": 1_700_000_000, "exp": 4_102_444_800_u64,
        });
        let token =
            format!("{}.{}.{}", part(json!({ "alg": "RS256" })), part(claims), "c2lnbmF0dXJlLW9mLXRoZS1pc3N1ZXI");
        let file = self.stage.dir().join("identity-token");
        std::fs::write(&file, &token).unwrap();
        self.canary = token;
        self.login = vec![
            ("AWS_WEB_IDENTITY_TOKEN_FILE".to_owned(), file.display().to_string()),
            ("AWS_ROLE_ARN".to_owned(), format!("arn:aws:iam::{account}:role/runner")),
        ];
        file
    }
}

const REFUSED: &str = "credentials for AWS were not given: whoever gives them answers 403 Forbidden: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity";

/// The token of a pipeline or of a pod, which the token service exchanges for keys of an hour: nothing lasting is kept anywhere.
#[test]
fn a_web_identity_is_enough() {
    // moto knows the token service by a signature, and this request has none.
    let Some(aws) = ministack() else { return };
    let mut shop = Shop::at(aws);
    let account = shop.aws.account;
    let file = shop.assumes_a_role();
    shop.recovers();
    // The token goes to the token service in its URL, and no message repeats that.
    let role = shop.login.pop().unwrap();
    shop.login.push((role.0.clone(), format!("arn:aws:iam::{account}:role/another")));
    shop.plan(&FULL).exits(1).says(REFUSED);
    shop.login[1] = role;
    // Nothing is there to exchange.
    std::fs::remove_file(&file).unwrap();
    shop.plan(&FULL).exits(1).says("credentials for AWS were not given").says("identity-token");
    shop.login.pop();
    shop.plan(&FULL).exits(1).says("AWS_ROLE_ARN is not set");
}

/// A pipeline without any lasting secret of AWS's: ledger and keys by the token that it is given.
#[test]
fn ledger_and_sink_take_one_web_identity() {
    let Some(aws) = ministack() else { return };
    let mut shop = Shop::at(aws);
    shop.aws.bucket();
    let settings = shop.stage.dir().join("qlik-plan.settings.yaml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let folder = "ledger: { kind: directory, path: .qlik-plan/ledger, durable: true }";
    let bucket = format!(
        "ledger: {{ kind: object-store, url: s3://estate/qlik/prod, region: us-east-1, endpoint: 'http://{}' }}",
        shop.aws.server.host
    );
    assert!(text.contains(folder));
    std::fs::write(&settings, text.replace(folder, &bucket)).unwrap();
    let file = shop.assumes_a_role();
    shop.apply(&["ledger", "init"]).exits(0);
    shop.apply(&["rehearse", "us-oem"]).exits(0);
    shop.recovers();
    std::fs::write(&file, "not a token of anybody's").unwrap();
    let role = shop.login.pop().unwrap();
    shop.login.push((role.0, format!("arn:aws:iam::{}:role/another", shop.aws.account)));
    shop.plan(&FULL).exits(1).says(REFUSED);
}

/// What a pod has at EKS: a service beside it that gives keys to whoever shows the token in a file.
#[test]
fn a_pods_identity_is_enough_and_its_token_goes_to_nobody_far() {
    let Some(aws) = ministack() else { return };
    let mut shop = Shop::at(aws);
    // Keys of an hour, as such a service has them.
    let identity = std::fs::read_to_string(shop.assumes_a_role()).unwrap();
    let role = format!("arn:aws:iam::{}:role/runner", shop.aws.account);
    let ask = format!(
        "/?Action=AssumeRoleWithWebIdentity&Version=2011-06-15&DurationSeconds=3600&RoleArn={role}&RoleSessionName=pod&WebIdentityToken={identity}"
    );
    let (_, made) = crate::service::http(&shop.aws.server.host, "POST", &ask, &[], "");
    let field = |name: &str| {
        let rest = made.split_once(&format!("<{name}>")).unwrap().1;
        rest.split_once('<').unwrap().0.to_owned()
    };
    let token = "a-token-of-the-pod-itself-which-nobody-may-see";
    let file = shop.stage.dir().join("pod-token");
    std::fs::write(&file, token).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/credentials", listener.local_addr().unwrap());
    let given = json!({
        "AccessKeyId": field("AccessKeyId"), "SecretAccessKey": field("SecretAccessKey"),
        "Token": field("SessionToken"), "Expiration": "2999-01-01T00:00:00Z",
    });
    std::thread::spawn(move || {
        use std::io::{BufRead as _, BufReader, Write as _};
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap_or_default() > 2 {}
            let known = head.lines().any(|line| line.eq_ignore_ascii_case(&format!("authorization: {token}")));
            let (status, body) = if known { (200, given.to_string()) } else { (403, "{}".to_owned()) };
            let mut stream = reader.into_inner();
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    shop.canary = token.to_owned();
    let login = |url: &str| {
        vec![
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI".to_owned(), url.to_owned()),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE".to_owned(), file.display().to_string()),
        ]
    };
    shop.login = login(&url);
    shop.recovers();
    std::fs::write(&file, "another-token-than-the-one-of-this-pod").unwrap();
    shop.plan(&FULL).exits(1).says("credentials for AWS were not given: whoever gives them answers 403");
    for far in ["http://credentials.example/v1", "http://127.0.0.1.example/v1", "ftp://127.0.0.1/"] {
        shop.login = login(far);
        shop.plan(&FULL).exits(1).says("is neither https nor an address that ends at this machine");
    }
}
