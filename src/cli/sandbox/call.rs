//! Calls the control API of a running sandbox.

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::sandbox::ServerFile;

#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("the sandbox's control API at {0} does not answer")]
    Unreachable(String),
    #[error("cannot read the control token in {0}")]
    Token(String, #[source] std::io::Error),
    #[error("{0} is not a path of the control API, such as /control/requests")]
    Path(String),
    #[error("the sandbox refused: {0}")]
    Refused(String),
}

/// One request on a connection of its own, straight to loopback: no proxy setting of the environment applies.
pub(super) async fn call(
    server: &ServerFile,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> Result<(StatusCode, Bytes), CallError> {
    let unreachable = || CallError::Unreachable(server.control.clone());
    let token = std::fs::read_to_string(&server.control_token_file)
        .map_err(|source| CallError::Token(server.control_token_file.display().to_string(), source))?;
    let address = server.control.strip_prefix("http://").ok_or_else(unreachable)?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", address)
        .header("authorization", format!("Bearer {}", token.trim()))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| CallError::Path(path.to_owned()))?;
    let stream = TcpStream::connect(address).await.map_err(|_| unreachable())?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|_| unreachable())?;
    // Ends with the sender, at the end of this function; what goes wrong shows in the response.
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(|_| unreachable())?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|_| unreachable())?.to_bytes();
    connection.abort();
    Ok((status, body))
}
