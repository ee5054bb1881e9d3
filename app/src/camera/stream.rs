//! An MJPEG stream over HTTP: a network camera, or a telephone that plays one.
//!
//! Nothing but the address that the user gave is contacted: no redirect is followed and no proxy is used. A thread takes the
//! pictures from the network as they come and keeps the newest; only what is fetched is decoded.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::{Agent, Timeout};

use super::jpeg;
use super::mjpeg::{MjpegError, MjpegReader};
use super::{CameraError, Frame, FrameSource, Newest};

/// The camera must take the connection within this time.
const CONNECT: Duration = Duration::from_secs(5);
/// It must answer within this time, and nothing may take longer than this to go on.
const SILENCE: Duration = Duration::from_secs(6);

/// A picture and when it came.
type Picture = (Vec<u8>, Instant);

/// What the network's thread hands on.
enum News {
    /// The newest picture.
    Picture(Picture),
    /// No more come, and why; a last one may not have been fetched yet.
    End(CameraError, Option<Picture>),
}

/// An open stream.
pub(super) struct Stream {
    address: String,
    /// `None` once the connection is being closed.
    agent: Option<Agent>,
    news: Newest<News>,
    ended: Option<CameraError>,
}

impl Stream {
    pub(super) fn open(address: &str) -> Result<Self, CameraError> {
        Self::open_with(address, SILENCE)
    }

    fn open_with(address: &str, silence: Duration) -> Result<Self, CameraError> {
        let public = without_password(address);
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(silence))
            .timeout_per_read(Some(silence))
            .user_agent("sightread")
            .accept("multipart/x-mixed-replace, video/*, image/jpeg")
            .build();
        let agent = Agent::new_with_config(config);
        let answer = agent.get(address).call().map_err(|error| explain(error, &public))?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(CameraError::Refused { address: public, status });
        }
        let body = answer.into_body().into_reader();
        let news = Newest::default();
        let (place, whence) = (news.clone(), public.clone());
        std::thread::Builder::new()
            .name("camera stream".into())
            .spawn(move || receive(body, &place, whence))
            .map_err(|error| CameraError::Driver(error.to_string()))?;
        Ok(Self { address: public, agent: Some(agent), news, ended: None })
    }
}

/// Hands on the pictures of a stream until it ends or the connection is closed.
fn receive(body: impl Read, news: &Newest<News>, address: String) {
    let mut pictures = MjpegReader::new(body);
    let reason = loop {
        match pictures.next_jpeg() {
            Ok(jpeg) => {
                news.put(News::Picture((jpeg, Instant::now())));
            }
            Err(MjpegError::Read(error)) => match ureq::Error::from(error) {
                ureq::Error::Timeout(_) => break CameraError::Stalled,
                _ => break CameraError::Ended,
            },
            Err(MjpegError::Ended) => break CameraError::Ended,
            Err(MjpegError::NoPictures) => break CameraError::NoStream(address),
        }
    };
    let last = match news.take() {
        Some(News::Picture(last)) => Some(last),
        _ => None,
    };
    news.put(News::End(reason, last));
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Wakes the thread that waits for the network.
        if let Some(agent) = self.agent.take() {
            agent.shutdown();
        }
    }
}

impl FrameSource for Stream {
    fn name(&self) -> String {
        let host = self.address.split('/').nth(2).unwrap_or(&self.address);
        format!("camera at {host}")
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<Frame, CameraError> {
        let until = Instant::now() + timeout;
        loop {
            if let Some(reason) = &self.ended {
                return Err(reason.clone());
            }
            let picture = match self.news.wait(until.saturating_duration_since(Instant::now())) {
                None => return Err(CameraError::Stalled),
                Some(News::Picture(picture)) => Some(picture),
                Some(News::End(reason, last)) => {
                    self.ended = Some(reason);
                    last
                }
            };
            // A damaged picture is left out.
            if let Some((bytes, at)) = picture
                && let Ok(picture) = jpeg::decode(&bytes)
            {
                return Ok(Frame { picture: Arc::new(picture), at });
            }
            if Instant::now() >= until && self.ended.is_none() {
                return Err(CameraError::Stalled);
            }
        }
    }
}

fn explain(error: ureq::Error, address: &str) -> CameraError {
    let unreachable = |reason: &str| CameraError::Unreachable { address: address.into(), reason: reason.to_string() };
    match error {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => unreachable("it takes too long"),
        ureq::Error::Timeout(_) => CameraError::Stalled,
        ureq::Error::HostNotFound => unreachable("there is no such name in the network"),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => CameraError::BadAddress(address.into()),
        ureq::Error::Protocol(_) => CameraError::NoStream(address.into()),
        ureq::Error::Io(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => unreachable("the connection was refused"),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => unreachable("there is no way to it"),
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof => {
                CameraError::Ended
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => CameraError::NoStream(address.into()),
            _ => unreachable(&error.to_string()),
        },
        other => unreachable(&other.to_string()),
    }
}

/// The address without user and password: it is shown and spoken.
fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("//") else { return address.into() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}//{host}{path}")
}

#[cfg(test)]
#[path = "stream_tests.rs"]
pub(super) mod tests;
