//! Many to-dos at once.

use crate::jobs::endpoints::transfers;

transfers! {
    Todo, TodosRead = "todos:read", TodosWrite = "todos:write", tag "todos",
    export export_todos "/api/todos/export" "Export to-dos as CSV, NDJSON or XLSX.",
    bulk bulk_todos "/api/todos/bulk" "Change, delete or restore many to-dos.",
}
