### What the chatbot says, in English. Every language has the same messages with the same variables: a test compares them.
### A title is always in straight quotation marks, so that it can be said back as it stands.

## Talk

greeting = Hello! I keep your to-dos, leads and deals. Try "add a todo: call Ada tomorrow at 3pm", "what's on my list?" or "who should I call today?".
help = I can add a to-do ("remind me to call Ada tomorrow at 3pm"), list them ("what's on my list?", "what is overdue?"), complete, reopen, rename, move and delete them ("mark call Ada as done", "rename call Ada to call Grace", "move call Ada to Friday", "delete call Ada"); add, find, count and change leads ("how many leads do I have?", "who should I call today?"); find, sum and move deals ("what are my deals worth?"); tell numbers ("how many visitors last week?") and run agents. Before I delete anything I ask, and "undo" takes back what I did last.
unknown = I did not understand that. Say "help" to see what I can do.
yes = Yes
no = No
undo = Undo
suggestions =
    What's on my list?
    What is overdue?
    Add a todo: call Ada tomorrow at 3pm
    Who should I call today?
    What are my deals worth?
    How many leads do I have?

## Questions back

no-title = What should the to-do say? For example: "add a todo: call Ada tomorrow at 3pm".
no-change = What should I change? For example: "move call Ada to Friday at 3pm" or "rename call Ada to call Grace".
no-target = Which to-do do you mean?
no-match = I found no { $status ->
        [completed] completed
       *[open] open
    } to-do like "{ $target }". Say "what's on my list?" to see them all.
which-todo = Which one do you mean?
too-many = That are more than { $most } to-dos: too many at once. Please say which.
nobody-called = I know nobody called "{ $name }" here.
whom = Whom do you mean: { $names }?
or = or

## Yes and no

question = { $summary }? Say "yes" or "no".
changed-meanwhile = It has been changed in the meantime, so I did nothing yet. { $question }
one-question = For the rest please ask again after that: I ask one question at a time.
nothing-to-confirm = There is nothing waiting for your answer.
confirmation-expired = That question has expired, so nothing was changed. Please ask again.
rejected = All right, I changed nothing.
nothing-to-undo = There is nothing that I could take back.
nothing-to-do = There was nothing to do.
undone = Taken back: { $titles }{ $others ->
        [0] {""}
       *[other] {" "}and the others
    } is as it was before.

## What is asked about: with a question mark after it

ask-todo-create = Add the to-do { $todo }
ask-todo-complete = Mark { $todos } as done
ask-todo-reopen = Open { $todos } again
ask-todo-update = Change { $todos }: { $changes }
ask-todo-delete = Delete { $todos }
ask-lead-create = Add the lead "{ $title }"
ask-lead-update = Change the lead "{ $title }": { $changes }
ask-deal-move = Move the deal "{ $title }" to { $stage }
ask-agent-run = Run the agent { $agent }

## What was done

done-todo-create = Added { $todo }.
done-todo-complete = Marked { $todos } as done.
done-todo-reopen = Opened { $todos } again.
done-todo-update = Changed { $todos }: { $changes }.
done-todo-renamed = Renamed "{ $title }" to "{ $new }".
done-todo-moved = Moved "{ $title }" to { $due }.
done-todo-changed = Changed "{ $title }": { $changes }.
done-todo-delete = Deleted { $todos }.
done-lead-create = Added the lead "{ $title }".
done-lead-update = Changed the lead "{ $title }": { $changes }.
done-deal-move = Moved the deal "{ $title }" to { $stage }.
done-agent-run = Started the agent { $agent }.
done-partly = { $done } The rest not: { $why }

## To-dos and what changes about them

one-todo = the to-do "{ $title }"
many-todos = { $count ->
        [one] 1 to-do
       *[other] { $count } to-dos
    } ({ $titles })
change-title = title "{ $title }"
change-due = due { $due }
change-recurrence = every time of { $rule }
change-priority = { $priority ->
        [low] low
        [normal] normal
        [high] high
       *[urgent] urgent
    } priority
change-assignee = for { $name }
you = you

## Lists

todos-none = You have no { $status ->
        [open] open{" "}
        [completed] completed{" "}
        [overdue] overdue{" "}
       *[all] {""}
    }to-dos{ $conditions }.
todos-some = You have { $count } { $status ->
        [open] open{" "}
        [completed] completed{" "}
        [overdue] overdue{" "}
       *[all] {""}
    }{ $count ->
        [one] to-do
       *[other] to-dos
    }{ $conditions }:
due-on = for { $day }
due-between = due { $from } to { $to }
with-priority = with { $priority ->
        [low] low
        [normal] normal
        [high] high
       *[urgent] urgent
    } priority
with-text = with "{ $text }"
for-you = for you
for-nobody = for nobody
for-person = for { $name }
line-due = (due { $due })
line-done = (done)
more = ... and { $count } more

## Days

moment = { $day }, { $time }
day-yesterday = yesterday, { date }
day-today = today, { date }
day-tomorrow = tomorrow, { date }
date = { weekday } { $day } { month } { $year }
weekday = { $weekday ->
        [1] Mon
        [2] Tue
        [3] Wed
        [4] Thu
        [5] Fri
        [6] Sat
       *[7] Sun
    }
month = { $month ->
        [1] Jan
        [2] Feb
        [3] Mar
        [4] Apr
        [5] May
        [6] Jun
        [7] Jul
        [8] Aug
        [9] Sep
        [10] Oct
        [11] Nov
       *[12] Dec
    }

## What could not be done

failed-unknown = The { $part ->
        [crm] CRM
        [analytics] analytics
        [agents] agent service
       *[identity] list of people
    } did not answer, so I do not know whether it was changed. Please look before you try again.
failed-unreachable = I cannot reach the { $part ->
        [crm] CRM
        [analytics] analytics
        [agents] agent service
       *[identity] list of people
    } right now, so nothing was changed. Please try again in a moment.
failed-forbidden = You are not allowed to do that in the { $part ->
        [crm] CRM
        [analytics] analytics
        [agents] agent service
       *[identity] list of people
    }. Nothing was changed.
failed-gone = That record is not there any more. Nothing was changed.
failed-changed = That record has been changed in the meantime, so I left it as it is. Please ask again.
failed-no-agent = No agent was started: { $detail }.
failed-refused = The { $part ->
        [crm] CRM
        [analytics] analytics
        [agents] agent service
       *[identity] list of people
    } did not accept that: { $detail }

## Dry runs

would-nothing = I would do nothing.
would-ask = I would ask what exactly is meant.
would-answer = I would answer that and change nothing.
would-create = I would do this: Add the to-do "{ $title }".
would-create-due = I would do this: Add the to-do "{ $title }", due { $due }.
would-confirm = I would ask before doing that.
would-confirm-title = I would ask before changing "{ $title }".
would-act = I would do that.
would-act-title = I would change "{ $title }".

## Documents

passage = From "{ $title }": "{ $text }"
