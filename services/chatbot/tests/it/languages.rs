//! Everything about to-dos in Spanish, German and French: answers, questions, confirmations, undo and failures.

use bz_testkit::Fault;
use serde_json::{Value, json};

use crate::support::World;

#[tokio::test]
async fn a_german_conversation_is_german() {
    let world = World::start().await;
    let mut talk = world.talk();
    for (said, reply) in [
        (
            "erinnere mich morgen um 15 Uhr daran, Ada anzurufen",
            "Hinzugefügt: \"Ada anzurufen\", fällig morgen, Di 3. März 2026, 15:00.",
        ),
        (
            "setze Milch kaufen auf meine Liste",
            "Hinzugefügt: \"Milch kaufen\".",
        ),
        (
            "was steht auf meiner Liste?",
            "Sie haben 2 offene Aufgaben:\n1. Ada anzurufen (fällig morgen, Di 3. März 2026, 15:00)\n2. Milch kaufen",
        ),
        (
            "verschiebe Milch kaufen auf Freitag",
            "\"Milch kaufen\" verschoben auf: Fr 6. März 2026.",
        ),
        (
            "markiere Milch kaufen als erledigt",
            "Aufgabe \"Milch kaufen\" als erledigt markiert.",
        ),
        (
            "rückgängig",
            "Zurückgenommen: \"Milch kaufen\" ist wieder wie vorher.",
        ),
        (
            "lösche die Aufgabe Milch kaufen",
            "Aufgabe \"Milch kaufen\" löschen? Antworten Sie mit \"ja\" oder \"nein\".",
        ),
        (
            "vielleicht",
            "Aufgabe \"Milch kaufen\" löschen? Antworten Sie mit \"ja\" oder \"nein\".",
        ),
        ("nein", "In Ordnung, ich habe nichts geändert."),
        (
            "lösche alle Aufgaben",
            "2 Aufgaben (\"Ada anzurufen\", \"Milch kaufen\") löschen? Antworten Sie mit \"ja\" oder \"nein\".",
        ),
        (
            "ja",
            "2 Aufgaben (\"Ada anzurufen\", \"Milch kaufen\") gelöscht.",
        ),
        (
            "was steht auf meiner Liste?",
            "Sie haben keine offenen Aufgaben.",
        ),
        ("ja", "Es wartet nichts auf Ihre Antwort."),
        (
            "wie ist das Wetter heute?",
            "Das habe ich nicht verstanden. Mit \"Hilfe\" sehen Sie, was ich kann.",
        ),
    ] {
        assert_eq!(talk.say(said).await, reply, "{said}");
    }
    assert!(
        talk.say("Hilfe")
            .await
            .starts_with("Ich kann Aufgaben hinzufügen")
    );
}

#[tokio::test]
async fn a_spanish_conversation_is_spanish() {
    let world = World::start().await;
    let mut talk = world.talk();
    for (said, reply) in [
        (
            "recuérdame llamar a Ada mañana a las 3 de la tarde",
            "Añadida: \"llamar a Ada\", para mañana, mar 3 de marzo de 2026, 15:00.",
        ),
        (
            "¿qué tengo que hacer mañana?",
            "Tiene 1 tarea abierta para mañana, mar 3 de marzo de 2026:\n\
             1. llamar a Ada (para mañana, mar 3 de marzo de 2026, 15:00)",
        ),
        (
            "marca llamar a Ada como hecha",
            "Marcado como hecho: la tarea \"llamar a Ada\".",
        ),
        (
            "reabre llamar a Ada",
            "Reabierto: la tarea \"llamar a Ada\".",
        ),
        (
            "borra la tarea llamar a Ada",
            "¿Borrar la tarea \"llamar a Ada\"? Responda \"sí\" o \"no\".",
        ),
        ("sí, por favor", "Borrado: la tarea \"llamar a Ada\"."),
        ("deshacer", "Deshecho: \"llamar a Ada\" está como antes."),
        (
            "borra la tarea llamar a Ada",
            "¿Borrar la tarea \"llamar a Ada\"? Responda \"sí\" o \"no\".",
        ),
        ("no", "De acuerdo, no he cambiado nada."),
        (
            "borra la tarea comprar leche",
            "No he encontrado ninguna tarea abierta como \"comprar leche\". Diga \"¿qué hay en mi lista?\" para verlas todas.",
        ),
    ] {
        assert_eq!(talk.say(said).await, reply, "{said}");
    }
}

#[tokio::test]
async fn a_french_conversation_is_french() {
    let world = World::start().await;
    let mut talk = world.talk();
    for (said, reply) in [
        (
            "rappelle-moi d'appeler Ada demain à 15h30",
            "Ajouté : \"appeler Ada\", pour demain, mar. 3 mars 2026, 15:30.",
        ),
        (
            "ajoute acheter du lait à ma liste",
            "Ajouté : \"acheter du lait\".",
        ),
        (
            "montre-moi mes tâches",
            "Vous avez 2 tâches ouvertes :\n1. appeler Ada (pour demain, mar. 3 mars 2026, 15:30)\n2. acheter du lait",
        ),
        (
            "supprime la tâche acheter du lait",
            "Supprimer la tâche \"acheter du lait\" ? Répondez \"oui\" ou \"non\".",
        ),
        ("oui", "Supprimé : la tâche \"acheter du lait\"."),
        ("annuler", "Annulé : \"acheter du lait\" est comme avant."),
    ] {
        assert_eq!(talk.say(said).await, reply, "{said}");
    }
}

#[tokio::test]
async fn two_that_are_close_are_asked_about_in_the_users_language() {
    let world = World::start().await;
    world.todos(&["Bericht Steuern", "Bericht Verkauf"]).await;
    let answer = world.talk().ask("lösche die Aufgabe Bericht").await;
    let reply = answer["reply"].as_str().unwrap();
    assert!(
        reply.starts_with("Welche meinen Sie?\n- Bericht"),
        "{reply}"
    );
    assert_eq!(answer["would"], "ask");
}

#[tokio::test]
async fn what_cannot_be_done_is_said_in_the_users_language() {
    let world = World::start().await;
    world.between.set(Fault::Refuse).await;
    for (said, reply) in [
        (
            "setze Milch kaufen auf meine Liste",
            "Ich erreiche das CRM gerade nicht, es wurde also nichts geändert. Bitte versuchen Sie es gleich noch einmal.",
        ),
        (
            "agrega comprar leche a mi lista",
            "Ahora no puedo acceder al CRM, así que no se ha cambiado nada. Inténtelo de nuevo en un momento.",
        ),
        (
            "ajoute acheter du lait à ma liste",
            "Je ne peux pas joindre le CRM pour le moment, rien n'a donc été modifié. Veuillez réessayer dans un instant.",
        ),
    ] {
        let answer = world.talk().ask(said).await;
        assert_eq!(answer["reply"], reply);
        assert_eq!(answer["degraded"], json!(["crm"]));
    }
}

#[tokio::test]
async fn a_decision_by_id_and_what_can_be_said_next_are_in_the_talks_language() {
    let world = World::start().await;
    world.todos(&["Milch kaufen"]).await;
    let mut talk = world.talk();
    let asked = talk.ask("lösche die Aufgabe Milch kaufen").await;
    assert_eq!(
        asked["confirmation"]["summary"],
        "Aufgabe \"Milch kaufen\" löschen"
    );
    let conversation = talk.conversation.clone().unwrap();
    let path = format!("/api/chat/suggestions?conversation_id={conversation}");
    let next = async || {
        let answer = world.chat.acme.owner.get(&path).await;
        answer.assert_status(200).json()["items"].clone()
    };
    let first = |items: Value, count: usize| -> Vec<Value> {
        items
            .as_array()
            .unwrap()
            .iter()
            .take(count)
            .cloned()
            .collect()
    };
    assert_eq!(first(next().await, 2), ["Ja", "Nein"]);
    let id = &asked["confirmation"]["action_id"];
    let done = world.decide(id, "confirm").await.assert_status(200).json();
    assert_eq!(done["reply"], "Aufgabe \"Milch kaufen\" gelöscht.");
    assert_eq!(
        first(next().await, 2),
        ["Rückgängig", "Was steht auf meiner Liste?"]
    );
    let shown = world
        .chat
        .acme
        .owner
        .get(&format!("/api/conversations/{conversation}"));
    assert_eq!(shown.await.json()["language"], "de");
}

#[tokio::test]
async fn the_language_that_a_client_names_is_answered_in_and_an_ok_keeps_the_talks() {
    let world = World::start().await;
    world.todos(&["Milch"]).await;
    let mut talk = world.talk();
    let body = json!({ "message": "lösche Milch", "locale": "de-AT" });
    let asked = talk.send(body).await.assert_status(200).json();
    talk.conversation = asked["conversation_id"].as_str().map(str::to_owned);
    assert_eq!(
        asked["reply"],
        "Aufgabe \"Milch\" löschen? Antworten Sie mit \"ja\" oder \"nein\"."
    );
    assert_eq!(talk.say("ok").await, "Aufgabe \"Milch\" gelöscht.");
    assert!(
        talk.say("what's on my list?")
            .await
            .starts_with("You have no open to-dos")
    );
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_do_in_the_users_language() {
    let world = World::start().await;
    let body = json!({ "message": "erinnere mich morgen daran, Ada anzurufen", "dry_run": true });
    let answer = world.talk().send(body).await.assert_status(200).json();
    assert_eq!(
        answer["reply"],
        "Ich würde dies tun: Aufgabe \"Ada anzurufen\" hinzufügen, fällig morgen, Di 3. März 2026."
    );
    let turns = json!({ "turns": [{ "role": "assistant", "text": "¿Borrar la tarea \"leche\"? Responda \"sí\" o \"no\"." }] });
    let body = json!({ "message": "no", "dry_run": true, "context": turns });
    let answer = world.talk().send(body).await.assert_status(200).json();
    assert_eq!(answer["understood"]["intent"], "confirm.no");
    assert_eq!(answer["reply"], "No haría nada.");
}
