//! `sightread cameras`: which cameras there are, and what one of them gives.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;

use crate::camera::{Camera, CameraError, CameraEvent, Frame, Newest, Source, list};

#[derive(Debug, Args)]
pub(super) struct CamerasArgs {
    /// Opens this source instead of listing cameras: auto, camera:NAME, file:PATH, folder:PATH or an http address.
    #[arg(long)]
    source: Option<Source>,
    /// Ends after this many pictures.
    #[arg(long, value_name = "N", default_value_t = 30, requires = "source", value_parser = clap::value_parser!(u32).range(1..))]
    frames: u32,
    /// Gives up when no picture has come for this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "source")]
    wait: u64,
    /// Switches the camera's lamp on meanwhile.
    #[arg(long, requires = "source")]
    torch: bool,
    /// Keeps the last picture in this file (.png or .jpg).
    #[arg(long, value_name = "FILE", requires = "source")]
    save: Option<PathBuf>,
}

pub(super) fn run(args: CamerasArgs) -> anyhow::Result<()> {
    match &args.source {
        None => print_list(),
        Some(source) => watch(source.clone(), &args),
    }
}

fn print_list() -> anyhow::Result<()> {
    let cameras = list()?;
    ensure!(!cameras.is_empty(), CameraError::NotFound);
    for camera in cameras {
        println!("{}: --source \"camera:{}\"", camera.name, camera.id);
    }
    Ok(())
}

/// What is told about a camera besides its pictures, which wait in a [`Newest`].
enum News {
    Frame,
    Other(CameraEvent),
}

fn watch(source: Source, args: &CamerasArgs) -> anyhow::Result<()> {
    let (send, news) = channel();
    let newest: Newest<Frame> = Newest::default();
    let place = newest.clone();
    let camera = Camera::start(source, move |event| match event {
        CameraEvent::Frame(frame) => {
            if place.put(frame) {
                let _ = send.send(News::Frame);
            }
        }
        other => drop(send.send(News::Other(other))),
    })?;
    if args.torch {
        camera.set_torch(true);
    }
    let last = receive(&news, &newest, args)?;
    if let Some(path) = &args.save {
        last.picture.save(path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Prints what comes until there were enough pictures; the last one.
fn receive(news: &Receiver<News>, newest: &Newest<Frame>, args: &CamerasArgs) -> anyhow::Result<Frame> {
    let wait = Duration::from_secs(args.wait);
    let mut deadline = Instant::now() + wait;
    let (mut count, mut first, mut size) = (0, None, None);
    let mut lost = None;
    loop {
        let event = match news.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => match lost.unwrap_or(CameraError::Stalled) {
                reason if count == 0 => bail!(reason),
                reason => bail!("{count} pictures came, then: {reason}"),
            },
            Err(RecvTimeoutError::Disconnected) => bail!(CameraError::Ended),
        };
        match event {
            News::Other(CameraEvent::Opened { name, torch }) => {
                let lamp = match torch {
                    None => "without a lamp",
                    Some(true) => "its lamp is on",
                    Some(false) => "its lamp is off",
                };
                println!("{name}, {lamp}");
            }
            News::Other(CameraEvent::Torch(on)) => println!("the lamp is {}", if on { "on" } else { "off" }),
            News::Other(CameraEvent::Lost(reason)) => {
                println!("lost: {reason}");
                lost = Some(reason);
            }
            News::Other(_) => {}
            News::Frame => {
                let Some(frame) = newest.take() else { continue };
                deadline = Instant::now() + wait;
                lost = None;
                let now = frame.picture.dimensions();
                if size.replace(now) != Some(now) {
                    println!("{} by {} pixels", now.0, now.1);
                }
                let start = *first.get_or_insert(frame.at);
                count += 1;
                if count == args.frames {
                    let seconds = (frame.at - start).as_secs_f64();
                    let rate = if count > 1 { f64::from(count - 1) / seconds } else { 0.0 };
                    let pictures = if count == 1 { "picture" } else { "pictures" };
                    println!("{count} {pictures} in {seconds:.1} seconds, {rate:.1} a second");
                    return Ok(frame);
                }
            }
        }
    }
}
