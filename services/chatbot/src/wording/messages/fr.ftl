### Ce que le chatbot dit en français.

## Talk

greeting = Bonjour ! Je tiens vos tâches. Par exemple : "rappelle-moi d'appeler Ada demain à 15h" ou "qu'est-ce qu'il y a sur ma liste ?".
help = Je peux ajouter des tâches ("rappelle-moi d'appeler Ada demain à 15h"), les montrer ("montre-moi mes tâches", "montre-moi mes tâches en retard"), les terminer, les rouvrir, les renommer, les déplacer et les supprimer ("marque appeler Ada comme faite", "renomme appeler Ada en appeler Grace", "déplace appeler Ada à vendredi", "supprime appeler Ada"). Les prospects, les affaires, les chiffres et les agents, je les comprends en anglais. Avant de supprimer, je demande, et "annuler" revient sur ce que j'ai fait en dernier.
unknown = Je n'ai pas compris. Dites "aide" pour voir ce que je sais faire.
yes = Oui
no = Non
undo = Annuler
suggestions =
    Montre-moi mes tâches
    Montre-moi mes tâches en retard
    Rappelle-moi d'appeler Ada demain à 15h

## Questions back

no-title = Que doit dire la tâche ? Par exemple : "rappelle-moi d'appeler Ada demain à 15h".
no-change = Que dois-je changer ? Par exemple : "déplace appeler Ada à vendredi à 15h" ou "renomme appeler Ada en appeler Grace".
no-target = Quelle tâche voulez-vous dire ?
no-match = Je n'ai trouvé aucune tâche { $status ->
        [completed] terminée
       *[open] ouverte
    } comme "{ $target }". Dites "montre-moi mes tâches" pour les voir toutes.
which-todo = Laquelle voulez-vous dire ?
too-many = Cela fait plus de { $most } tâches : trop à la fois. Veuillez dire lesquelles.
nobody-called = Je ne connais ici personne du nom de "{ $name }".
whom = Qui est-ce : { $names } ?
or = ou

## Yes and no

question = { $summary } ? Répondez "oui" ou "non".
changed-meanwhile = Cela a été modifié entre-temps, je n'ai donc encore rien fait. { $question }
one-question = Pour le reste, redemandez ensuite, s'il vous plaît : je pose une question à la fois.
nothing-to-confirm = Rien n'attend votre réponse.
confirmation-expired = Cette question a expiré, rien n'a donc été modifié. Veuillez redemander.
rejected = D'accord, je n'ai rien modifié.
nothing-to-undo = Il n'y a rien sur quoi je puisse revenir.
nothing-to-do = Il n'y avait rien à faire.
undone = Annulé : { $titles }{ $others ->
        [0] {""}
       *[other] {" "}et le reste
    } est comme avant.

## What is asked about: with a question mark after it

ask-todo-create = Ajouter la tâche { $todo }
ask-todo-complete = Marquer { $todos } comme fait
ask-todo-reopen = Rouvrir { $todos }
ask-todo-update = Modifier { $todos } : { $changes }
ask-todo-delete = Supprimer { $todos }
ask-lead-create = Ajouter le prospect "{ $title }"
ask-lead-update = Modifier le prospect "{ $title }" : { $changes }
ask-deal-move = Déplacer l'affaire "{ $title }" vers { $stage }
ask-agent-run = Lancer l'agent { $agent }

## What was done

done-todo-create = Ajouté : { $todo }.
done-todo-complete = Marqué comme fait : { $todos }.
done-todo-reopen = Rouvert : { $todos }.
done-todo-update = Modifié : { $todos } : { $changes }.
done-todo-renamed = "{ $title }" s'appelle maintenant "{ $new }".
done-todo-moved = "{ $title }" déplacé : { $due }.
done-todo-changed = "{ $title }" modifié : { $changes }.
done-todo-delete = Supprimé : { $todos }.
done-lead-create = Ajouté : le prospect "{ $title }".
done-lead-update = Modifié : le prospect "{ $title }" : { $changes }.
done-deal-move = Déplacé : l'affaire "{ $title }" vers { $stage }.
done-agent-run = Agent { $agent } lancé.
done-partly = { $done } Le reste, non : { $why }

## To-dos and what changes about them

one-todo = la tâche "{ $title }"
many-todos = { $count ->
        [one] 1 tâche
       *[other] { $count } tâches
    } ({ $titles })
change-title = titre "{ $title }"
change-due = pour { $due }
change-recurrence = chaque fois selon { $rule }
change-priority = priorité { $priority ->
        [low] basse
        [normal] normale
        [high] haute
       *[urgent] urgente
    }
change-assignee = pour { $name }
you = vous

## Lists

todos-none = Vous n'avez aucune tâche{ $status ->
        [open] {" "}ouverte
        [completed] {" "}terminée
        [overdue] {" "}en retard
       *[all] {""}
    }{ $conditions }.
todos-some = Vous avez { $count } { $count ->
        [one] tâche{ $status ->
            [open] {" "}ouverte
            [completed] {" "}terminée
            [overdue] {" "}en retard
           *[all] {""}
        }
       *[other] tâches{ $status ->
            [open] {" "}ouvertes
            [completed] {" "}terminées
            [overdue] {" "}en retard
           *[all] {""}
        }
    }{ $conditions } :
due-on = pour { $day }
due-between = du { $from } au { $to }
with-priority = de priorité { $priority ->
        [low] basse
        [normal] normale
        [high] haute
       *[urgent] urgente
    }
with-text = avec "{ $text }"
for-you = pour vous
for-nobody = pour personne
for-person = pour { $name }
line-due = (pour { $due })
line-done = (fait)
more = ... et { $count } de plus

## Days

moment = { $day }, { $time }
day-yesterday = hier, { date }
day-today = aujourd'hui, { date }
day-tomorrow = demain, { date }
date = { weekday } { $day } { month } { $year }
weekday = { $weekday ->
        [1] lun.
        [2] mar.
        [3] mer.
        [4] jeu.
        [5] ven.
        [6] sam.
       *[7] dim.
    }
month = { $month ->
        [1] janvier
        [2] février
        [3] mars
        [4] avril
        [5] mai
        [6] juin
        [7] juillet
        [8] août
        [9] septembre
        [10] octobre
        [11] novembre
       *[12] décembre
    }

## What could not be done

failed-unknown = { $part ->
        [crm] Le CRM
        [analytics] L'analyse
        [agents] Le service des agents
       *[identity] La liste des personnes
    } n'a pas répondu, je ne sais donc pas si quelque chose a été modifié. Veuillez vérifier avant de réessayer.
failed-unreachable = Je ne peux pas joindre { $part ->
        [crm] le CRM
        [analytics] l'analyse
        [agents] le service des agents
       *[identity] la liste des personnes
    } pour le moment, rien n'a donc été modifié. Veuillez réessayer dans un instant.
failed-forbidden = Vous n'avez pas le droit de faire cela dans { $part ->
        [crm] le CRM
        [analytics] l'analyse
        [agents] le service des agents
       *[identity] la liste des personnes
    }. Rien n'a été modifié.
failed-gone = Cette fiche n'existe plus. Rien n'a été modifié.
failed-changed = Cette fiche a été modifiée entre-temps, je l'ai donc laissée telle quelle. Veuillez redemander.
failed-no-agent = Aucun agent n'a été lancé : { $detail }.
failed-refused = { $part ->
        [crm] Le CRM
        [analytics] L'analyse
        [agents] Le service des agents
       *[identity] La liste des personnes
    } ne l'a pas accepté : { $detail }

## Dry runs

would-nothing = Je ne ferais rien.
would-ask = Je demanderais ce qui est voulu exactement.
would-answer = J'y répondrais sans rien modifier.
would-create = Je ferais ceci : ajouter la tâche "{ $title }".
would-create-due = Je ferais ceci : ajouter la tâche "{ $title }", pour { $due }.
would-confirm = Je demanderais avant de le faire.
would-confirm-title = Je demanderais avant de modifier "{ $title }".
would-act = Je le ferais.
would-act-title = Je modifierais "{ $title }".

## Documents

passage = Extrait de "{ $title }" : "{ $text }"
