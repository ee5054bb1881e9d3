//! The key-value pairs and the tensor table of a GGUF file, read with every length checked against what is left of the file.

use std::collections::BTreeMap;
use std::ops::Range;

use super::blocks::Format;

/// Most dimensions ggml knows.
const MAX_DIMENSIONS: u32 = 4;
/// Largest sensible alignment of the data; files use 32.
const MAX_ALIGNMENT: u64 = 1 << 20;

/// Where a tensor lies and how it is stored.
#[derive(Debug, Clone)]
pub(super) struct StoredTensor {
    /// Row-major, `[out, in]` for linear weights (GGUF itself lists the fastest dimension first).
    pub(super) shape: Vec<usize>,
    pub(super) format: Format,
    /// Within the file.
    pub(super) bytes: Range<usize>,
}

/// A metadata value. Arrays keep only where their elements lie, so that memory stays in proportion to the file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    Text(&'a str),
    Array { kind: u32, bytes: &'a [u8] },
}

/// A parsed GGUF header.
pub(super) struct GgufFile<'a> {
    values: BTreeMap<&'a str, Value<'a>>,
    /// By the names of llama.cpp, in file order.
    pub(super) tensors: Vec<(String, StoredTensor)>,
}

impl<'a> GgufFile<'a> {
    /// Reads the header, or says what is wrong with it.
    pub(super) fn parse(file: &'a [u8]) -> Result<Self, String> {
        let mut cursor = Cursor { rest: file };
        if cursor.take(4)? != b"GGUF" {
            return Err("it does not begin like a GGUF file".into());
        }
        match cursor.u32()? {
            2 | 3 => {}
            version if version.swap_bytes() <= 3 => {
                return Err("it is a big-endian GGUF file, which is not read".into());
            }
            version => return Err(format!("it has GGUF version {version}; only 2 and 3 are read")),
        }
        let tensor_count = cursor.u64()?;
        let value_count = cursor.u64()?;

        // Counts are not trusted with memory: every entry takes bytes of the file, so these loops end where the file does.
        let mut values = BTreeMap::new();
        for _ in 0..value_count {
            let key = cursor.text()?;
            let kind = cursor.u32()?;
            if values.insert(key, cursor.value(kind)?).is_some() {
                return Err(format!("it says {key} twice"));
            }
        }
        let alignment = match values.get("general.alignment") {
            None => 32,
            Some(&Value::Unsigned(a)) if a.is_power_of_two() && a <= MAX_ALIGNMENT => a as usize,
            Some(other) => return Err(format!("an alignment of {other:?} cannot be")),
        };
        let mut tensors = Vec::new();
        for _ in 0..tensor_count {
            tensors.push(cursor.tensor()?);
        }
        let data = (file.len() - cursor.rest.len()).next_multiple_of(alignment);
        place_tensors(&mut tensors, data, alignment, file.len())?;
        Ok(Self { values, tensors })
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    fn value(&self, key: &str) -> Option<Value<'a>> {
        self.values.get(key).copied()
    }

    /// A whole number that is not negative.
    pub(super) fn unsigned(&self, key: &str) -> Option<u64> {
        match self.value(key)? {
            Value::Unsigned(n) => Some(n),
            Value::Signed(n) => u64::try_from(n).ok(),
            _ => None,
        }
    }

    pub(super) fn float(&self, key: &str) -> Option<f64> {
        match self.value(key)? {
            Value::Float(x) => Some(x),
            Value::Unsigned(n) => Some(n as f64),
            _ => None,
        }
    }

    pub(super) fn bool(&self, key: &str) -> Option<bool> {
        match self.value(key)? {
            Value::Bool(b) => Some(b),
            _ => None,
        }
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        match self.value(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// An array of strings, or what is wrong with it.
    pub(super) fn texts(&self, key: &str) -> Result<Option<Vec<&'a str>>, String> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Array { kind: 8, bytes }) => {
                let mut cursor = Cursor { rest: bytes };
                let mut texts = Vec::new();
                while !cursor.rest.is_empty() {
                    texts.push(cursor.text()?);
                }
                Ok(Some(texts))
            }
            Some(_) => Err(format!("{key} is no list of texts")),
        }
    }

    /// An array of 32-bit integers, or what is wrong with it.
    pub(super) fn integers(&self, key: &str) -> Result<Option<Vec<i32>>, String> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Array { kind: 4 | 5, bytes }) => {
                Ok(Some(bytes.as_chunks().0.iter().map(|&b| i32::from_le_bytes(b)).collect()))
            }
            Some(_) => Err(format!("{key} is no list of whole numbers")),
        }
    }
}

/// Turns offsets into ranges of the file, checking alignment, overlap and the end of the file.
fn place_tensors(
    tensors: &mut [(String, StoredTensor)],
    data: usize,
    alignment: usize,
    file_len: usize,
) -> Result<(), String> {
    for (name, tensor) in &mut *tensors {
        let Range { start: offset, end: length } = tensor.bytes;
        let start = data.checked_add(offset).filter(|_| offset % alignment == 0);
        let end = start.and_then(|s| s.checked_add(length)).filter(|&end| end <= file_len);
        let (Some(start), Some(end)) = (start, end) else {
            return Err(format!("{name} does not lie within it; it may have been cut short"));
        };
        tensor.bytes = start..end;
    }
    let mut ranges: Vec<_> = tensors.iter().map(|(name, tensor)| (&tensor.bytes, name)).collect();
    ranges.sort_by_key(|(bytes, _)| bytes.start);
    match ranges.windows(2).find(|pair| matches!(pair, [(a, _), (b, _)] if a.end > b.start)) {
        Some([(_, a), (_, b)]) => Err(format!("{a} and {b} overlap")),
        _ => Ok(()),
    }
}

/// Reads little-endian values from the front of a slice.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let (front, rest) = self.rest.split_at_checked(n).ok_or("it ends within its header")?;
        self.rest = rest;
        Ok(front)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (front, rest) = self.rest.split_first_chunk().ok_or("it ends within its header")?;
        self.rest = rest;
        Ok(*front)
    }

    fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, String> {
        self.array().map(u64::from_le_bytes)
    }

    /// A count or length; what does not fit in memory addresses does not fit in the file either.
    fn length(&mut self) -> Result<usize, String> {
        usize::try_from(self.u64()?).map_err(|_| "a length in its header cannot be".to_string())
    }

    fn text(&mut self) -> Result<&'a str, String> {
        let length = self.length()?;
        str::from_utf8(self.take(length)?).map_err(|_| "a text in its header is not UTF-8".to_string())
    }

    /// A value of a GGUF type number.
    fn value(&mut self, kind: u32) -> Result<Value<'a>, String> {
        Ok(match kind {
            0 => Value::Unsigned(u8::from_le_bytes(self.array()?).into()),
            1 => Value::Signed(i8::from_le_bytes(self.array()?).into()),
            2 => Value::Unsigned(u16::from_le_bytes(self.array()?).into()),
            3 => Value::Signed(i16::from_le_bytes(self.array()?).into()),
            4 => Value::Unsigned(self.u32()?.into()),
            5 => Value::Signed(i32::from_le_bytes(self.array()?).into()),
            6 => Value::Float(shortest(f32::from_le_bytes(self.array()?))),
            7 => Value::Bool(self.array::<1>()? != [0]),
            8 => Value::Text(self.text()?),
            9 => {
                let kind = self.u32()?;
                let count = self.length()?;
                let before = self.rest;
                self.skip(kind, count)?;
                let bytes = before.get(..before.len() - self.rest.len()).unwrap_or_default();
                Value::Array { kind, bytes }
            }
            10 => Value::Unsigned(self.u64()?),
            11 => Value::Signed(i64::from_le_bytes(self.array()?)),
            12 => Value::Float(f64::from_le_bytes(self.array()?)),
            other => return Err(format!("a value in its header has the unknown type {other}")),
        })
    }

    /// Passes over the elements of an array.
    fn skip(&mut self, kind: u32, count: usize) -> Result<(), String> {
        let size = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            10..=12 => 8,
            8 => {
                for _ in 0..count {
                    let length = self.length()?;
                    self.take(length)?;
                }
                return Ok(());
            }
            9 => return Err("a list of lists in its header is not read".into()),
            other => return Err(format!("a list in its header has the unknown type {other}")),
        };
        let length = count.checked_mul(size).ok_or("a list in its header cannot be that long")?;
        self.take(length).map(|_| ())
    }

    /// One row of the tensor table; `bytes` is offset and length until [`place_tensors`].
    fn tensor(&mut self) -> Result<(String, StoredTensor), String> {
        let name = self.text()?.to_string();
        let dimensions = self.u32()?;
        if dimensions == 0 || dimensions > MAX_DIMENSIONS {
            return Err(format!("{name} cannot have {dimensions} dimensions"));
        }
        let mut shape = Vec::new();
        for _ in 0..dimensions {
            shape.push(self.length()?);
        }
        let format =
            Format::from_ggml(self.u32()?).map_err(|kind| format!("{name} is stored as {kind}, which is not read"))?;
        let row = shape.first().copied().unwrap_or(0);
        shape.reverse();
        let elements = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n > 0);
        let length = elements.filter(|_| row % format.block_len() == 0).and_then(|n| format.stored_bytes(n));
        let length = length.ok_or_else(|| format!("{name} cannot have the shape {shape:?}"))?;
        let offset = self.length()?;
        Ok((name, StoredTensor { shape, format, bytes: offset..length }))
    }
}

/// The decimal that a person wrote before it was stored in 32 bits: 1e-5, not 9.999999747378752e-6.
fn shortest(x: f32) -> f64 {
    x.to_string().parse().unwrap_or_else(|_| x.into())
}
