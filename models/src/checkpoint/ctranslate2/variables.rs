//! The table of variables of a `model.bin`, read with every length checked against what is left of the file.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::checkpoint::StoredType;

/// Most dimensions of any variable.
const MAX_DIMENSIONS: u8 = 8;

/// Element type of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    F32,
    I8,
    I16,
    I32,
    F16,
    BF16,
}

impl Element {
    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::F32,
            1 => Self::I8,
            2 => Self::I16,
            3 => Self::I32,
            4 => Self::F16,
            5 => Self::BF16,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::BF16 | Self::I16 => 2,
            Self::I8 => 1,
        }
    }

    pub(super) fn stored_type(self) -> StoredType {
        match self {
            Self::F32 => StoredType::F32,
            Self::F16 => StoredType::F16,
            Self::BF16 => StoredType::BF16,
            Self::I8 => StoredType::Block("CTranslate2's int8"),
            Self::I16 => StoredType::Other("I16"),
            Self::I32 => StoredType::I32,
        }
    }
}

/// Where a variable lies and how it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    /// Row-major; empty for a single number.
    pub(super) shape: Vec<usize>,
    pub(super) element: Element,
    /// Within the file.
    pub(super) bytes: Range<usize>,
}

/// A parsed `model.bin`.
#[derive(Debug)]
pub(super) struct ModelFile<'a> {
    /// Kind of model ("WhisperSpec").
    pub(super) spec: &'a str,
    /// By CTranslate2's names, aliases included.
    pub(super) variables: BTreeMap<&'a str, Variable>,
}

impl<'a> ModelFile<'a> {
    /// Reads the table, or says what is wrong with it.
    pub(super) fn parse(file: &'a [u8]) -> Result<Self, String> {
        let mut cursor = Cursor { rest: file, length: file.len() };
        match cursor.u32()? {
            4..=6 => {}
            version if version < 4 => return Err(format!("it has the old version {version} of CTranslate2's format")),
            _ => return Err("it does not begin like a file of CTranslate2".into()),
        }
        let spec = cursor.text()?;
        let _revision = cursor.u32()?;

        // Counts are not trusted with memory: every entry takes bytes of the file, so these loops end where the file does.
        let mut variables = BTreeMap::new();
        for _ in 0..cursor.u32()? {
            let name = cursor.text()?;
            let variable = cursor.variable(name)?;
            if variables.insert(name, variable).is_some() {
                return Err(format!("it holds {name} twice"));
            }
        }
        for _ in 0..cursor.u32()? {
            let (alias, target) = (cursor.text()?, cursor.text()?);
            let variable: Variable = variables
                .get(target)
                .cloned()
                .ok_or_else(|| format!("{alias} stands for {target}, which is not there"))?;
            variables.insert(alias, variable);
        }
        if cursor.rest.is_empty() { Ok(Self { spec, variables }) } else { Err("it goes on after its end".into()) }
    }
}

/// Reads little-endian values from the front of a slice.
struct Cursor<'a> {
    rest: &'a [u8],
    /// Of the whole file.
    length: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let (front, rest) = self.rest.split_at_checked(n).ok_or("it has been cut short")?;
        self.rest = rest;
        Ok(front)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (front, rest) = self.rest.split_first_chunk().ok_or("it has been cut short")?;
        self.rest = rest;
        Ok(*front)
    }

    fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    fn length(&mut self) -> Result<usize, String> {
        usize::try_from(self.u32()?).map_err(|_| "a length in it cannot be".to_string())
    }

    /// A text with its length before it and a zero behind it.
    fn text(&mut self) -> Result<&'a str, String> {
        let length = u16::from_le_bytes(self.array()?);
        let bytes = self.take(length.into())?;
        let text = bytes.strip_suffix(b"\0").and_then(|text| str::from_utf8(text).ok());
        text.ok_or_else(|| "a name in it is no text".to_string())
    }

    fn variable(&mut self, name: &str) -> Result<Variable, String> {
        let [dimensions] = self.array()?;
        if dimensions > MAX_DIMENSIONS {
            return Err(format!("{name} cannot have {dimensions} dimensions"));
        }
        let mut shape = Vec::new();
        for _ in 0..dimensions {
            shape.push(self.length()?);
        }
        let [code] = self.array()?;
        let element = Element::from_code(code).ok_or_else(|| format!("{name} has the unknown element type {code}"))?;
        let length = self.length()?;
        let expected = shape.iter().try_fold(element.size(), |n, &d| n.checked_mul(d));
        if expected != Some(length) {
            return Err(format!("{name} of shape {shape:?} cannot take {length} bytes"));
        }
        let start = self.length - self.rest.len();
        self.take(length)?;
        Ok(Variable { shape, element, bytes: start..start + length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Vec<u8> {
        [&(text.len() as u16 + 1).to_le_bytes()[..], text.as_bytes(), b"\0"].concat()
    }

    fn file(variables: &[(&str, &[u32], u8, &[u8])], aliases: &[(&str, &str)]) -> Vec<u8> {
        let mut out = [&6u32.to_le_bytes()[..], &text("WhisperSpec"), &3u32.to_le_bytes()].concat();
        out.extend((variables.len() as u32).to_le_bytes());
        for (name, shape, code, data) in variables {
            out.extend(text(name));
            out.push(shape.len() as u8);
            shape.iter().for_each(|d| out.extend(d.to_le_bytes()));
            out.push(*code);
            out.extend((data.len() as u32).to_le_bytes());
            out.extend(*data);
        }
        out.extend((aliases.len() as u32).to_le_bytes());
        aliases.iter().for_each(|(alias, target)| out.extend([text(alias), text(target)].concat()));
        out
    }

    #[test]
    fn variables_and_aliases_are_found_and_every_cut_is_noticed() {
        let bytes = file(&[("a", &[2], 0, &[0; 8]), ("n", &[], 2, &[8, 0])], &[("b", "a")]);
        let parsed = ModelFile::parse(&bytes).unwrap();
        assert_eq!(parsed.spec, "WhisperSpec");
        assert_eq!((&parsed.variables["a"], parsed.variables["n"].shape.len()), (&parsed.variables["b"], 0));
        assert_eq!(bytes[parsed.variables["n"].bytes.clone()], [8, 0]);
        for length in 0..bytes.len() {
            ModelFile::parse(&bytes[..length]).unwrap_err();
        }
        assert!(ModelFile::parse(&[bytes, vec![0]].concat()).is_err());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refusal = |bytes: Vec<u8>| ModelFile::parse(&bytes).unwrap_err();
        assert!(refusal(file(&[("a", &[3], 0, &[0; 8])], &[])).contains("cannot take 8 bytes"));
        assert!(refusal(file(&[("a", &[u32::MAX, u32::MAX, u32::MAX], 0, &[0; 8])], &[])).contains("cannot take"));
        assert!(refusal(file(&[("a", &[8], 9, &[0; 8])], &[])).contains("element type 9"));
        assert!(refusal(file(&[("a", &[2], 0, &[0; 8]), ("a", &[2], 0, &[0; 8])], &[])).contains("twice"));
        assert!(refusal(file(&[], &[("b", "a")])).contains("not there"));
        assert!(refusal(b"PK\x03\x04".to_vec()).contains("begin"));
    }
}
