//! How a Kubernetes cluster is reached: by settings, or by what a pod finds in its environment.

use std::path::Path;
use std::sync::Arc;

use crate::cli::credentials;
use crate::cli::exit::Problem;
use crate::cli::reach;
use crate::model::address::Name;
use crate::model::live::Unreadable;
use crate::model::origin::Origin;
use crate::model::settings::{KubernetesSink, Settings};
use crate::sink::access::Access;

/// What every pod's environment says of its cluster.
const HOST: &str = "KUBERNETES_SERVICE_HOST";
const PORT: &str = "KUBERNETES_SERVICE_PORT";

pub(super) fn reach(
    name: &Name,
    sink: &KubernetesSink,
    settings: &Settings,
    access: &mut Access,
) -> Result<(), Problem> {
    access.proxy = reach::proxy(&settings.network)?;
    reach::roots_are_there()?;
    access.ca_pem.extend(reach::certificates(settings.network.ca_file.as_deref())?);
    if sink.server.is_none() {
        access.server = Some(own_server(name));
    }
    // Outside of a pod nothing of a pod is there, and that is what is said when the sink is used.
    let is_of_a_pod = sink.ca_file.as_deref().is_some_and(|file| file.starts_with(KubernetesSink::SERVICE_ACCOUNT));
    if !is_of_a_pod || matches!(access.server, Some(Ok(_))) {
        access.ca_pem.extend(sink.ca_file.as_deref().map(|file| certificates(name, file)).transpose()?);
    }
    let (name, token) = (name.clone(), sink.token.clone());
    access.fresh_token = Some(Arc::new(move || credentials::of_sink(&name, "token", &token)));
    Ok(())
}

fn certificates(name: &Name, file: &Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(file).map_err(|error| {
        Problem::new(
            format!("sinks.{name}.ca_file {} cannot be read: {error}", file.display()),
            format!("correct sinks.{name}.ca_file in settings; `kubectl config view --raw --minify` holds the cluster's certificate"),
        )
    })
}

fn own_server(name: &Name) -> Result<Origin, Unreadable> {
    let outside = |why: String| Unreadable {
        why: format!("sinks.{name} names no server, and {why}").into(),
        next: format!("run this in a pod of the cluster, or name `server` and `token` under sinks.{name}"),
        credentials: false,
    };
    let read = |variable: &str| {
        let value = std::env::var(variable).ok().filter(|value| !value.is_empty());
        value.ok_or_else(|| outside(format!("{variable} is not set: this is no pod of a cluster")))
    };
    let (host, port) = (read(HOST)?, read(PORT)?);
    // An IPv6 address is told without brackets.
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
    Origin::parse(&format!("https://{host}:{port}"))
        .map_err(|_| outside(format!("{HOST} and {PORT} are no host and port")))
}
