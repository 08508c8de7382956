//! What every type of record has, for to-dos.

use bz_kernel::TodoId;

use crate::records::endpoints::endpoints;

endpoints! {
    Todo(TodoId), CreateTodo, PatchTodo, TodosRead = "todos:read", TodosWrite = "todos:write",
    tag "todos",
    "/api/todos", "/api/todos/{id}", "/api/todos/{id}/restore",
    create create_todo "Create a to-do.",
    get get_todo "One to-do.",
    put put_todo "Replace a to-do.",
    patch patch_todo "Change a to-do.",
    delete delete_todo "Delete a to-do.",
    restore restore_todo "Take a to-do out of the trash.",
}
