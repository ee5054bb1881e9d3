//! Motion JPEG: one JPEG after the other, bare or in the parts of a `multipart/x-mixed-replace` body.
//!
//! Parts are found by their pictures, not by their headers: whether boundaries and lengths are there, are right or lie makes
//! no difference, a picture is handed on as soon as its last byte has come, and after a damaged one the next is found.

use std::io::{self, Read};

use super::jpeg::{START, Step, Walker};

/// Bytes of the largest picture.
const MAX_JPEG: usize = 16 << 20;
/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// Why no further picture comes.
#[derive(Debug, thiserror::Error)]
pub(super) enum MjpegError {
    /// Reading failed.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// The stream ends.
    #[error("the stream of pictures ends")]
    Ended,
    /// So much came without a picture that there will be none.
    #[error("this is no stream of pictures")]
    NoPictures,
}

/// Takes the whole JPEGs out of a stream and passes over everything else. Holds one picture in memory.
pub(super) struct MjpegReader<R> {
    from: R,
    buffer: Vec<u8>,
    /// The buffer's bytes before this one are done with.
    start: usize,
    /// Inside a picture, which begins at `start`.
    picture: Option<Walker>,
    /// Bytes passed over since the last whole picture.
    passed: usize,
    /// Most bytes that are passed over.
    patience: usize,
}

impl<R: Read> MjpegReader<R> {
    pub(super) fn new(from: R) -> Self {
        Self::with_patience(from, 2 * MAX_JPEG)
    }

    /// Gives up when `patience` bytes came without a whole picture.
    pub(super) fn with_patience(from: R, patience: usize) -> Self {
        Self { from, buffer: vec![], start: 0, picture: None, passed: 0, patience }
    }

    /// The next whole JPEG.
    pub(super) fn next_jpeg(&mut self) -> Result<Vec<u8>, MjpegError> {
        loop {
            if let Some(jpeg) = self.take() {
                return Ok(jpeg);
            }
            if self.passed > self.patience {
                return Err(MjpegError::NoPictures);
            }
            if !self.fill()? {
                return Err(MjpegError::Ended);
            }
        }
    }

    /// Whether another picture begins within the next bytes.
    pub(super) fn another_begins(&mut self, within: usize) -> io::Result<bool> {
        while self.buffer.len().saturating_sub(self.start) < within + START.len() && self.fill()? {}
        let bytes = self.buffer.get(self.start..).unwrap_or_default();
        Ok(bytes.windows(START.len()).take(within).any(|window| window == START))
    }

    /// Takes a whole JPEG from the buffer, if there is one; what cannot belong to one is passed.
    fn take(&mut self) -> Option<Vec<u8>> {
        loop {
            let bytes = self.buffer.get(self.start..).unwrap_or_default();
            let Some(walker) = &mut self.picture else {
                let found = bytes.windows(START.len()).position(|window| window == START);
                if found.is_some() {
                    self.picture = Some(Walker::new());
                }
                // The last bytes may be the first of a picture.
                let pass = found.unwrap_or(bytes.len().saturating_sub(START.len() - 1));
                self.pass(pass);
                if found.is_some() {
                    continue;
                }
                return None;
            };
            match walker.advance(bytes) {
                Step::More if bytes.len() > MAX_JPEG => {
                    let all = bytes.len();
                    self.picture = None;
                    self.pass(all);
                }
                Step::More => return None,
                Step::Broken(end) => {
                    self.picture = None;
                    self.pass(end);
                }
                Step::Whole(end) => {
                    let jpeg = bytes.get(..end).map(<[u8]>::to_vec);
                    self.picture = None;
                    self.start += end;
                    self.passed = 0;
                    return jpeg;
                }
            }
        }
    }

    fn pass(&mut self, bytes: usize) {
        self.start += bytes;
        self.passed += bytes;
    }

    /// Reads some more; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.start.min(self.buffer.len()));
        self.start = 0;
        let filled = self.buffer.len();
        self.buffer.resize(filled + CHUNK, 0);
        let read = loop {
            match self.from.read(&mut self.buffer[filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(filled + read.as_ref().copied().unwrap_or(0));
        Ok(read? > 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::camera::jpeg::tests::sample;

    /// Gives the bytes in pieces of that size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(buffer.len()).min(self.0.len());
            let (piece, rest) = self.0.split_at(length);
            buffer[..length].copy_from_slice(piece);
            self.0 = rest;
            Ok(length)
        }
    }

    fn all(bytes: &[u8], piece: usize) -> Vec<Vec<u8>> {
        let mut reader = MjpegReader::new(Pieces(bytes, piece));
        let mut jpegs = vec![];
        loop {
            match reader.next_jpeg() {
                Ok(jpeg) => jpegs.push(jpeg),
                Err(MjpegError::Ended) => return jpegs,
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn part(headers: &str, jpeg: &[u8]) -> Vec<u8> {
        [b"--frame\r\nContent-Type: image/jpeg\r\n", headers.as_bytes(), b"\r\n", jpeg, b"\r\n"].concat()
    }

    #[test]
    fn pictures_come_out_of_bare_and_wrapped_streams() {
        let jpegs: Vec<Vec<u8>> = [10, 100, 240].map(|shade| sample(80, 60, shade)).into();
        let length = |jpeg: &Vec<u8>| part(&format!("Content-Length: {}\r\n", jpeg.len()), jpeg);
        let wrapped: Vec<u8> = jpegs.iter().flat_map(length).collect();
        let no_length: Vec<u8> = jpegs.iter().flat_map(|jpeg| part("", jpeg)).collect();
        for piece in [1, 7, 1000, usize::MAX] {
            assert_eq!(all(&jpegs.concat(), piece), jpegs, "bare, pieces of {piece}");
            assert_eq!(all(&wrapped, piece), jpegs, "with lengths, pieces of {piece}");
            assert_eq!(all(&no_length, piece), jpegs, "without lengths, pieces of {piece}");
        }
    }

    #[test]
    fn lengths_that_lie_do_not_matter() {
        let jpeg = sample(80, 60, 100);
        let stream: Vec<u8> =
            ["Content-Length: 99999999999999999999\r\n", "Content-Length: 3\r\n", "Content-Length: -1\r\n"]
                .iter()
                .flat_map(|header| part(header, &jpeg))
                .collect();
        assert_eq!(all(&stream, 500).len(), 3);
    }

    #[test]
    fn after_a_damaged_picture_the_next_is_found() {
        let jpeg = sample(80, 60, 100);
        let stream = [
            part("", &jpeg[..jpeg.len() / 2]), // breaks off in its scan
            part("", &jpeg),
            part("", &jpeg[..40]), // breaks off in its header
            part("", &jpeg),
            part("", &jpeg),
        ]
        .concat();
        let found = all(&stream, 300);
        assert!(found.len() >= 2, "{}", found.len());
        assert!(found.iter().all(|found| *found == jpeg));
    }

    #[test]
    fn endless_noise_is_given_up() {
        let mut reader = MjpegReader::with_patience(io::repeat(0x55), 1 << 20);
        assert!(matches!(reader.next_jpeg(), Err(MjpegError::NoPictures)));
    }

    #[test]
    fn a_picture_without_end_is_given_up_in_bounded_memory() {
        let jpeg = sample(80, 60, 100);
        let endless = jpeg[..jpeg.len() - 2].chain(io::repeat(0x11));
        let mut reader = MjpegReader::new(endless);
        assert!(matches!(reader.next_jpeg(), Err(MjpegError::NoPictures)));
        assert!(reader.buffer.capacity() <= 4 * MAX_JPEG, "{}", reader.buffer.capacity());
    }

    #[test]
    fn starts_of_pictures_without_pictures_take_linear_time() {
        let hostile: Vec<u8> = START.iter().chain(&[0]).copied().cycle().take(8 << 20).collect();
        assert!(all(&hostile, usize::MAX).is_empty());
    }

    #[test]
    fn a_failing_stream_tells_its_reason() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let error = MjpegReader::new(Fails).next_jpeg();
        assert!(matches!(error, Err(MjpegError::Read(error)) if error.kind() == io::ErrorKind::ConnectionReset));
    }

    proptest! {
        #[test]
        fn pictures_survive_noise_between_them(noise in prop::collection::vec(any::<u8>(), 0..300), piece in 1usize..200) {
            // A header that the noise began by chance may swallow what follows.
            prop_assume!(!noise.contains(&0xFF));
            let jpeg = sample(24, 24, 60);
            let stream = [&noise[..], &jpeg, &noise, &jpeg, &noise].concat();
            prop_assert_eq!(all(&stream, piece), vec![jpeg.clone(), jpeg]);
        }

        #[test]
        fn hostile_streams_do_no_harm(stream in prop::collection::vec(prop_oneof![Just(0xFFu8), Just(0xD8), Just(0xDA), any::<u8>()], 0..2000)) {
            let _ = all(&stream, 64);
        }
    }
}
