//! What can go wrong between us and a server, in plain words that hold nothing of the request.

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::model::wait::PATIENCE;
use crate::net::{Obstacle, causes};

use super::gate::Shut;

/// Why there is no whole reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The host's name has no address.
    Name,
    Refused,
    /// A proxy, or a certificate.
    Obstacle(Obstacle),
    ConnectTimeout(Duration),
    Connect(String),
    /// The request could not be put together.
    Request(&'static str),
    ReplyTimeout(Duration),
    Closed,
    Protocol(String),
    BodyTimeout(Duration),
    BodyBroken,
    BodyTooLarge,
    /// It asks to be left alone for so many seconds, which is longer than one request is waited for.
    TooLong(u64),
    /// The run ends, and nothing is waited for any more.
    Ending(String),
}

impl From<Shut> for Fault {
    fn from(shut: Shut) -> Self {
        match shut {
            Shut::TooLong(seconds) => Self::TooLong(seconds),
            Shut::Ending(why) => Self::Ending(why),
        }
    }
}

impl Fault {
    pub(crate) fn words(&self, host: &str) -> String {
        match self {
            Self::Name => format!("cannot connect: the name {host} cannot be resolved"),
            Self::Refused => "cannot connect: connection refused".to_owned(),
            Self::Obstacle(obstacle) => obstacle.words(&format!("{host}:443")),
            Self::ConnectTimeout(limit) => format!("cannot connect: no connection within {} s", limit.as_secs()),
            Self::Connect(what) => format!("cannot connect: {what}"),
            Self::Request(what) => (*what).to_owned(),
            Self::ReplyTimeout(limit) => format!("no reply within {} s", limit.as_secs()),
            Self::Closed => "the connection was closed before a reply came".to_owned(),
            Self::Protocol(what) => format!("the connection broke before a reply came ({what})"),
            Self::BodyTimeout(limit) => format!("the reply did not end within {} s", limit.as_secs()),
            Self::BodyBroken => "the reply was cut off".to_owned(),
            Self::BodyTooLarge => "the reply is larger than 16 MiB".to_owned(),
            Self::TooLong(seconds) => {
                format!(
                    "the vendor asks for {seconds} s, and one request is waited for at most {} s",
                    PATIENCE.as_secs()
                )
            }
            Self::Ending(why) => format!("{why}, so it is not waited for any longer"),
        }
    }

    pub(crate) fn next(&self) -> &'static str {
        match self {
            Self::Name => "check the region and the tenant's host name, and that this machine resolves names",
            Self::Refused | Self::Connect(_) | Self::ConnectTimeout(_) => {
                "check that this machine reaches the host on port 443, and settings network.proxy or HTTPS_PROXY"
            }
            Self::Obstacle(obstacle) => obstacle.next(),
            Self::Request(_) => {
                "check that the credential is complete and holds no line break or other stray character"
            }
            Self::ReplyTimeout(_) | Self::BodyTimeout(_) => {
                "run it again; if it stays slow, see the vendor's status page"
            }
            Self::Closed | Self::Protocol(_) | Self::BodyBroken => {
                "run it again; if it stays so, look for a proxy or firewall that cuts connections"
            }
            Self::BodyTooLarge => "look for a proxy that answers in the vendor's place, or report it to the vendor",
            Self::TooLong(_) => {
                "run it again when that time is over; if it asks again, see who else uses these credentials, or say --parallelism 1"
            }
            Self::Ending(_) => "run it again: it begins with what is there then",
        }
    }

    /// Whether another try may end otherwise.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Obstacle(obstacle) => obstacle.may_pass(),
            Self::Request(_) | Self::BodyTooLarge | Self::TooLong(_) | Self::Ending(_) => false,
            Self::Name
            | Self::Refused
            | Self::ConnectTimeout(_)
            | Self::Connect(_)
            | Self::ReplyTimeout(_)
            | Self::Closed
            | Self::Protocol(_)
            | Self::BodyTimeout(_)
            | Self::BodyBroken => true,
        }
    }
}

/// Whether the request was certainly never sent, and why there is no reply.
pub(crate) fn of_sending(error: &reqwest::Error, connect: Duration, total: Duration) -> (bool, Fault) {
    if error.is_builder() {
        return (true, Fault::Request("the request could not be put together"));
    }
    let causes = causes(error);
    let deepest = causes.last().cloned().unwrap_or_default();
    if error.is_connect() {
        let fault = if error.is_timeout() {
            Fault::ConnectTimeout(connect)
        } else if error.is_dns() {
            Fault::Name
        } else if io_kind(error) == Some(io::ErrorKind::ConnectionRefused) {
            Fault::Refused
        } else {
            Fault::Connect(deepest)
        };
        return (true, fault);
    }
    let fault = if error.is_timeout() {
        Fault::ReplyTimeout(total)
    } else if deepest.contains("closed before message completed") || io_kind(error).is_some_and(is_a_hang_up) {
        Fault::Closed
    } else {
        Fault::Protocol(deepest)
    };
    (false, fault)
}

pub(crate) fn of_body(error: &reqwest::Error, total: Duration) -> Fault {
    if error.is_timeout() { Fault::BodyTimeout(total) } else { Fault::BodyBroken }
}

fn is_a_hang_up(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof].contains(&kind)
}

fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    let mut kind = None;
    let mut cause = error.source();
    while let Some(error) = cause {
        kind = error.downcast_ref::<io::Error>().map(io::Error::kind).or(kind);
        cause = error.source();
    }
    kind
}
