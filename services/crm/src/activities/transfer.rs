//! Many activities at once.

use crate::jobs::endpoints::transfers;

transfers! {
    Activity, ActivitiesRead = "activities:read", ActivitiesWrite = "activities:write", tag "activities",
    export export_activities "/api/activities/export" "Export activities as CSV, NDJSON or XLSX.",
    bulk bulk_activities "/api/activities/bulk" "Change, delete or restore many activities.",
}
