//! The proxy on loopback: CONNECT to the vendor's hosts, TLS with our own certificates, HTTP/1.1 inside.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use super::certificate::Authority;
use super::cloud::Cloud;
use super::ending::{Ending, Socket};
use super::exchange::{self, Body, Dropped};
use super::qlik::reply::problem_with_detail;
use super::reply::Reply;
use super::vendor::played;

/// What a stopping server gives its open connections to finish what they are writing.
const GRACE: Duration = Duration::from_millis(500);

/// Accepts until the server stops.
pub(super) async fn serve(cloud: Arc<Cloud>, authority: Arc<Authority>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = cloud.stopped() => return,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: let others close some.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let connection = accept(Arc::clone(&cloud), Arc::clone(&authority), stream);
        if cloud.spawn(connection).is_none() {
            return;
        }
    }
}

async fn accept(cloud: Arc<Cloud>, authority: Arc<Authority>, stream: TcpStream) {
    // Small answers must not wait for each other; without it they are only slower.
    let _ = stream.set_nodelay(true);
    let ending = Arc::new(Ending::default());
    let service = {
        let (cloud, ending) = (Arc::clone(&cloud), Arc::clone(&ending));
        service_fn(move |request| {
            let (cloud, authority, ending) = (Arc::clone(&cloud), Arc::clone(&authority), Arc::clone(&ending));
            async move {
                match whole_url(&request) {
                    Some(host) => exchange::exchange(&cloud, &ending, &host, request).await,
                    None => Ok(connect(&cloud, &authority, ending, request)),
                }
            }
        })
    };
    let socket = TokioIo::new(Socket { stream, ending: Arc::clone(&ending) });
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(socket, service).with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        // How a connection ends is its client's affair, where the script does not say it.
        _ = connection.as_mut() => {}
        () = ending.comes() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
        () = cloud.stopped() => {}
    }
}

/// A request for a whole `https://` URL, as axios sends it to a proxy in the place of a tunnel. It stays on loopback, so it is
/// answered; a proxy of the real world would open the tunnel itself.
fn whole_url(request: &Request<Incoming>) -> Option<String> {
    let uri = request.uri();
    let authority =
        uri.authority().filter(|_| uri.scheme_str() == Some("https") && request.method() != Method::CONNECT)?;
    let host = authority.as_str().to_ascii_lowercase();
    let host = host.strip_suffix(":443").map(str::to_owned).unwrap_or(host);
    let named = request.headers().get(HOST).and_then(|value| value.to_str().ok()).map(str::to_ascii_lowercase);
    let agrees = named.is_none_or(|named| named.strip_suffix(":443").unwrap_or(&named) == host);
    (agrees && played(&host).is_some()).then_some(host)
}

/// The only thing the proxy does for its clients besides; everything else is refused, and nothing is ever passed on.
fn connect(
    cloud: &Arc<Cloud>,
    authority: &Arc<Authority>,
    ending: Arc<Ending>,
    mut request: Request<Incoming>,
) -> Response<Body> {
    let target = request.uri().authority().map(|authority| authority.as_str().to_ascii_lowercase());
    let target = target.unwrap_or_default();
    let host = target.strip_suffix(":443").unwrap_or_default().to_owned();
    let (Method::CONNECT, Some(certified)) = (request.method().clone(), played(&host)) else {
        cloud.refused(request.method().as_str(), &target, 403);
        let detail = "the sandbox answers CONNECT for NAME.REGION.qlikcloud.com:443, the console and NAME.imbursepayments.com:443, and passes nothing on";
        return answer(cloud, problem_with_detail(403, "SANDBOX-403", "Forbidden by the sandbox", detail));
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let tunnel = {
        let (cloud, authority) = (Arc::clone(cloud), Arc::clone(authority));
        async move {
            let tunnel = async {
                let upgraded = upgrade.await.map_err(|_| Dropped)?;
                let acceptor = authority.acceptor(&certified).map_err(|_| Dropped)?;
                let stream = acceptor.accept(TokioIo::new(upgraded)).await.map_err(|_| Dropped)?;
                let name = stream.get_ref().1.server_name().map(str::to_ascii_lowercase);
                inside(&cloud, &ending, host, name, TokioIo::new(stream)).await;
                Ok::<(), Dropped>(())
            };
            tokio::select! {
                // A handshake that fails is its client's affair.
                _ = tunnel => {}
                () = cloud.stopped_with_grace() => {}
            }
        }
    };
    // A stopping server opens no tunnel; the client sees the connection end.
    drop(cloud.spawn(tunnel));
    Response::new(Full::default().map_err(|never| match never {}).boxed())
}

impl Cloud {
    async fn stopped_with_grace(&self) {
        self.stopped().await;
        tokio::time::sleep(GRACE).await;
    }
}

/// Serves the decrypted connection. Authority, name in the handshake and `Host` must agree on every request.
async fn inside<S>(cloud: &Arc<Cloud>, ending: &Arc<Ending>, host: String, name: Option<String>, stream: S)
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
{
    let service = service_fn(|request: Request<Incoming>| {
        let named = request.headers().get(HOST).and_then(|value| value.to_str().ok()).map(str::to_ascii_lowercase);
        let named = named.map(|named| named.strip_suffix(":443").map(str::to_owned).unwrap_or(named));
        let absolute = request.uri().authority().is_some_and(|authority| authority.as_str() != host);
        let agree = !absolute && name.as_ref() == Some(&host) && named.as_ref() == Some(&host);
        let host = host.as_str();
        async move {
            if agree {
                return exchange::exchange(cloud, ending, host, request).await;
            }
            cloud.refused(request.method().as_str(), host, 421);
            let detail = "the CONNECT authority, the name in the TLS handshake and the Host header differ";
            Ok(answer(cloud, problem_with_detail(421, "SANDBOX-421", "Misdirected Request", detail)))
        }
    });
    // The only `Date` is the cloud's own; a fault may take it away.
    let connection =
        http1::Builder::new().timer(TokioTimer::new()).auto_date_header(false).serve_connection(stream, service);
    tokio::pin!(connection);
    let told_to_end = async {
        tokio::select! {
            () = cloud.stopped() => {}
            () = ending.comes() => {}
        }
    };
    tokio::select! {
        _ = connection.as_mut() => {}
        () = told_to_end => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

fn answer(cloud: &Cloud, reply: Reply) -> Response<Body> {
    let now = cloud.sandbox_now();
    exchange::whole(reply, now).unwrap_or_else(|Dropped| Response::new(Body::default()))
}
