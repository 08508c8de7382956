### Lo que el chatbot dice en español.

## Talk

greeting = ¡Hola! Llevo sus tareas. Por ejemplo: "recuérdame llamar a Ada mañana a las 3 de la tarde" o "¿qué hay en mi lista?".
help = Puedo añadir tareas ("recuérdame llamar a Ada mañana a las 3 de la tarde"), mostrarlas ("¿qué hay en mi lista?", "muestra mis tareas atrasadas"), completarlas, reabrirlas, cambiarles el nombre, moverlas y borrarlas ("marca llamar a Ada como hecha", "renombra informe como balance", "mueve llamar a Ada al viernes", "borra llamar a Ada"). Los leads, las oportunidades, las cifras y los agentes los entiendo en inglés. Antes de borrar algo pregunto, y "deshacer" revierte lo último que hice.
unknown = No lo he entendido. Diga "ayuda" para ver lo que puedo hacer.
yes = Sí
no = No
undo = Deshacer
suggestions =
    ¿Qué hay en mi lista?
    Muestra mis tareas atrasadas
    Recuérdame llamar a Ada mañana a las 3 de la tarde

## Questions back

no-title = ¿Qué debe decir la tarea? Por ejemplo: "recuérdame llamar a Ada mañana a las 3 de la tarde".
no-change = ¿Qué debo cambiar? Por ejemplo: "mueve llamar a Ada al viernes a las 3" o "renombra informe como balance".
no-target = ¿Qué tarea quiere decir?
no-match = No he encontrado ninguna tarea { $status ->
        [completed] completada
       *[open] abierta
    } como "{ $target }". Diga "¿qué hay en mi lista?" para verlas todas.
which-todo = ¿Cuál quiere decir?
too-many = Son más de { $most } tareas: demasiadas a la vez. Por favor, diga cuáles.
nobody-called = Aquí no conozco a nadie llamado "{ $name }".
whom = ¿Quién es: { $names }?
or = o

## Yes and no

question = ¿{ $summary }? Responda "sí" o "no".
changed-meanwhile = Ha cambiado entretanto, así que todavía no he hecho nada. { $question }
one-question = Lo demás pídalo después, por favor: hago una sola pregunta a la vez.
nothing-to-confirm = No hay nada pendiente de su respuesta.
confirmation-expired = Esa pregunta ha caducado, así que no se ha cambiado nada. Pídalo otra vez, por favor.
rejected = De acuerdo, no he cambiado nada.
nothing-to-undo = No hay nada que pueda deshacer.
nothing-to-do = No había nada que hacer.
undone = Deshecho: { $titles }{ $others ->
        [0] {""}
       *[other] {" "}y lo demás
    } está como antes.

## What is asked about: with a question mark after it

ask-todo-create = Añadir la tarea { $todo }
ask-todo-complete = Marcar como hecho: { $todos }
ask-todo-reopen = Reabrir { $todos }
ask-todo-update = Cambiar { $todos }: { $changes }
ask-todo-delete = Borrar { $todos }
ask-lead-create = Añadir el lead "{ $title }"
ask-lead-update = Cambiar el lead "{ $title }": { $changes }
ask-deal-move = Mover la oportunidad "{ $title }" a { $stage }
ask-agent-run = Ejecutar el agente { $agent }

## What was done

done-todo-create = Añadida: { $todo }.
done-todo-complete = Marcado como hecho: { $todos }.
done-todo-reopen = Reabierto: { $todos }.
done-todo-update = Cambiado: { $todos }: { $changes }.
done-todo-renamed = "{ $title }" se llama ahora "{ $new }".
done-todo-moved = "{ $title }" se ha movido a: { $due }.
done-todo-changed = "{ $title }" ha cambiado: { $changes }.
done-todo-delete = Borrado: { $todos }.
done-lead-create = Añadido el lead "{ $title }".
done-lead-update = Cambiado el lead "{ $title }": { $changes }.
done-deal-move = Movida la oportunidad "{ $title }" a { $stage }.
done-agent-run = Iniciado el agente { $agent }.
done-partly = { $done } Lo demás no: { $why }

## To-dos and what changes about them

one-todo = la tarea "{ $title }"
many-todos = { $count ->
        [one] 1 tarea
       *[other] { $count } tareas
    } ({ $titles })
change-title = título "{ $title }"
change-due = para { $due }
change-recurrence = cada vez según { $rule }
change-priority = prioridad { $priority ->
        [low] baja
        [normal] normal
        [high] alta
       *[urgent] urgente
    }
change-assignee = para { $name }
you = usted

## Lists

todos-none = No tiene tareas{ $status ->
        [open] {" "}abiertas
        [completed] {" "}completadas
        [overdue] {" "}atrasadas
       *[all] {""}
    }{ $conditions }.
todos-some = Tiene { $count } { $count ->
        [one] tarea{ $status ->
            [open] {" "}abierta
            [completed] {" "}completada
            [overdue] {" "}atrasada
           *[all] {""}
        }
       *[other] tareas{ $status ->
            [open] {" "}abiertas
            [completed] {" "}completadas
            [overdue] {" "}atrasadas
           *[all] {""}
        }
    }{ $conditions }:
due-on = para { $day }
due-between = del { $from } al { $to }
with-priority = con prioridad { $priority ->
        [low] baja
        [normal] normal
        [high] alta
       *[urgent] urgente
    }
with-text = con "{ $text }"
for-you = para usted
for-nobody = para nadie
for-person = para { $name }
line-due = (para { $due })
line-done = (hecha)
more = ... y { $count } más

## Days

moment = { $day }, { $time }
day-yesterday = ayer, { date }
day-today = hoy, { date }
day-tomorrow = mañana, { date }
date = { weekday } { $day } de { month } de { $year }
weekday = { $weekday ->
        [1] lun
        [2] mar
        [3] mié
        [4] jue
        [5] vie
        [6] sáb
       *[7] dom
    }
month = { $month ->
        [1] enero
        [2] febrero
        [3] marzo
        [4] abril
        [5] mayo
        [6] junio
        [7] julio
        [8] agosto
        [9] septiembre
        [10] octubre
        [11] noviembre
       *[12] diciembre
    }

## What could not be done

failed-unknown = { $part ->
        [crm] El CRM
        [analytics] La analítica
        [agents] El servicio de agentes
       *[identity] La lista de personas
    } no ha respondido, así que no sé si algo ha cambiado. Por favor, mírelo antes de intentarlo otra vez.
failed-unreachable = Ahora no puedo acceder { $part ->
        [crm] al CRM
        [analytics] a la analítica
        [agents] al servicio de agentes
       *[identity] a la lista de personas
    }, así que no se ha cambiado nada. Inténtelo de nuevo en un momento.
failed-forbidden = No tiene permiso para hacer eso en { $part ->
        [crm] el CRM
        [analytics] la analítica
        [agents] el servicio de agentes
       *[identity] la lista de personas
    }. No se ha cambiado nada.
failed-gone = Ese registro ya no existe. No se ha cambiado nada.
failed-changed = Ese registro ha cambiado entretanto, así que lo he dejado como está. Pídalo otra vez, por favor.
failed-no-agent = No se ha iniciado ningún agente: { $detail }.
failed-refused = { $part ->
        [crm] El CRM
        [analytics] La analítica
        [agents] El servicio de agentes
       *[identity] La lista de personas
    } no lo ha aceptado: { $detail }

## Dry runs

would-nothing = No haría nada.
would-ask = Preguntaría qué se quiere decir exactamente.
would-answer = Respondería a eso y no cambiaría nada.
would-create = Haría esto: añadir la tarea "{ $title }".
would-create-due = Haría esto: añadir la tarea "{ $title }", para { $due }.
would-confirm = Preguntaría antes de hacerlo.
would-confirm-title = Preguntaría antes de cambiar "{ $title }".
would-act = Lo haría.
would-act-title = Cambiaría "{ $title }".

## Documents

passage = De "{ $title }": "{ $text }"
