//! The lists of activities.

use crate::records::list::endpoints::lists;

lists! {
    Activity, ActivitiesRead = "activities:read",
    tag "activities",
    "/api/activities", "/api/activities/query",
    list list_activities "The activities that the caller sees.",
    query query_activities "Find activities.",
}
