//! The statements of a transaction, watched: only a transaction whose last statement was answered, and not with an error, may be
//! gone on with by somebody else.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use sqlx::postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Error, Execute, Executor, PgConnection, Postgres};

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;
type Answers<'a, T> = Pin<Box<dyn Stream<Item = Result<T, Error>> + Send + 'a>>;

/// Where a store function sends one statement. Nested sqlx transactions are not for it: their depth counter does not know about
/// the transaction that is open.
#[derive(Debug)]
pub struct Statements<'c> {
    conn: &'c mut PgConnection,
    answered: &'c mut bool,
}

impl<'c> Statements<'c> {
    /// `answered` says afterwards whether the statement was answered, and not with an error.
    pub(crate) fn new(conn: &'c mut PgConnection, answered: &'c mut bool) -> Self {
        Self { conn, answered }
    }

    async fn watch<T>(
        answered: &mut bool,
        statement: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        *answered = false;
        let answer = statement.await?;
        *answered = true;
        Ok(answer)
    }
}

impl<'c> Executor<'c> for Statements<'c> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Answers<'e, Either<PgQueryResult, PgRow>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        *self.answered = false;
        Box::pin(Watched {
            answers: self.conn.fetch_many(query),
            answered: self.answered,
            failed: false,
        })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> Answer<'e, Option<PgRow>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(Self::watch(self.answered, self.conn.fetch_optional(query)))
    }

    fn prepare_with<'e, 'q: 'e>(
        self,
        sql: &'q str,
        parameters: &'e [PgTypeInfo],
    ) -> Answer<'e, PgStatement<'q>>
    where
        'c: 'e,
    {
        Box::pin(Self::watch(
            self.answered,
            self.conn.prepare_with(sql, parameters),
        ))
    }

    fn describe<'e, 'q: 'e>(self, sql: &'q str) -> Answer<'e, Describe<Postgres>>
    where
        'c: 'e,
    {
        Box::pin(Self::watch(self.answered, self.conn.describe(sql)))
    }
}

/// The rows of a statement, watched until there are no more.
struct Watched<'e> {
    answers: Answers<'e, Either<PgQueryResult, PgRow>>,
    answered: &'e mut bool,
    failed: bool,
}

impl Stream for Watched<'_> {
    type Item = Result<Either<PgQueryResult, PgRow>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.answers.as_mut().poll_next(cx);
        match &next {
            Poll::Ready(Some(Err(_))) => self.failed = true,
            Poll::Ready(None) => *self.answered = !self.failed,
            _ => {}
        }
        next
    }
}
