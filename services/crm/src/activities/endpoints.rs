//! What every type of record has, for activities.

use bz_kernel::ActivityId;

use crate::records::endpoints::endpoints;

endpoints! {
    Activity(ActivityId), CreateActivity, PatchActivity, ActivitiesRead = "activities:read",
    ActivitiesWrite = "activities:write",
    tag "activities",
    "/api/activities", "/api/activities/{id}", "/api/activities/{id}/restore",
    create create_activity "Create an activity.",
    get get_activity "One activity.",
    put put_activity "Replace an activity.",
    patch patch_activity "Change an activity.",
    delete delete_activity "Delete an activity.",
    restore restore_activity "Take an activity out of the trash.",
}
