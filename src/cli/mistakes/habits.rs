//! What people are used to from other programs, and what to write here. Each answer names the way, not only that there is none.

/// An option of another program: why it is none here, and what to use.
pub(super) fn option(word: &str, program: &str) -> Option<(&'static str, &'static str)> {
    let is_plan = program == "qlik-plan";
    let name = word.split('=').next().unwrap_or_default();
    Some(match name.trim_start_matches('-') {
        "auto-approve" | "y" | "assume-yes" | "no-input" | "non-interactive" | "confirm" | "force-yes" if is_plan => (
            "qlik-plan asks nothing and changes nothing",
            "leave it out; to apply what was reviewed: qlik-apply --plan FILE",
        ),
        "auto-approve" | "y" | "assume-yes" | "no-input" | "non-interactive" | "confirm" | "force-yes" => (
            "an apply without a question takes a plan that was reviewed",
            "qlik-plan --out reviewed.plan, then: qlik-apply --plan reviewed.plan",
        ),
        "dry-run" | "check" | "noop" | "simulate" | "preview" | "whatif" | "what-if" if is_plan => (
            "qlik-plan never changes anything",
            "leave it out; --detailed-exitcode tells a pipeline whether something is to do",
        ),
        "dry-run" | "check" | "noop" | "simulate" | "preview" | "whatif" | "what-if" => {
            ("what would be made is shown by qlik-plan, which changes nothing", "qlik-plan [PATH]...")
        }
        "target" | "t" | "only" | "filter" | "l" | "selector" | "include" | "exclude" => (
            "single objects cannot be picked out of a plan",
            "qlik-plan explain ADDRESS shows one object; a plan is about all files that belong together",
        ),
        "o" | "output" | "json" | "j" | "yaml" => {
            ("what is printed is named by --format", "--format json; a file beside it: --also json=plan.json")
        }
        "f" | "file" | "filename" | "files" | "k" | "kustomize" | "dir" | "directory" | "path" => {
            ("files and folders stand on the line as they are", "as in qlik-plan tenants/, or tenants.yaml")
        }
        "var" | "var-file" | "set" | "values" | "e" | "env" => (
            "nothing is filled into desired state",
            "write the value into the YAML; what tenants share goes into a profile, what a runner has into settings",
        ),
        "refresh" | "refresh-only" | "no-refresh" => {
            ("every plan reads what is live", "leave it out; to plan from what was read before: --live FILE")
        }
        "destroy" | "delete" | "prune" | "cascade" | "purge" => (
            "tenants and keys are never deleted by a plan",
            "qlik-plan --unmanaged names the tenants that nobody manages here",
        ),
        "lock" | "lock-timeout" | "no-lock" => (
            "the ledger's lock is always taken, and waited for",
            "leave it out; how long a run may take: --max-run PT1H",
        ),
        "state" | "state-out" | "backup" | "backend-config" | "backend" => (
            "the record of tenants is the ledger, and settings name it",
            "in settings: ledger: { kind: directory, path: … }",
        ),
        "c" | "config" | "conf" | "config-file" | "settings-file" => {
            ("settings are named by --settings", "--settings FILE")
        }
        "no-color" | "no-colour" | "colour" => ("colour is chosen by --color", "--color never, or set NO_COLOR=1"),
        "C" | "chdir" | "cwd" | "workdir" => {
            ("the program does not change its folder", "name the folder: qlik-plan FOLDER")
        }
        "parallel" | "jobs" | "workers" | "concurrency" | "p" => {
            ("how many tenants are worked on side by side is --parallelism", "--parallelism 8")
        }
        "watch" | "w" => ("a plan is made once", "run it again; a schedule belongs to the pipeline"),
        "context" | "namespace" | "n" | "profile" | "account" | "tenant" | "a" => (
            "the files declare what is worked on",
            "each tenant names its account in the YAML, and settings have the accounts",
        ),
        "R" | "r" | "recurse" => ("folders below are read with --recursive", "--recursive"),
        "insecure" | "skip-tls-verify" | "insecure-skip-tls-verify" | "no-verify-ssl" | "no-check-certificate" => (
            "certificates are always checked",
            "name the authority of your proxy in settings: network: { ca_file: FILE }",
        ),
        "proxy" | "https-proxy" => {
            ("the proxy is no option", "set HTTPS_PROXY, or in settings: network: { proxy: URL }")
        }
        "ca" | "cacert" | "ca-file" | "ca-bundle" => {
            ("certificates are no option", "in settings: network: { ca_file: FILE }, or set SSL_CERT_FILE")
        }
        "token" | "api-key" | "apikey" | "client-id" | "client-secret" | "password" | "u" | "user" | "username" => (
            "no secret is taken from a command line, where others see it",
            "settings say in which variable or file it is: client: { id: { env: … }, secret: { env: … } }",
        ),
        "region" | "host" | "url" | "endpoint" | "server" | "s" => (
            "where an account lives is said in settings",
            "in settings: accounts: { NAME: { vendor: qlik, region: us, … } }",
        ),
        "force" | "F" | "overwrite" | "replace-all" => {
            ("nothing is forced as a whole", "each refusal names the step that resolves it: qlik-plan explain CODE")
        }
        "detailed-exit-code" | "exit-code" | "exitcode" | "error-on-changes" => {
            ("the option for exit 2 on changes is --detailed-exitcode", "--detailed-exitcode, or --exit-codes fine")
        }
        "retries" | "retry" | "max-retries" => (
            "what may be asked again is asked again by itself; a creation never",
            "leave it out; for one request: --timeout 60",
        ),
        "days" | "expires-in" | "ttl" => {
            ("how long a key lives is declared with the key", "in the YAML: expires_in: P30D")
        }
        "d" | "debug" | "trace" | "log-level" | "log" => (
            "--verbose shows the requests to servers",
            "-v; how an object's plan comes about: qlik-plan explain ADDRESS",
        ),
        "silent" | "no-progress" => ("less is said with --quiet", "-q"),
        "usage" | "?" | "help-all" => ("help is --help", "--help; of a command: COMMAND --help"),
        _ => return None,
    })
}

/// A verb of another program: why it is none here, and what to use.
pub(super) fn verb(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "destroy" | "delete" | "remove" | "rm" => (
            "tenants and keys are never deleted by a plan",
            "delete the tenant in the vendor's console; what is recorded of it: qlik-apply ledger list",
        ),
        "init" => (
            "files to start from are written by qlik-plan init; what is made once is the ledger",
            "qlik-apply ledger init",
        ),
        "lint" | "check" | "test" | "verify" | "fmt" | "format" | "vet" => {
            ("files are checked by validate", "qlik-plan validate [PATH]...")
        }
        "import" => (
            "it belongs to qlik-plan, since it reads and changes nothing",
            "qlik-plan import   (prints desired state that adopts what exists)",
        ),
        "show" | "describe" | "get" | "inspect" => {
            ("one object is shown by explain", "qlik-plan explain ADDRESS; what is recorded: qlik-apply ledger list")
        }
        "state" | "list" | "ls" | "tenants" => ("what is recorded is in the ledger", "qlik-apply ledger list"),
        "diff" | "preview" | "refresh" | "drift" => {
            ("a plan shows the differences", "qlik-plan [PATH]...; apart from what is missing: --exit-codes fine")
        }
        "status" | "health" | "ping" | "debug" => {
            ("what is in the way is named by doctor", "qlik-plan doctor [PATH]...")
        }
        "version" => ("the version is an option", "--version"),
        "login" | "auth" | "configure" | "config" => (
            "nobody logs in here",
            "settings name the variables or files that hold the credentials: client: { id: { env: … }, secret: { env: … } }",
        ),
        "create" | "add" | "new" | "edit" | "update" | "set" | "upgrade" | "deploy" | "sync" | "up" | "run" => (
            "what is wanted is declared in YAML, and then made",
            "declare it, look at it with qlik-plan, make it with qlik-apply",
        ),
        "renew" | "rotate" | "refresh-keys" => {
            ("keys that are due are renewed by an apply", "qlik-plan shows which are due, qlik-apply renews them")
        }
        "taint" | "untaint" => {
            ("nothing is marked to be made anew", "qlik-plan explain ADDRESS says what can be done with one key")
        }
        "rollback" | "undo" => ("what was made stays", "declare what is wanted, and look at it with qlik-plan"),
        "unlock" | "force-unlock" => {
            ("a lock ends with the run that holds it", "the message that a run waits names the process and its machine")
        }
        "workspace" | "env" | "context" => {
            ("each estate has its own settings and ledger", "--settings FILE names them")
        }
        "output" | "json" => ("what a plan says is printed by --format", "qlik-plan --format json [PATH]..."),
        "serve" | "exec" | "control" | "sandbox" => {
            ("the stand-in is a program of its own", "qlik-sandbox --help; or run this one with --sandbox")
        }
        _ => return None,
    })
}

/// What other programs call the ledger's verbs.
pub(super) fn ledger_verb(word: &str) -> Option<&'static str> {
    Some(match word {
        "rm" | "remove" | "delete" | "drop" => "forget ADDRESS",
        "move" | "rename" => "mv OLD NEW",
        "ls" | "show" | "get" | "pull" | "cat" => "list",
        "create" | "make" | "new" => "init",
        _ => return None,
    })
}
