//! Abbreviations of time zones that people write after a time: "9 am BST". Those that mean several zones are read as most
//! English writers mean them.

/// Minutes east of UTC.
pub(super) fn offset(abbreviation: &str) -> Option<i32> {
    Some(match abbreviation {
        "utc" | "gmt" => 0,
        "bst" | "cet" => 60,
        "cest" | "eet" => 120,
        "eest" | "msk" => 180,
        "ist" => 330,
        "jst" => 540,
        "edt" => -240,
        "est" | "cdt" => -300,
        "cst" | "mdt" => -360,
        "mst" | "pdt" => -420,
        "pst" => -480,
        _ => return None,
    })
}
