//! Tensors of a Hugging Face folder: one safetensors file, or shards with an index.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::Dtype;
use safetensors::tensor::Metadata;
use serde::Deserialize;

use super::file::{map, read_json, release};
use super::{CheckpointError, StoredType, TensorInfo, TensorSource};

/// Ending of the 8-bit rows of `X.weight`, see [`TensorSource::read_i8`].
pub(super) const Q8_ROWS: &str = ".weight_q8";
/// Ending of the row scales that belong to [`Q8_ROWS`].
pub(super) const Q8_SCALE: &str = ".weight_scale";

/// Longest header accepted: the limit of the safetensors library.
const MAX_HEADER: usize = 100_000_000;

/// Where one tensor lies.
struct Entry {
    file: usize,
    info: TensorInfo,
    bytes: Range<usize>,
}

/// The memory-mapped tensors of one or more safetensors files.
pub(super) struct SafetensorsFiles {
    maps: Vec<Mmap>,
    entries: BTreeMap<String, Entry>,
}

/// `model.safetensors.index.json`.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl SafetensorsFiles {
    /// The tensors of a folder: `model.safetensors`, or the shards of its index, or whatever `*.safetensors` it holds.
    pub(super) fn open_folder(folder: &Path) -> Result<Self, CheckpointError> {
        let single = folder.join("model.safetensors");
        if single.exists() {
            return Self::open_files(&[single]);
        }
        let index = folder.join("model.safetensors.index.json");
        if index.exists() {
            return Self::open_index(folder, &index);
        }
        let mut files = list(folder, "safetensors")?;
        files.sort();
        match files.as_slice() {
            [] => Err(CheckpointError::unsupported(
                format!("{} holds no .safetensors file, which", folder.display()),
                "if it holds .bin files, convert them to safetensors first",
            )),
            files => Self::open_files(files),
        }
    }

    /// All tensors of the given files, each name in one file only.
    pub(super) fn open_files(paths: &[PathBuf]) -> Result<Self, CheckpointError> {
        let mut all = Self { maps: Vec::new(), entries: BTreeMap::new() };
        for path in paths {
            all.add_file(path, |_| true)?;
        }
        all.check_rows()?;
        Ok(all)
    }

    fn open_index(folder: &Path, path: &Path) -> Result<Self, CheckpointError> {
        let index: Index = read_json(path)?;
        let mut shards: BTreeMap<&str, usize> = BTreeMap::new();
        for file in index.weight_map.values() {
            // An index must not lead out of its folder.
            let mut parts = Path::new(file).components();
            if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
                return Err(CheckpointError::damaged(
                    path,
                    format!("it names {file:?}, which is no file of its folder"),
                ));
            }
            *shards.entry(file).or_default() += 1;
        }
        let mut all = Self { maps: Vec::new(), entries: BTreeMap::new() };
        for (shard, expected) in shards {
            let before = all.entries.len();
            all.add_file(&folder.join(shard), |name| index.weight_map.get(name).is_some_and(|file| file == shard))?;
            if all.entries.len() - before != expected {
                let missing = index.weight_map.iter().find(|(name, _)| !all.entries.contains_key(*name));
                let missing = missing.map_or("a tensor", |(name, _)| name);
                return Err(CheckpointError::damaged(&folder.join(shard), format!("{missing} is not in it")));
            }
        }
        all.check_rows()?;
        Ok(all)
    }

    fn add_file(&mut self, path: &Path, wanted: impl Fn(&str) -> bool) -> Result<(), CheckpointError> {
        let map = map(path)?;
        let (metadata, data) = parse_header(&map).map_err(|reason| CheckpointError::damaged(path, reason))?;
        for (name, tensor) in metadata.tensors() {
            if !wanted(&name) {
                continue;
            }
            let (start, end) = tensor.data_offsets;
            let info = TensorInfo { shape: tensor.shape.clone(), stored: stored_type(tensor.dtype) };
            let entry = Entry { file: self.maps.len(), info, bytes: data + start..data + end };
            if self.entries.contains_key(&name) {
                return Err(CheckpointError::damaged(path, format!("{name} is in another file too")));
            }
            self.entries.insert(name, entry);
        }
        self.maps.push(map);
        Ok(())
    }

    /// Checks that 8-bit rows have their scales, so that [`TensorSource::info`] can show them as one tensor.
    fn check_rows(&self) -> Result<(), CheckpointError> {
        for (name, rows) in &self.entries {
            let Some(owner) = name.strip_suffix(Q8_ROWS) else { continue };
            let scale = format!("{owner}{Q8_SCALE}");
            let found = self.entries.get(&scale).ok_or(CheckpointError::MissingTensor { name: scale.clone() })?;
            let (&[height, _], StoredType::I8) = (rows.info.shape.as_slice(), rows.info.stored) else {
                let (name, found) = (name.clone(), rows.info.stored);
                return Err(CheckpointError::Type { name, found, wanted: "8-bit rows" });
            };
            if found.info.shape != [height] {
                let found = found.info.shape.clone();
                return Err(CheckpointError::Shape { name: scale, expected: vec![height], found });
            }
        }
        Ok(())
    }

    /// The stored bytes, little-endian, with their type and shape; used when tensors are copied as they are.
    pub(super) fn bytes(&self, name: &str) -> Result<(&TensorInfo, &[u8]), CheckpointError> {
        let missing = || CheckpointError::MissingTensor { name: name.into() };
        let entry = self.entries.get(name).ok_or_else(missing)?;
        let bytes = self.maps.get(entry.file).and_then(|map| map.get(entry.bytes.clone())).ok_or_else(missing)?;
        Ok((&entry.info, bytes))
    }

    /// Names as stored: 8-bit rows and their scales as two tensors.
    pub(super) fn stored_names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The part of the name before `.weight` if `name` stands for 8-bit rows.
    fn rows_owner<'n>(&self, name: &'n str) -> Option<&'n str> {
        let owner = name.strip_suffix(".weight")?;
        let stored_plainly = self.entries.contains_key(name);
        (!stored_plainly && self.entries.contains_key(&format!("{owner}{Q8_ROWS}"))).then_some(owner)
    }

    fn read_rows(&self, owner: &str) -> Result<Vec<f32>, CheckpointError> {
        let rows = self.read_i8(&format!("{owner}{Q8_ROWS}"))?;
        let scales = self.read_f32(&format!("{owner}{Q8_SCALE}"))?;
        let width = rows.len() / scales.len().max(1);
        let scaled =
            rows.chunks(width.max(1)).zip(scales).flat_map(|(row, s)| row.iter().map(move |&q| f32::from(q) * s));
        Ok(scaled.collect())
    }
}

impl TensorSource for SafetensorsFiles {
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::with_capacity(self.entries.len());
        for name in self.stored_names() {
            if let Some(owner) = name.strip_suffix(Q8_ROWS) {
                names.push(format!("{owner}.weight"));
            } else if !name.strip_suffix(Q8_SCALE).is_some_and(|o| self.entries.contains_key(&format!("{o}{Q8_ROWS}")))
            {
                names.push(name.into());
            }
        }
        names.sort();
        names.dedup();
        names
    }

    fn info(&self, name: &str) -> Option<TensorInfo> {
        match self.rows_owner(name) {
            Some(owner) => {
                let rows = self.entries.get(&format!("{owner}{Q8_ROWS}"))?;
                Some(TensorInfo { shape: rows.info.shape.clone(), stored: StoredType::RowsI8 })
            }
            None => self.entries.get(name).map(|entry| entry.info.clone()),
        }
    }

    fn read_f32(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        if let Some(owner) = self.rows_owner(name) {
            return self.read_rows(owner);
        }
        let (info, bytes) = self.bytes(name)?;
        match info.stored {
            StoredType::F32 => Ok(decode(bytes, f32::from_le_bytes)),
            StoredType::F16 => Ok(decode(bytes, |b| f16::from_le_bytes(b).to_f32())),
            StoredType::BF16 => Ok(decode(bytes, |b| bf16::from_le_bytes(b).to_f32())),
            found => Err(CheckpointError::Type { name: name.into(), found, wanted: "numbers with a fraction" }),
        }
    }

    fn read_i32(&self, name: &str) -> Result<Vec<i32>, CheckpointError> {
        match self.bytes(name)? {
            (TensorInfo { stored: StoredType::I32, .. }, bytes) => Ok(decode(bytes, i32::from_le_bytes)),
            (info, _) => Err(CheckpointError::Type { name: name.into(), found: info.stored, wanted: "I32" }),
        }
    }

    fn read_i8(&self, name: &str) -> Result<Vec<i8>, CheckpointError> {
        match self.bytes(name)? {
            (TensorInfo { stored: StoredType::I8, .. }, bytes) => Ok(decode(bytes, i8::from_le_bytes)),
            (info, _) => Err(CheckpointError::Type { name: name.into(), found: info.stored, wanted: "I8" }),
        }
    }

    fn release_memory(&self) {
        self.maps.iter().for_each(release);
    }
}

/// Little-endian elements of `N` bytes; alignment does not matter.
pub(super) fn decode<T, const N: usize>(bytes: &[u8], element: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|&b| element(b)).collect()
}

/// The header of a safetensors file and where its data starts, or what is wrong with it.
///
/// [`Metadata`] checks that the tensors lie one after the other without gap or overlap and have the length of their shape.
fn parse_header(bytes: &[u8]) -> Result<(Metadata, usize), String> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Err("it is too short to be a safetensors file".into());
    };
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if length > MAX_HEADER {
        return Err("its header is too long, it may not be a safetensors file".into());
    }
    let header = rest.get(..length).ok_or("it ends within its header")?;
    let metadata: Metadata = serde_json::from_slice(header).map_err(|e| format!("its header is wrong ({e})"))?;
    let found = rest.len() - length;
    if metadata.data_len() != found {
        let expected = metadata.data_len();
        return Err(format!("it should hold {expected} bytes of tensors but holds {found}"));
    }
    Ok((metadata, 8 + length))
}

fn stored_type(dtype: Dtype) -> StoredType {
    match dtype {
        Dtype::F32 => StoredType::F32,
        Dtype::F16 => StoredType::F16,
        Dtype::BF16 => StoredType::BF16,
        Dtype::I32 => StoredType::I32,
        Dtype::I8 => StoredType::I8,
        Dtype::F64 => StoredType::Other("F64"),
        Dtype::I64 => StoredType::Other("I64"),
        Dtype::U64 => StoredType::Other("U64"),
        Dtype::U32 => StoredType::Other("U32"),
        Dtype::I16 => StoredType::Other("I16"),
        Dtype::U16 => StoredType::Other("U16"),
        Dtype::U8 => StoredType::Other("U8"),
        Dtype::BOOL => StoredType::Other("BOOL"),
        _ => StoredType::Other("a type below 16 bits"),
    }
}

/// Files of a folder with an extension.
pub(super) fn list(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, CheckpointError> {
    let entries = fs::read_dir(folder).map_err(CheckpointError::io("read", folder))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    Ok(paths.filter(|path| path.extension().is_some_and(|e| e == extension) && path.is_file()).collect())
}
