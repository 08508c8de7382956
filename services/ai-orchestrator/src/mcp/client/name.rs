//! Names of tools as models may write them.

use aws_lc_rs::digest;

/// The longest name that providers take.
const MOST: usize = 64;

/// `mcp.<server>.<tool>` in letters, digits, `_` and `-`. Where that leaves something out it ends with a part of the name's hash, so
/// that no two tools have the same.
pub(crate) fn wire_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let plain = |c: char| if fits(c) { c } else { '_' };
    let mut wire: String = name.chars().map(plain).collect();
    // A server's name has no underscore: the first two are the dots before and after it.
    if wire == name.replacen('.', "_", 2) && wire.len() <= MOST {
        return wire;
    }
    let hash = digest::digest(&digest::SHA256, name.as_bytes());
    let hash = hex::encode(&hash.as_ref()[..4]);
    wire.truncate(MOST - 1 - hash.len());
    format!("{wire}_{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_has_a_name_of_its_own_that_models_can_write() {
        assert_eq!(wire_name("mcp.files.read_file"), "mcp_files_read_file");
        let names = [
            "mcp.files.a.b".to_owned(),
            "mcp.files.a_b".to_owned(),
            "mcp.files.a/b".to_owned(),
            format!("mcp.files.{}", "a".repeat(128)),
            format!("mcp.files.{}b", "a".repeat(127)),
        ];
        let wire: std::collections::BTreeSet<String> =
            names.iter().map(|name| wire_name(name)).collect();
        assert_eq!(wire.len(), names.len());
        for name in wire {
            let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
            assert!(name.len() <= MOST && name.bytes().all(fits), "{name}");
        }
    }
}
