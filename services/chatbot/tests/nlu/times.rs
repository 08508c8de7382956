//! Times of the day without a word that only times have, said on Monday 2026-03-02 at 09:00 in Berlin.

use chatbot::understand::{Situation, understand};
use chrono_tz::Europe::Berlin;

/// What is to be done, and when, in Berlin.
fn read(message: &str) -> (String, String) {
    let situation = Situation::at("2026-03-02T08:00:00Z".parse().unwrap(), Berlin);
    let slots = understand(message, &situation).slots;
    let at = slots.due_at.map(|at| at.with_timezone(&Berlin));
    let due = at.map(|at| at.format("%d %H:%M").to_string());
    let due = due.or_else(|| slots.due_date.map(|day| day.format("%d").to_string()));
    (slots.title.unwrap_or_default(), due.unwrap_or_default())
}

fn all(rows: &[(&str, &str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(message, title, due)| {
            let (said, at) = read(message);
            let right = (said.as_str(), at.as_str()) == (*title, *due);
            (!right).then(|| format!("{message}: {said:?} {at:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn german_times() {
    all(&[
        (
            "erinnere mich um 10 Pedro anzurufen",
            "Pedro anzurufen",
            "02 10:00",
        ),
        (
            "erinnere mich morgen um 10 Pedro anzurufen",
            "Pedro anzurufen",
            "03 10:00",
        ),
        (
            "erinnere mich daran, um 10 Pedro anzurufen",
            "Pedro anzurufen",
            "02 10:00",
        ),
        (
            "erinnere mich bitte um zehn Pedro anzurufen",
            "Pedro anzurufen",
            "02 10:00",
        ),
        (
            "erinnere mich daran, Pedro morgen um 10 anzurufen",
            "Pedro anzurufen",
            "03 10:00",
        ),
        (
            "erinnere mich am Freitag um 9 an den Zahnarzt",
            "Zahnarzt",
            "06 09:00",
        ),
        (
            "erinnere mich morgen um halb zehn Pedro anzurufen",
            "Pedro anzurufen",
            "03 09:30",
        ),
        (
            "erinnere mich morgen um Viertel nach 10 Pedro anzurufen",
            "Pedro anzurufen",
            "03 10:15",
        ),
        (
            "erinnere mich morgen um Viertel vor 10 Pedro anzurufen",
            "Pedro anzurufen",
            "03 09:45",
        ),
        (
            "erinnere mich morgen um 10.30 Uhr Pedro anzurufen",
            "Pedro anzurufen",
            "03 10:30",
        ),
        (
            "erinnere mich morgen um 10:30 Uhr Pedro anzurufen",
            "Pedro anzurufen",
            "03 10:30",
        ),
        (
            "erinnere mich morgen um 03:15 Uhr an den Flug",
            "Flug",
            "03 03:15",
        ),
        (
            "erinnere mich morgen um 10 Uhr 30 an die Post",
            "Post",
            "03 10:30",
        ),
        (
            "erinnere mich morgen um 10:30 Pedro anzurufen",
            "Pedro anzurufen",
            "03 10:30",
        ),
        (
            "erinnere mich morgen um 10 Uhr Pedro anzurufen",
            "Pedro anzurufen",
            "03 10:00",
        ),
        // Counts are no times.
        (
            "erinnere mich morgen daran, den Preis um 10 Euro zu senken",
            "Preis um 10 Euro zu senken",
            "03",
        ),
        (
            "erinnere mich morgen daran, Zeit zu finden um 10 Kunden anzurufen",
            "Zeit zu finden um 10 Kunden anzurufen",
            "03",
        ),
        (
            "erinnere mich morgen um 10 Prozent mehr zu bitten",
            "um 10 Prozent mehr zu bitten",
            "03",
        ),
    ]);
}

#[test]
fn spanish_times() {
    all(&[
        (
            "recuérdame a las 10 llamar a Pedro",
            "llamar a Pedro",
            "02 10:00",
        ),
        (
            "recuérdame mañana a las 10 llamarlo",
            "llamarlo",
            "03 10:00",
        ),
        (
            "recuérdame mañana a las 10 reunión con Pedro",
            "reunión con Pedro",
            "03 10:00",
        ),
        (
            "recuérdame mañana a las diez que llame a Pedro",
            "llame a Pedro",
            "03 10:00",
        ),
        (
            "recuérdame mañana a las 10 y media llamar a Pedro",
            "llamar a Pedro",
            "03 10:30",
        ),
        (
            "recuérdame mañana a las 10 y cuarto llamar a Pedro",
            "llamar a Pedro",
            "03 10:15",
        ),
        (
            "recuérdame mañana a las 10 menos cuarto llamar a Pedro",
            "llamar a Pedro",
            "03 09:45",
        ),
        (
            "recuérdame mañana a las 10 horas llamar a Pedro",
            "llamar a Pedro",
            "03 10:00",
        ),
        (
            "recuérdame mañana a la una llamar a Pedro",
            "llamar a Pedro",
            "03 13:00",
        ),
        (
            "recuérdame llamar a Pedro mañana a las 10",
            "llamar a Pedro",
            "03 10:00",
        ),
        (
            "recuérdame mañana escribir a las 10 personas",
            "escribir a las 10 personas",
            "03",
        ),
    ]);
}

#[test]
fn french_times() {
    all(&[
        (
            "rappelle-moi à 10 d'appeler Pedro",
            "appeler Pedro",
            "02 10:00",
        ),
        (
            "rappelle-moi demain à 10 h d'appeler Pedro",
            "appeler Pedro",
            "03 10:00",
        ),
        (
            "rappelle-moi demain à 10h30 d'appeler Pedro",
            "appeler Pedro",
            "03 10:30",
        ),
        (
            "rappelle-moi demain à 10 heures d'appeler Pedro",
            "appeler Pedro",
            "03 10:00",
        ),
        (
            "rappelle-moi demain à dix heures et demie d'appeler Pedro",
            "appeler Pedro",
            "03 10:30",
        ),
        (
            "rappelle-moi demain à 10 heures moins le quart d'appeler Pedro",
            "appeler Pedro",
            "03 09:45",
        ),
        (
            "rappelle-moi demain d'écrire à 10 clients",
            "écrire à 10 clients",
            "03",
        ),
    ]);
}

#[test]
fn english_times() {
    all(&[
        ("remind me at 10 to call Pedro", "call Pedro", "02 10:00"),
        ("remind me at 10 call Pedro", "call Pedro", "02 10:00"),
        (
            "remind me tomorrow at 10 call Pedro",
            "call Pedro",
            "03 10:00",
        ),
        (
            "remind me tomorrow at ten that Pedro calls",
            "Pedro calls",
            "03 10:00",
        ),
        (
            "remind me to call Pedro tomorrow at 10 after lunch",
            "call Pedro after lunch",
            "03 10:00",
        ),
        (
            "remind me tomorrow to call my mom at 10 because she is alone",
            "call my mom because she is alone",
            "03 10:00",
        ),
        (
            "remind me tomorrow to have lunch at 5 guys",
            "have lunch at 5 guys",
            "03",
        ),
        (
            "remind me to reserve for 3 people tomorrow",
            "reserve for 3 people",
            "03",
        ),
    ]);
}
