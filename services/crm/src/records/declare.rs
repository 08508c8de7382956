//! The declaration of a type of record.

/// Declares a type of record: the struct that is answered, the struct that clients write, how both stand in the table,
/// and the [`RecordType`](super::RecordType). The fields that all types have are added.
///
/// Field attributes go to both structs (`reads` fields to the answered one only); give the written one its `Validate`
/// and the answered one its [`Rules`](super::Rules) by hand. `owner` is another name under which clients may write
/// `owner_id`.
macro_rules! record {
    (
        $(#[$doc:meta])*
        $vis:vis struct $name:ident($id:ty) = $static:ident: $singular:literal, $plural:literal
            $(, owner $owner:literal)?;

        $(#[$wanted_doc:meta])*
        writes $wanted:ident { $( $(#[$w_attr:meta])* $w:ident: $w_type:ty, )* }

        reads { $( $(#[$r_attr:meta])* $r:ident: $r_type:ty, )* }
    ) => {
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        $(#[$doc])*
        $vis struct $name {
            /// Its id.
            pub id: $id,
            $( $(#[$w_attr])* pub $w: $w_type, )*
            $( $(#[$r_attr])* pub $r: $r_type, )*
            /// Whose it is.
            pub owner_id: Option<bz_kernel::UserId>,
            /// The team it belongs to.
            pub team_id: Option<bz_kernel::TeamId>,
            /// Its tags.
            pub tags: Vec<String>,
            /// The values of the tenant's own fields, by key.
            #[schema(value_type = Object)]
            pub custom: serde_json::Map<String, serde_json::Value>,
            /// Its id in another system.
            pub external_id: Option<String>,
            /// Who created it.
            pub created_by: bz_kernel::UserId,
            /// When it was created.
            pub created_at: chrono::DateTime<chrono::Utc>,
            /// When it was last changed.
            pub updated_at: chrono::DateTime<chrono::Utc>,
            /// Grows by one with every change; also the `ETag`.
            pub version: i64,
            /// When it was put into the trash, where it stays for 30 days.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub deleted_at: Option<chrono::DateTime<chrono::Utc>>,
            /// The record it was merged into.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub merged_into: Option<uuid::Uuid>,
        }

        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        $(#[$wanted_doc])*
        #[serde(deny_unknown_fields)]
        pub(crate) struct $wanted {
            $( $(#[$w_attr])* pub $w: $w_type, )*
            /// Whose it is: a user of the tenant.
            $( #[serde(alias = $owner)] )?
            pub owner_id: Option<bz_kernel::UserId>,
            /// The team it belongs to.
            pub team_id: Option<bz_kernel::TeamId>,
            /// Its tags, at most 50 of at most 60 characters.
            #[serde(default)]
            #[schema(max_items = 50)]
            pub tags: Vec<String>,
            /// The values of the tenant's own fields, by key.
            #[serde(default)]
            #[schema(value_type = Object)]
            pub custom: serde_json::Map<String, serde_json::Value>,
            /// Its id in another system, at most 200 characters, unique among the tenant's records of this type.
            #[schema(max_length = 200)]
            pub external_id: Option<String>,
        }

        /// The type as data.
        pub(crate) static $static: &$crate::records::RecordType = &$crate::records::RecordType {
            name: $singular,
            plural: $plural,
            table: concat!("crm.", $plural),
            events: [
                concat!($singular, ".created"),
                concat!($singular, ".updated"),
                concat!($singular, ".deleted"),
                concat!($singular, ".restored"),
            ],
            fields: &[
                $( $crate::records::declare::field!($w: $w_type, true), )*
                $( $crate::records::declare::field!($r: $r_type, false), )*
                $crate::records::declare::field!(owner_id: bz_kernel::UserId, true),
                $crate::records::declare::field!(team_id: bz_kernel::TeamId, true),
                $crate::records::declare::field!(external_id: String, true),
                $crate::records::declare::field!(id: $id, false),
                $crate::records::declare::field!(created_by: bz_kernel::UserId, false),
                $crate::records::declare::field!(created_at: chrono::DateTime<chrono::Utc>, false),
                $crate::records::declare::field!(updated_at: chrono::DateTime<chrono::Utc>, false),
                $crate::records::declare::field!(version: i64, false),
            ],
            sorts: <$name as $crate::records::Rules>::SORTS,
            operations: $crate::records::dynamic::Operations::of::<$name>(),
        };

        impl<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> for $name {
            fn from_row(row: &'r sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
                use $crate::records::column::Column;
                Ok(Self {
                    id: Column::read(row, "id")?,
                    $( $w: Column::read(row, $crate::records::declare::bare(stringify!($w)))?, )*
                    $( $r: Column::read(row, stringify!($r))?, )*
                    owner_id: Column::read(row, "owner_id")?,
                    team_id: Column::read(row, "team_id")?,
                    tags: Column::read(row, "tags")?,
                    custom: Column::read(row, "custom")?,
                    external_id: Column::read(row, "external_id")?,
                    created_by: Column::read(row, "created_by")?,
                    created_at: Column::read(row, "created_at")?,
                    updated_at: Column::read(row, "updated_at")?,
                    version: Column::read(row, "version")?,
                    deleted_at: Column::read(row, "deleted_at")?,
                    merged_into: Column::read(row, "merged_into")?,
                })
            }
        }

        impl $crate::records::Record for $name {
            const TYPE: &'static $crate::records::RecordType = $static;
            type Fields = $wanted;

            fn columns() -> &'static str {
                use $crate::records::column::Column;
                static COLUMNS: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
                    let mut list = String::from("id");
                    $(
                        list.push_str(", ");
                        <$w_type as Column>::select($crate::records::declare::bare(stringify!($w)), &mut list);
                    )*
                    $(
                        list.push_str(", ");
                        <$r_type as Column>::select(stringify!($r), &mut list);
                    )*
                    list.push_str(
                        ", owner_id, team_id, tags, custom, external_id, created_by, created_at, updated_at, version, \
                         deleted_at, merged_into",
                    );
                    list
                });
                &COLUMNS
            }

            fn head(&self) -> $crate::records::Head {
                $crate::records::Head {
                    id: self.id.as_uuid(),
                    version: self.version,
                    deleted_at: self.deleted_at,
                    merged_into: self.merged_into,
                }
            }

            fn fields(&self) -> $wanted {
                $wanted {
                    $( $w: self.$w.clone(), )*
                    owner_id: self.owner_id,
                    team_id: self.team_id,
                    tags: self.tags.clone(),
                    custom: self.custom.clone(),
                    external_id: self.external_id.clone(),
                }
            }
        }

        impl $crate::records::Fields for $wanted {
            fn common(&self) -> $crate::records::Common<'_> {
                $crate::records::Common {
                    team_id: self.team_id,
                    tags: &self.tags,
                    custom: &self.custom,
                    external_id: self.external_id.as_deref(),
                }
            }

            fn common_mut(&mut self) -> $crate::records::CommonMut<'_> {
                $crate::records::CommonMut {
                    tags: &mut self.tags,
                    custom: &mut self.custom,
                }
            }

            fn write(&self, out: &mut $crate::records::sql::Columns) {
                use $crate::records::column::Column;
                $( Column::write(&self.$w, $crate::records::declare::bare(stringify!($w)), out); )*
                Column::write(&self.owner_id, "owner_id", out);
                Column::write(&self.team_id, "team_id", out);
                Column::write(&self.tags, "tags", out);
                Column::write(&self.custom, "custom", out);
                Column::write(&self.external_id, "external_id", out);
            }
        }
    };
}
pub(crate) use record;

/// One entry of a type's list of fields.
macro_rules! field {
    ($name:ident: $type:ty, $written:literal) => {
        $crate::records::Field {
            name: $crate::records::declare::bare(stringify!($name)),
            kind: <$type as $crate::records::column::Column>::KIND,
            written: $written,
        }
    };
}
pub(crate) use field;

/// The name of a field as it is in JSON and in its table: without the `r#` of one that is a word of the language.
pub(crate) const fn bare(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}
