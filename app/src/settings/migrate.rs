//! Settings files of earlier versions become those of this one, a step at a time.

use serde_json::{Map, Value, json};

/// Version of the layout that this program writes.
pub const VERSION: u32 = 1;

/// What changed from each version to the next; the first is from version 0.
const STEPS: [fn(&mut Map<String, Value>); VERSION as usize] = [from_0];

/// Brings the fields of a file up to [`VERSION`], and returns the version it had. Those of a later version stay as they are.
pub(super) fn migrate(fields: &mut Map<String, Value>) -> u64 {
    // A file that says something strange about its version most likely has the layout of today.
    let version = fields.remove("version").map_or(0, |version| version.as_u64().unwrap_or(VERSION.into()));
    for step in STEPS.iter().skip(usize::try_from(version).unwrap_or(usize::MAX)) {
        step(fields);
    }
    version
}

/// Version 0 did not say its version, had `high_contrast` (yes or no) in place of `theme`, and counted `scale` in per cent.
fn from_0(fields: &mut Map<String, Value>) {
    if fields.remove("high_contrast") == Some(Value::Bool(true)) {
        fields.entry("theme").or_insert("high_contrast".into());
    }
    if let Some(scale) = fields.get_mut("scale")
        && let Some(percent) = scale.as_f64().filter(|percent| *percent > 10.0)
    {
        *scale = json!(percent / 100.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migrated(fields: Value) -> (u64, Value) {
        let Value::Object(mut fields) = fields else { panic!("an object") };
        (migrate(&mut fields), fields.into())
    }

    #[test]
    fn version_0_becomes_version_1() {
        let old = json!({"high_contrast": true, "scale": 150, "rate": 20});
        let new = json!({"scale": 1.5, "rate": 20, "theme": "high_contrast"});
        assert_eq!(migrated(old.clone()), (0, new.clone()));
        let mut numbered = old;
        numbered["version"] = 0.into();
        assert_eq!(migrated(numbered), (0, new));
        // Written by hand, with the names of today.
        assert_eq!(migrated(json!({"scale": 2.0})), (0, json!({"scale": 2.0})));
        assert_eq!(migrated(json!({"high_contrast": false})), (0, json!({})));
    }

    #[test]
    fn later_versions_are_left_alone() {
        for version in [1, 2, u64::MAX] {
            let fields = json!({"high_contrast": true, "scale": 150});
            let mut with_version = fields.clone();
            with_version["version"] = version.into();
            assert_eq!(migrated(with_version), (version, fields));
        }
        assert_eq!(migrated(json!({"version": "one", "scale": 150})), (1, json!({"scale": 150})));
    }
}
