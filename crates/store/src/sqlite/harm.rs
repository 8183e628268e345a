//! Damage done on purpose, so that tests of the whole can see it noticed.

use dengmi_core::BranchId;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::rows::{column, unavailable};
use super::{SqliteStore, branch_column};
use crate::error::StoreError;

impl SqliteStore {
    /// Leaves only the first `bytes` bytes of the body of a branch's last record, behind the back
    /// of whoever has the store open.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn tear_last_record(&self, branch: BranchId, bytes: u64) -> Result<(), StoreError> {
        let options = SqliteConnectOptions::new().filename(&self.path);
        let mut connection = options.connect().await.map_err(unavailable)?;
        sqlx::query(
            "UPDATE journal SET body = substr(body, 1, $2) WHERE branch = $1 \
             AND seq = (SELECT MAX(seq) FROM journal WHERE branch = $1)",
        )
        .bind(branch_column(branch))
        .bind(column(bytes))
        .execute(&mut connection)
        .await
        .map_err(unavailable)?;
        connection.close().await.map_err(unavailable)
    }
}
