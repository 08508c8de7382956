### Was der Chatbot auf Deutsch sagt.

## Talk

greeting = Hallo! Ich führe Ihre Aufgaben. Zum Beispiel: "Erinnere mich morgen um 15 Uhr daran, Ada anzurufen" oder "Was steht auf meiner Liste?".
help = Ich kann Aufgaben hinzufügen ("Erinnere mich morgen um 15 Uhr daran, Ada anzurufen"), zeigen ("Was steht auf meiner Liste?", "Was ist überfällig?"), erledigen, wieder öffnen, umbenennen, verschieben und löschen ("Markiere Ada anrufen als erledigt", "Benenne Ada anrufen in Grace anrufen um", "Verschiebe Ada anrufen auf Freitag", "Lösche Ada anrufen"). Leads, Deals, Zahlen und Agenten verstehe ich auf Englisch. Bevor ich etwas lösche, frage ich, und "rückgängig" nimmt zurück, was ich zuletzt getan habe.
unknown = Das habe ich nicht verstanden. Mit "Hilfe" sehen Sie, was ich kann.
yes = Ja
no = Nein
undo = Rückgängig
suggestions =
    Was steht auf meiner Liste?
    Was ist überfällig?
    Erinnere mich morgen um 15 Uhr daran, Ada anzurufen

## Questions back

no-title = Was soll die Aufgabe sein? Zum Beispiel: "Erinnere mich morgen um 15 Uhr daran, Ada anzurufen".
no-change = Was soll ich ändern? Zum Beispiel: "Verschiebe Ada anrufen auf Freitag um 15 Uhr" oder "Benenne Ada anrufen in Grace anrufen um".
no-target = Welche Aufgabe meinen Sie?
no-match = Ich habe keine { $status ->
        [completed] erledigte
       *[open] offene
    } Aufgabe wie "{ $target }" gefunden. Mit "Was steht auf meiner Liste?" sehen Sie alle.
which-todo = Welche meinen Sie?
too-many = Das sind mehr als { $most } Aufgaben: zu viele auf einmal. Bitte sagen Sie, welche.
nobody-called = Ich kenne hier niemanden namens "{ $name }".
whom = Wen meinen Sie: { $names }?
or = oder

## Yes and no

question = { $summary }? Antworten Sie mit "ja" oder "nein".
changed-meanwhile = Das wurde inzwischen geändert, deshalb habe ich noch nichts getan. { $question }
one-question = Das Übrige sagen Sie bitte danach noch einmal: Ich stelle eine Frage nach der anderen.
nothing-to-confirm = Es wartet nichts auf Ihre Antwort.
confirmation-expired = Diese Frage ist abgelaufen, es wurde also nichts geändert. Bitte fragen Sie noch einmal.
rejected = In Ordnung, ich habe nichts geändert.
nothing-to-undo = Es gibt nichts, was ich zurücknehmen könnte.
nothing-to-do = Es gab nichts zu tun.
undone = Zurückgenommen: { $titles }{ $others ->
        [0] {""}
       *[other] {" "}und die übrigen
    } ist wieder wie vorher.

## What is asked about: with a question mark after it

ask-todo-create = Aufgabe hinzufügen: { $todo }
ask-todo-complete = { $todos } als erledigt markieren
ask-todo-reopen = { $todos } wieder öffnen
ask-todo-update = { $todos } ändern: { $changes }
ask-todo-delete = { $todos } löschen
ask-lead-create = Lead "{ $title }" hinzufügen
ask-lead-update = Lead "{ $title }" ändern: { $changes }
ask-deal-move = Deal "{ $title }" nach { $stage } verschieben
ask-agent-run = Agent { $agent } starten

## What was done

done-todo-create = Hinzugefügt: { $todo }.
done-todo-complete = { $todos } als erledigt markiert.
done-todo-reopen = { $todos } wieder geöffnet.
done-todo-update = { $todos } geändert: { $changes }.
done-todo-renamed = "{ $title }" in "{ $new }" umbenannt.
done-todo-moved = "{ $title }" verschoben auf: { $due }.
done-todo-changed = "{ $title }" geändert: { $changes }.
done-todo-delete = { $todos } gelöscht.
done-lead-create = Lead "{ $title }" hinzugefügt.
done-lead-update = Lead "{ $title }" geändert: { $changes }.
done-deal-move = Deal "{ $title }" nach { $stage } verschoben.
done-agent-run = Agent { $agent } gestartet.
done-partly = { $done } Das Übrige nicht: { $why }

## To-dos and what changes about them

one-todo = Aufgabe "{ $title }"
many-todos = { $count ->
        [one] 1 Aufgabe
       *[other] { $count } Aufgaben
    } ({ $titles })
change-title = Titel "{ $title }"
change-due = fällig { $due }
change-recurrence = wiederkehrend nach { $rule }
change-priority = { $priority ->
        [low] niedrige
        [normal] normale
        [high] hohe
       *[urgent] höchste
    } Priorität
change-assignee = für { $name }
you = Sie

## Lists

todos-none = Sie haben keine { $status ->
        [open] offenen{" "}
        [completed] erledigten{" "}
        [overdue] überfälligen{" "}
       *[all] {""}
    }Aufgaben{ $conditions }.
todos-some = Sie haben { $count } { $status ->
        [open] offene{" "}
        [completed] erledigte{" "}
        [overdue] überfällige{" "}
       *[all] {""}
    }{ $count ->
        [one] Aufgabe
       *[other] Aufgaben
    }{ $conditions }:
due-on = für { $day }
due-between = fällig { $from } bis { $to }
with-priority = mit { $priority ->
        [low] niedriger
        [normal] normaler
        [high] hoher
       *[urgent] höchster
    } Priorität
with-text = mit "{ $text }"
for-you = für Sie
for-nobody = für niemanden
for-person = für { $name }
line-due = (fällig { $due })
line-done = (erledigt)
more = ... und { $count } weitere

## Days

moment = { $day }, { $time }
day-yesterday = gestern, { date }
day-today = heute, { date }
day-tomorrow = morgen, { date }
date = { weekday } { $day }. { month } { $year }
weekday = { $weekday ->
        [1] Mo
        [2] Di
        [3] Mi
        [4] Do
        [5] Fr
        [6] Sa
       *[7] So
    }
month = { $month ->
        [1] Januar
        [2] Februar
        [3] März
        [4] April
        [5] Mai
        [6] Juni
        [7] Juli
        [8] August
        [9] September
        [10] Oktober
        [11] November
       *[12] Dezember
    }

## What could not be done

failed-unknown = { $part ->
        [crm] Das CRM
        [analytics] Die Auswertung
        [agents] Der Agentendienst
       *[identity] Das Personenverzeichnis
    } hat nicht geantwortet, deshalb weiß ich nicht, ob etwas geändert wurde. Bitte sehen Sie nach, bevor Sie es noch einmal versuchen.
failed-unreachable = Ich erreiche { $part ->
        [crm] das CRM
        [analytics] die Auswertung
        [agents] den Agentendienst
       *[identity] das Personenverzeichnis
    } gerade nicht, es wurde also nichts geändert. Bitte versuchen Sie es gleich noch einmal.
failed-forbidden = Das dürfen Sie { $part ->
        [crm] im CRM
        [analytics] in der Auswertung
        [agents] im Agentendienst
       *[identity] im Personenverzeichnis
    } nicht. Es wurde nichts geändert.
failed-gone = Diesen Eintrag gibt es nicht mehr. Es wurde nichts geändert.
failed-changed = Dieser Eintrag wurde inzwischen geändert, deshalb habe ich ihn gelassen, wie er ist. Bitte fragen Sie noch einmal.
failed-no-agent = Es wurde kein Agent gestartet: { $detail }.
failed-refused = { $part ->
        [crm] Das CRM
        [analytics] Die Auswertung
        [agents] Der Agentendienst
       *[identity] Das Personenverzeichnis
    } hat das nicht angenommen: { $detail }

## Dry runs

would-nothing = Ich würde nichts tun.
would-ask = Ich würde fragen, was genau gemeint ist.
would-answer = Ich würde darauf antworten und nichts ändern.
would-create = Ich würde dies tun: Aufgabe "{ $title }" hinzufügen.
would-create-due = Ich würde dies tun: Aufgabe "{ $title }" hinzufügen, fällig { $due }.
would-confirm = Ich würde vorher fragen.
would-confirm-title = Ich würde fragen, bevor ich "{ $title }" ändere.
would-act = Ich würde das tun.
would-act-title = Ich würde "{ $title }" ändern.

## Documents

passage = Aus "{ $title }": "{ $text }"
