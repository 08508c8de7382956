//! To-do commands in Spanish, German and French.

use chatbot::understand::{Intent, Language, Situation, Understood, understand};
use chrono_tz::Europe::Berlin;
use chrono_tz::Tz;
use serde_json::Value;

use crate::shared::{csv_rows, dev_file, percent};

fn read(message: &str) -> Understood {
    understand(
        message,
        &Situation::at("2026-03-02T08:00:00Z".parse().unwrap(), Berlin),
    )
}

fn plain(text: &str) -> String {
    let kept: String = text
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || c.is_whitespace())
        .collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn commands_are_understood_with_titles_and_dates() {
    use Intent::{
        TodoBulkDelete, TodoComplete, TodoCreate, TodoDelete, TodoList, TodoReopen, TodoUpdate,
    };
    for (message, language, intent, name, due) in [
        (
            "recu\u{e9}rdame llamar a Ada ma\u{f1}ana a las 3 de la tarde",
            Language::Es,
            TodoCreate,
            "llamar a Ada",
            "2026-03-03T14:00:00Z",
        ),
        (
            "recu\u{e9}rdame ma\u{f1}ana a las 10 llamar a Pedro",
            Language::Es,
            TodoCreate,
            "llamar a Pedro",
            "2026-03-03T09:00:00Z",
        ),
        (
            "agrega comprar leche a mi lista",
            Language::Es,
            TodoCreate,
            "comprar leche",
            "",
        ),
        (
            "\u{bf}qu\u{e9} tengo que hacer hoy?",
            Language::Es,
            TodoList,
            "",
            "2026-03-02",
        ),
        (
            "marca llamar a Ada como hecha",
            Language::Es,
            TodoComplete,
            "llamar a Ada",
            "",
        ),
        (
            "reabre comprar leche",
            Language::Es,
            TodoReopen,
            "comprar leche",
            "",
        ),
        (
            "mueve el informe al viernes",
            Language::Es,
            TodoUpdate,
            "informe",
            "2026-03-06",
        ),
        (
            "borra la tarea comprar leche",
            Language::Es,
            TodoDelete,
            "comprar leche",
            "",
        ),
        (
            "borra todas mis tareas",
            Language::Es,
            TodoBulkDelete,
            "",
            "",
        ),
        (
            "erinnere mich morgen um 15 Uhr daran, Ada anzurufen",
            Language::De,
            TodoCreate,
            "Ada anzurufen",
            "2026-03-03T14:00:00Z",
        ),
        (
            "setze Milch kaufen auf meine Liste",
            Language::De,
            TodoCreate,
            "Milch kaufen",
            "",
        ),
        (
            "was steht auf meiner Liste?",
            Language::De,
            TodoList,
            "",
            "",
        ),
        (
            "markiere Milch kaufen als erledigt",
            Language::De,
            TodoComplete,
            "Milch kaufen",
            "",
        ),
        (
            "verschiebe den Bericht auf Freitag",
            Language::De,
            TodoUpdate,
            "Bericht",
            "2026-03-06",
        ),
        (
            "l\u{f6}sche die Aufgabe Milch kaufen",
            Language::De,
            TodoDelete,
            "Milch kaufen",
            "",
        ),
        (
            "l\u{f6}sche alle Aufgaben",
            Language::De,
            TodoBulkDelete,
            "",
            "",
        ),
        (
            "rappelle-moi d'appeler Ada demain \u{e0} 15h30",
            Language::Fr,
            TodoCreate,
            "appeler Ada",
            "2026-03-03T14:30:00Z",
        ),
        (
            "ajoute acheter du lait \u{e0} ma liste",
            Language::Fr,
            TodoCreate,
            "acheter du lait",
            "",
        ),
        ("montre-moi mes t\u{e2}ches", Language::Fr, TodoList, "", ""),
        (
            "marque acheter du lait comme faite",
            Language::Fr,
            TodoComplete,
            "acheter du lait",
            "",
        ),
        (
            "d\u{e9}place le rapport \u{e0} vendredi",
            Language::Fr,
            TodoUpdate,
            "rapport",
            "2026-03-06",
        ),
        (
            "supprime la t\u{e2}che acheter du lait",
            Language::Fr,
            TodoDelete,
            "acheter du lait",
            "",
        ),
        (
            "supprime toutes mes t\u{e2}ches",
            Language::Fr,
            TodoBulkDelete,
            "",
            "",
        ),
    ] {
        let understood = read(message);
        assert_eq!(
            (understood.language, understood.intent),
            (language, intent),
            "{message}"
        );
        let slots = understood.slots;
        let named = slots.title.or(slots.mention).unwrap_or_default();
        assert_eq!(named, name, "{message}");
        let at = slots
            .due_at
            .map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        let got = at.or_else(|| slots.due_date.map(|date| date.to_string()));
        assert_eq!(got.unwrap_or_default(), due, "{message}");
    }
}

#[test]
fn answers_are_answers_in_each_language() {
    for (message, intent) in [
        ("s\u{ed}, por favor", Intent::ConfirmYes),
        ("no gracias", Intent::ConfirmNo),
        ("ja bitte", Intent::ConfirmYes),
        ("nein", Intent::ConfirmNo),
        ("vielleicht", Intent::ConfirmUnsure),
        ("oui", Intent::ConfirmYes),
        ("non merci", Intent::ConfirmNo),
        ("je ne sais pas", Intent::ConfirmUnsure),
        ("\u{bf}qu\u{e9} tiempo hace?", Intent::None),
        ("wie ist das Wetter heute?", Intent::None),
        ("quel temps fait-il demain ?", Intent::None),
    ] {
        assert_eq!(read(message).intent, intent, "{message}");
    }
}

#[test]
fn items_are_added_and_completed_in_each_language() {
    let Some(text) = dev_file("todo_add_complete_multilang.json") else {
        return;
    };
    let rows: Value = serde_json::from_str(&text).unwrap();
    for (code, floor) in [("es", 90.0), ("de", 90.0), ("fr", 90.0)] {
        let (mut right, mut all) = (0, 0);
        for row in rows
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["lang"] == code)
        {
            all += 1;
            let sentence = row["text"].as_str().unwrap();
            let understood = read(sentence);
            let fits = match row["action"].as_str().unwrap() {
                "create" => understood.intent == Intent::TodoCreate,
                _ => matches!(understood.intent, Intent::TodoComplete | Intent::TodoDelete),
            };
            let item = understood
                .slots
                .title
                .or(understood.slots.mention)
                .unwrap_or_default();
            if fits && plain(&item) == plain(row["slots"]["item"].as_str().unwrap()) {
                right += 1;
            } else {
                println!(
                    "item\t{code}\t{sentence}\t{item}\t{:?}\t{:?}",
                    understood.intent, understood.language
                );
            }
        }
        println!(
            "score\titems\t{code}\t{right}/{all} ({:.1} %)",
            percent(right, all)
        );
        assert!(percent(right, all) >= floor, "{code}");
    }
}

#[test]
fn spanish_commands_are_told_from_everything_else() {
    let Some(text) = dev_file("intents_es.csv") else {
        return;
    };
    let (mut right, mut all, mut acted, mut foreign) = (0, 0, 0, 0);
    for row in csv_rows(&text) {
        let action = row[4].as_str();
        let situation = Situation::at("2026-03-02T08:00:00Z".parse().unwrap(), Tz::UTC);
        let intent = understand(&row[5], &situation).intent;
        let expected = match action {
            "create" | "create_dated" => "create",
            "list" | "list_dated" => "list",
            "delete" | "delete_dated" => "delete",
            "update_dated" => "update",
            _ => "none",
        };
        let got = match intent {
            Intent::TodoCreate => "create",
            Intent::TodoList => "list",
            Intent::TodoDelete | Intent::TodoBulkDelete => "delete",
            Intent::TodoUpdate | Intent::TodoComplete | Intent::TodoReopen => "update",
            _ => "none",
        };
        all += 1;
        if got == expected {
            right += 1;
        } else {
            println!("es\t{action}\t{got}\t{}", row[5]);
        }
        if action == "out_of_domain" {
            foreign += 1;
            acted += usize::from(got != "none");
        }
    }
    println!(
        "score\tes\t{right}/{all} ({:.1} %), wrongly acted on {acted}/{foreign} ({:.1} %)",
        percent(right, all),
        percent(acted, foreign)
    );
    assert!(percent(right, all) >= 85.0);
    assert!(percent(acted, foreign) <= 3.0);
}
