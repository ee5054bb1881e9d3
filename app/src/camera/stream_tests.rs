//! Tests of streams against servers on this machine that behave and misbehave.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::camera::jpeg::tests::{sample, shade};

const SOON: Duration = Duration::from_secs(30);
const MULTIPART: &str = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n";

/// Serves every connection with `answer`, which gets the connection and its number; gives the address, and the head of
/// every request.
pub(in crate::camera) fn serve(
    answer: impl Fn(&mut TcpStream, usize) -> io::Result<()> + Send + 'static,
) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/video", listener.local_addr().unwrap());
    let (requests, heads) = channel();
    std::thread::spawn(move || {
        for number in 0.. {
            let Ok((mut connection, _)) = listener.accept() else { return };
            let mut head = String::new();
            let mut lines = BufReader::new(connection.try_clone().unwrap());
            while lines.read_line(&mut head).is_ok_and(|length| length > 2) {}
            if requests.send(head).is_err() {
                return;
            }
            // The receiver may hang up at any time.
            let _ = answer(&mut connection, number);
        }
    });
    (address, heads)
}

/// Sends a picture as a part.
pub(in crate::camera) fn part(connection: &mut TcpStream, headers: &str, jpeg: &[u8]) -> io::Result<()> {
    connection.write_all(format!("--frame\r\nContent-Type: image/jpeg\r\n{headers}\r\n").as_bytes())?;
    connection.write_all(jpeg)?;
    connection.write_all(b"\r\n")
}

/// Begins an answer of parts.
pub(in crate::camera) fn multipart(connection: &mut TcpStream) -> io::Result<()> {
    connection.write_all(MULTIPART.as_bytes())
}

/// Waits until the other side hangs up.
pub(in crate::camera) fn until_closed(connection: &mut TcpStream) -> io::Result<()> {
    connection.set_read_timeout(Some(SOON))?;
    io::copy(connection, &mut io::sink()).map(drop)
}

fn first_error(stream: &mut Stream) -> CameraError {
    loop {
        if let Err(error) = stream.next_frame(SOON) {
            return error;
        }
    }
}

#[test]
fn pictures_come_as_parts() {
    let (address, heads) = serve(|connection, _| {
        multipart(connection)?;
        let jpeg = sample(64, 48, 100);
        part(connection, &format!("Content-Length: {}\r\n", jpeg.len()), &jpeg)?;
        until_closed(connection)
    });
    let mut stream = Stream::open(&address).unwrap();
    let frame = stream.next_frame(SOON).unwrap();
    assert_eq!(frame.picture.dimensions(), (64, 48));
    assert!(shade(&frame.picture).abs_diff(100) < 6);
    assert!(stream.name().starts_with("camera at 127.0.0.1:"), "{}", stream.name());
    assert!(heads.recv().unwrap().starts_with("GET /video HTTP/1.1\r\n"));
}

#[test]
fn pictures_come_bare_and_in_chunks() {
    let (address, _heads) = serve(|connection, _| {
        connection.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        let jpeg = sample(64, 48, 100);
        for piece in jpeg.chunks(700) {
            connection.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
            connection.write_all(piece)?;
            connection.write_all(b"\r\n")?;
        }
        connection.write_all(b"0\r\n\r\n")
    });
    let mut stream = Stream::open(&address).unwrap();
    assert_eq!(stream.next_frame(SOON).unwrap().picture.dimensions(), (64, 48));
    assert_eq!(stream.next_frame(SOON).err(), Some(CameraError::Ended));
    assert_eq!(stream.next_frame(SOON).err(), Some(CameraError::Ended), "it stays ended");
}

#[test]
fn a_slow_receiver_gets_the_newest_picture() {
    let sent = [20, 60, 100, 200].map(|shade| sample(64, 48, shade)).concat();
    let news = Newest::default();
    receive(&sent[..], &news, String::new());
    let mut stream = Stream { address: String::new(), agent: None, news, ended: None };
    assert!(shade(&stream.next_frame(SOON).unwrap().picture).abs_diff(200) < 6);
    assert_eq!(stream.next_frame(SOON).err(), Some(CameraError::Ended));
}

#[test]
fn lengths_that_lie_and_damaged_pictures_are_passed_over() {
    let (address, _heads) = serve(|connection, _| {
        multipart(connection)?;
        let jpeg = sample(64, 48, 100);
        part(connection, "Content-Length: 18446744073709551615\r\n", &jpeg[..jpeg.len() / 2])?;
        part(connection, "Content-Length: 999999999999\r\n", &jpeg)?;
        until_closed(connection)
    });
    let mut stream = Stream::open(&address).unwrap();
    assert!(shade(&stream.next_frame(SOON).unwrap().picture).abs_diff(100) < 6);
}

#[test]
fn a_body_of_unbelievable_length_is_received_in_bounded_memory() {
    let (address, _heads) = serve(|connection, _| {
        connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n")?;
        connection.write_all(&sample(64, 48, 100))
    });
    let mut stream = Stream::open(&address).unwrap();
    assert_eq!(stream.next_frame(SOON).unwrap().picture.dimensions(), (64, 48));
    assert_eq!(stream.next_frame(SOON).err(), Some(CameraError::Ended));
}

#[test]
fn garbage_is_no_stream() {
    let (address, _heads) = serve(|connection, _| {
        multipart(connection)?;
        loop {
            connection.write_all(&[0x55; 1 << 16])?;
        }
    });
    let mut stream = Stream::open(&address).unwrap();
    assert_eq!(first_error(&mut stream), CameraError::NoStream(address));

    let (address, _heads) = serve(|connection, _| connection.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n"));
    let error = Stream::open(&address).err().unwrap();
    assert_eq!(error, CameraError::NoStream(address));
}

#[test]
fn silence_is_a_stall() {
    let silence = Duration::from_millis(300);
    // Before the answer, before the first picture, and after it.
    for said in 0..3 {
        let (address, _heads) = serve(move |connection, _| {
            if said > 0 {
                multipart(connection)?;
            }
            if said > 1 {
                part(connection, "", &sample(64, 48, 100))?;
            }
            until_closed(connection)
        });
        let start = Instant::now();
        match Stream::open_with(&address, silence) {
            Ok(mut stream) => {
                assert!(said > 0);
                if said > 1 {
                    stream.next_frame(SOON).unwrap();
                }
                assert_eq!(stream.next_frame(Duration::from_millis(1)).err(), Some(CameraError::Stalled));
                assert_eq!(stream.next_frame(SOON).err(), Some(CameraError::Stalled));
            }
            Err(error) => assert_eq!((said, error), (0, CameraError::Stalled)),
        }
        assert!(start.elapsed() >= silence);
        assert!(start.elapsed() < SOON);
    }
}

#[test]
fn closing_does_not_wait_for_a_silent_camera() {
    let (closed, is_closed) = channel();
    let (address, _heads) = serve(move |connection, _| {
        multipart(connection)?;
        until_closed(connection)?;
        let _ = closed.send(());
        Ok(())
    });
    let stream = Stream::open_with(&address, Duration::from_secs(3600)).unwrap();
    drop(stream);
    is_closed.recv_timeout(SOON).unwrap();
}

#[test]
fn refusals_say_what_they_are() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let error = Stream::open(&address).err().unwrap();
    assert!(matches!(&error, CameraError::Unreachable { reason, .. } if reason.contains("refused")), "{error}");

    let error = Stream::open("http://exa mple/").err().unwrap();
    assert!(matches!(error, CameraError::BadAddress(_)), "{error}");

    let (address, _heads) = serve(|connection, _| connection.write_all(b"HTTP/1.1 404 Not Found\r\n\r\n"));
    assert_eq!(Stream::open(&address).err(), Some(CameraError::Refused { address, status: 404 }));
}

#[test]
fn no_redirect_is_followed() {
    let (elsewhere, visits) = serve(|connection, _| multipart(connection));
    let (address, _heads) = serve(move |connection, _| {
        connection.write_all(format!("HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\n\r\n").as_bytes())
    });
    assert_eq!(Stream::open(&address).err(), Some(CameraError::Refused { address, status: 302 }));
    assert!(visits.try_recv().is_err());
}

#[test]
fn a_password_is_sent_and_never_shown() {
    let (address, heads) = serve(|connection, _| connection.write_all(b"HTTP/1.1 401 Unauthorized\r\n\r\n"));
    let secret = address.replace("http://", "http://me:p@ss@");
    let error = Stream::open(&secret.replace("p@ss", "secret")).err().unwrap();
    assert_eq!(error, CameraError::Refused { address: address.clone(), status: 401 });
    let head = heads.recv().unwrap().to_lowercase();
    assert!(head.contains("authorization: basic bwu6c2vjcmv0"), "{head}");
    assert_eq!(without_password(&secret), address);
    assert_eq!(without_password("http://host/a@b"), "http://host/a@b");
}
