//! One request from its first byte to its last, with whatever the script does to it on the way.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::HeaderValue;
use hyper::{Method, Request, Response, StatusCode, Version};
use jiff::Timestamp;
use serde_json::Value;

use super::call::Call;
use super::cloud::{Cloud, Release};
use super::ending::{Ending, Last};
use super::fault::{Action, Status};
use super::reply::Reply;
use super::vendor::Vendor;

pub(super) type Body = BoxBody<Bytes, io::Error>;

/// Closes the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped")]
pub(super) struct Dropped;

/// No call of the vendor's takes more: 413.
const BODY_LIMIT: usize = 1 << 20;
/// What is read of a larger body, so that its sender hears the answer.
const READ_LIMIT: usize = 64 << 20;

/// Answers one request that came through the tunnel to `host`. The script may say how its connection ends.
pub(super) async fn exchange(
    cloud: &Arc<Cloud>,
    ending: &Arc<Ending>,
    host: &str,
    request: Request<Incoming>,
) -> Result<Response<Body>, Dropped> {
    let (parts, body) = request.into_parts();
    let body = received(body).await?;
    let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
    let (number, fault, latency) = cloud.arrive(parts.method.as_str(), host, &path, &query);

    let vendor = Vendor::of(host);
    let finish = Arc::new(Finish { cloud: Arc::clone(cloud), number, status: AtomicU16::new(0) });

    // In a task of its own: a request that has arrived is carried out also when its client has left meanwhile.
    let acting = {
        let (cloud, host, fault) = (Arc::clone(cloud), host.to_owned(), fault.clone());
        let finish = Arc::clone(&finish);
        async move {
            let _until_acted = finish;
            if latency > 0 {
                tokio::time::sleep(Duration::from_millis(latency)).await;
            }
            match before(&cloud, number, vendor, fault.as_ref()).await {
                Before::Drop => return None,
                Before::Instead(reply) => return Some(reply),
                Before::GoOn => {}
            }
            let Some(body) = body else {
                return Some(vendor.problem(413, "HTTP-413", "Payload Too Large", cloud.sandbox_now()));
            };
            // HEAD is answered as GET is; the server leaves the body out.
            let method = if parts.method == Method::HEAD { &Method::GET } else { &parts.method };
            let mut call = Call {
                method,
                host: &host,
                path: &path,
                query: &query,
                headers: &parts.headers,
                body: &body,
                now: Timestamp::UNIX_EPOCH,
                signer: &cloud.signer,
            };
            Some(cloud.commit(number, &mut call))
        }
    };
    let reply = match cloud.spawn(acting) {
        Some(task) => task.await.map_err(|_| Dropped)?,
        None => None,
    };
    let outcome = match reply {
        Some(reply) => after(cloud, ending, number, vendor, reply, fault.as_ref()).await,
        None => Err(Dropped),
    };
    if let Ok(response) = &outcome {
        finish.status.store(response.status().as_u16(), Ordering::Relaxed);
    }
    outcome
}

/// The body; `None`: it is larger than anything that is taken.
async fn received(mut body: Incoming) -> Result<Option<Vec<u8>>, Dropped> {
    let (mut bytes, mut size) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Dropped)?.into_data() else { continue };
        size += data.len();
        if size > READ_LIMIT {
            return Err(Dropped);
        }
        if size <= BODY_LIMIT {
            bytes.extend_from_slice(&data);
        }
    }
    Ok((size <= BODY_LIMIT).then_some(bytes))
}

/// A request is over when the vendor has acted and the answer is on its way, or its client has left: whichever of the
/// two is later drops this last.
struct Finish {
    cloud: Arc<Cloud>,
    number: u64,
    /// What went out; 0 for nothing.
    status: AtomicU16,
}

impl Drop for Finish {
    fn drop(&mut self) {
        let status = *self.status.get_mut();
        self.cloud.answered(self.number, (status != 0).then_some(status));
    }
}

enum Before {
    GoOn,
    Drop,
    Instead(Reply),
}

async fn before(cloud: &Cloud, number: u64, vendor: Vendor, fault: Option<&Action>) -> Before {
    let Some(fault) = fault else { return Before::GoOn };
    match fault {
        Action::DropBefore => Before::Drop,
        Action::StatusBefore(status) => Before::Instead(scripted(status, vendor, cloud.sandbox_now())),
        Action::Redirect { status, location } => {
            let mut reply = Reply::empty(*status);
            reply.headers.push(("location", location.clone()));
            Before::Instead(reply)
        }
        Action::RetryAfter { seconds } => Before::Instead(vendor.rate_limited(*seconds, cloud.sandbox_now())),
        Action::Slow { ms } => {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(*ms)) => Before::GoOn,
                () = cloud.stopped() => Before::Drop,
            }
        }
        Action::Pause => match cloud.hold(number).await {
            Release::GoOn => Before::GoOn,
            Release::Drop => Before::Drop,
        },
        Action::DropAfter
        | Action::StatusAfter(_)
        | Action::Truncate
        | Action::TruncateClose
        | Action::Close
        | Action::CloseAfter
        | Action::Reset
        | Action::Malformed
        | Action::WrongType
        | Action::Hang
        | Action::DuplicateIds
        | Action::Date { .. } => Before::GoOn,
    }
}

fn scripted(status: &Status, vendor: Vendor, now: Timestamp) -> Reply {
    let mut reply = match &status.body {
        Some(body) => Reply::json(status.status, body),
        None => vendor.problem(status.status, &format!("HTTP-{}", status.status), "Scripted fault", now),
    };
    for (name, value) in &status.headers {
        if name.eq_ignore_ascii_case("retry-after") {
            reply.headers.push(("retry-after", value.clone()));
        } else if name.eq_ignore_ascii_case("location") {
            reply.headers.push(("location", value.clone()));
        } else if name.eq_ignore_ascii_case("content-type") && value.starts_with("text/html") {
            reply.content_type = "text/html";
        }
    }
    reply
}

async fn after(
    cloud: &Cloud,
    ending: &Arc<Ending>,
    number: u64,
    vendor: Vendor,
    reply: Reply,
    fault: Option<&Action>,
) -> Result<Response<Body>, Dropped> {
    let now = cloud.sandbox_now();
    let Some(fault) = fault else { return whole(reply, now) };
    match fault {
        Action::DropAfter | Action::DropBefore => Err(Dropped),
        Action::StatusAfter(status) => whole(scripted(status, vendor, now), now),
        Action::Truncate => truncated(reply, now, Cut::Broken),
        Action::TruncateClose => truncated(reply, now, Cut::Closed),
        Action::Close => {
            let mut response = whole(reply, now)?;
            response.headers_mut().insert("connection", HeaderValue::from_static("close"));
            Ok(response)
        }
        Action::CloseAfter => {
            let (response, body) = (head(&reply, now), Full::from(reply.body));
            let last = Last { body, ending: Arc::clone(ending) };
            response.body(last.map_err(|never| match never {}).boxed()).map_err(|_| Dropped)
        }
        Action::Reset => {
            ending.will_be_a_reset();
            truncated(reply, now, Cut::Head)
        }
        Action::Malformed => whole(Reply { body: b"{\"id\": \"half a ".to_vec(), ..reply }, now),
        Action::WrongType => {
            let page = b"<!doctype html><title>Just a moment</title>\n".to_vec();
            whole(Reply { status: 200, headers: Vec::new(), content_type: "text/html", body: page }, now)
        }
        Action::Hang => match cloud.hold(number).await {
            Release::GoOn => whole(reply, now),
            Release::Drop => Err(Dropped),
        },
        Action::DuplicateIds => whole(doubled(reply), now),
        Action::Date { ahead, text } => Ok(dated(whole(reply, now)?, now, *ahead, text.as_deref())),
        Action::StatusBefore(_)
        | Action::Slow { .. }
        | Action::Pause
        | Action::Redirect { .. }
        | Action::RetryAfter { .. } => whole(reply, now),
    }
}

fn dated(mut response: Response<Body>, now: Timestamp, ahead: Option<i64>, text: Option<&str>) -> Response<Body> {
    let moved = ahead.and_then(|ahead| Timestamp::from_second(now.as_second().saturating_add(ahead)).ok());
    let date = text.map(str::to_owned).or_else(|| moved.map(http_date));
    response.headers_mut().remove("date");
    if let Some(date) = date.and_then(|date| HeaderValue::from_str(&date).ok()) {
        response.headers_mut().insert("date", date);
    }
    response
}

fn doubled(reply: Reply) -> Reply {
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else { return reply };
    for list in ["data", "results", "tenantKeys", "accountKeys"] {
        if let Some(entries) = body.get_mut(list).and_then(Value::as_array_mut) {
            entries.extend(entries.clone());
        }
    }
    Reply { body: body.to_string().into_bytes(), ..reply }
}

fn head(reply: &Reply, now: Timestamp) -> hyper::http::response::Builder {
    let mut response = Response::builder()
        .status(StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .header("date", http_date(now))
        .header("content-type", reply.content_type);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    response
}

/// The form of dates in HTTP headers.
fn http_date(now: Timestamp) -> String {
    now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// An answer with nothing done to it.
pub(super) fn whole(reply: Reply, now: Timestamp) -> Result<Response<Body>, Dropped> {
    let response = head(&reply, now);
    response.body(Full::from(reply.body).map_err(|never| match never {}).boxed()).map_err(|_| Dropped)
}

/// Where a body ends before its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// In its midst, and so does the connection.
    Broken,
    /// In its midst, and the connection is closed.
    Closed,
    /// Before its first byte, and so does the connection.
    Head,
}

fn truncated(reply: Reply, now: Timestamp, cut: Cut) -> Result<Response<Body>, Dropped> {
    let mut response = head(&reply, now);
    match cut {
        Cut::Broken | Cut::Head => response = response.header("content-length", reply.body.len()),
        // Where HTTP/1.0 gives no length, the end of the connection is the end of the body.
        Cut::Closed => response = response.version(Version::HTTP_10).header("connection", "close"),
    }
    let length = if cut == Cut::Head { 0 } else { reply.body.len() / 2 };
    let half = Bytes::copy_from_slice(reply.body.get(..length).unwrap_or_default());
    let frames = stream::unfold(Some(half), move |half| async move {
        match half {
            Some(half) => Some((Ok(Frame::data(half)), None)),
            None if cut == Cut::Closed => None,
            None => {
                // Lets what was written go out before the connection breaks.
                tokio::task::yield_now().await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), None))
            }
        }
    });
    response.body(StreamBody::new(frames).boxed()).map_err(|_| Dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_the_form_of_http() {
        assert_eq!(http_date("1994-11-06T08:49:37Z".parse().unwrap()), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
