//! The statements that are the same for every record: read it, read and lock it, delete it.

/// Declares `find`, `find_for_update` and `delete` of a store that has a `columns!` macro and a row type.
macro_rules! by_id {
    ($table:literal, $id:ty, $row:ty => $record:ty) => {
        pub(super) async fn find(tx: &mut TenantTx, id: $id) -> Result<Option<$record>, DbError> {
            let sql = concat!(
                "-- ",
                $table,
                ".find\nSELECT ",
                columns!(),
                " FROM ",
                $table,
                " WHERE id = $1"
            );
            let row: Option<$row> = query_as(sql)
                .bind(id.as_uuid())
                .fetch_optional(tx.conn())
                .await?;
            Ok(row.map(Into::into))
        }

        /// Locks the record until the transaction ends, so that a change is made on what was read.
        pub(super) async fn find_for_update(
            tx: &mut TenantTx,
            id: $id,
        ) -> Result<Option<$record>, DbError> {
            let sql = concat!(
                "-- ",
                $table,
                ".find_for_update\nSELECT ",
                columns!(),
                " FROM ",
                $table,
                " WHERE id = $1 FOR UPDATE"
            );
            let row: Option<$row> = query_as(sql)
                .bind(id.as_uuid())
                .fetch_optional(tx.conn())
                .await?;
            Ok(row.map(Into::into))
        }

        /// Deletes a record that [`find_for_update`] locked.
        pub(super) async fn delete(tx: &mut TenantTx, id: $id) -> Result<(), DbError> {
            let sql = concat!(
                "-- ",
                $table,
                ".delete\nDELETE FROM ",
                $table,
                " WHERE id = $1"
            );
            query(sql).bind(id.as_uuid()).execute(tx.conn()).await?;
            Ok(())
        }
    };
}
pub(crate) use by_id;
