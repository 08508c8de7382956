//! Log lines as JSON objects. tracing-subscriber's own JSON form reads a span's members back and writes them anew each time
//! one is added, which every request would pay for; here they are appended, and what a line needs is put together when
//! there is a line.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// One object a line: time, level, the event's members, the span in hand, the target.
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str(r#"{"timestamp":""#)?;
        SystemTime.format_time(&mut writer)?;
        write!(writer, r#"","level":"{}""#, event.metadata().level())?;
        context.format_fields(writer.by_ref(), event)?;
        if let Some(span) = context.lookup_current() {
            write!(writer, r#","span":{{"name":"{}""#, span.name())?;
            if let Some(members) = span.extensions().get::<FormattedFields<N>>() {
                writer.write_str(members)?;
            }
            writer.write_char('}')?;
        }
        writeln!(writer, r#","target":"{}"}}"#, event.metadata().target())
    }
}

/// Members of an object, each with a comma before it.
pub(super) struct JsonMembers;

impl<'w> FormatFields<'w> for JsonMembers {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut members = Members {
            writer,
            written: Ok(()),
        };
        fields.record(&mut members);
        members.written
    }

    fn add_fields(
        &self,
        current: &'w mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        self.format_fields(current.as_writer(), fields)
    }
}

struct Members<'w> {
    writer: Writer<'w>,
    written: fmt::Result,
}

impl Members<'_> {
    fn put(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        // Those are for the collector of traces.
        if self.written.is_ok() && !field.name().starts_with("otel.") {
            self.written = write!(self.writer, r#","{}":"#, field.name())
                .and_then(|()| value(&mut self.writer));
        }
    }

    fn text(&mut self, field: &Field, text: &str) {
        let is_plain = |c: char| !c.is_control() && !matches!(c, '"' | '\\');
        self.put(field, |writer| {
            if text.chars().all(is_plain) {
                write!(writer, r#""{text}""#)
            } else {
                // A string has a JSON form.
                writer.write_str(&serde_json::to_string(text).unwrap_or_default())
            }
        });
    }
}

impl Visit for Members<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.text(field, &value.to_string());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, |writer| {
            if value.is_finite() {
                write!(writer, "{value}")
            } else {
                writer.write_str("null")
            }
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, |writer| write!(writer, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, |writer| write!(writer, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, |writer| write!(writer, "{value}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that `act` logs, without their times.
    fn lines(act: impl FnOnce()) -> Vec<Value> {
        let written = Written::default();
        let writer = written.clone();
        let layer = tracing_subscriber::fmt::layer()
            .event_format(JsonLines)
            .fmt_fields(JsonMembers)
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), act);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let object = |line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            let time = line.as_object_mut().unwrap().remove("timestamp").unwrap();
            assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
            line
        };
        text.lines().map(object).collect()
    }

    #[test]
    fn a_line_has_the_events_members_with_their_types() {
        let error = io::Error::other("no \"luck\"");
        let told = lines(|| {
            tracing::warn!(
                text = "a\nb\u{1f600}",
                number = -1_i64,
                share = 0.5,
                nothing = f64::NAN,
                yes = true,
                error = &error as &dyn std::error::Error,
                "tell"
            );
        });
        assert_eq!(
            told,
            [json!({
                "level": "WARN", "message": "tell", "text": "a\nb\u{1f600}", "number": -1, "share": 0.5, "nothing": null,
                "yes": true, "error": "no \"luck\"", "target": module_path!(),
            })]
        );
    }

    #[test]
    fn the_span_in_hand_is_on_the_line_with_what_was_added_later() {
        let told = lines(|| {
            let span = tracing::info_span!(
                "request",
                otel.kind = "server",
                id = "x",
                user = tracing::field::Empty
            );
            span.record("user", "y\"");
            span.in_scope(|| tracing::info!("inside"));
            tracing::info!("outside");
        });
        assert_eq!(
            told[0]["span"],
            json!({"name": "request", "id": "x", "user": "y\""})
        );
        assert_eq!(told[1].get("span"), None);
    }
}
