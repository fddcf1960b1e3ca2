"""What an event sets going. Answered within milliseconds: nothing here works, it enqueues."""

from __future__ import annotations

from contextlib import suppress

from seedqueue.backend import activity, waking
from seedqueue.backend.context import Context
from seedqueue.backend.errors import RedisUnreachable
from seedqueue.backend.events import AnnotationEvent, AnnotationsDeleted, Event, StartTraining, TaskEvent


def receive(context: Context, event: Event) -> str:
    """Enqueue what the event calls for; a word about what was done, which is also noted for `activity`.

    A burst of annotation and task events gives one reconcile; they also wake what learns. PROJECT_UPDATED
    is left alone: our own publishing sends it too.
    """
    outcome = _enqueue(context, event)
    with suppress(RedisUnreachable):  # what there was to enqueue is enqueued
        activity.note_event(context.broker, event, outcome)
    return outcome


def _enqueue(context: Context, event: Event) -> str:
    if isinstance(event, StartTraining):
        if not context.broker.first_in(f"start-training-{event.project}", context.pace.reconcile_delay):
            return "repeated"
        waking.press(context.broker, event.project)
        context.broker.enqueue("control", "seeding.start_training", event.project)
        return "enqueued"
    if isinstance(event, AnnotationEvent | AnnotationsDeleted | TaskEvent):
        waking.reconcile(context.broker, event.project, delay=context.pace.reconcile_delay)
        waking.wake(context.broker, event.project)
        return "enqueued"
    return "ignored"


def told(context: Context, event: Event) -> dict[str, str]:
    """What the answer to "Start Training" says besides. Label Studio 1.23 shows no answer; other callers do."""
    if not isinstance(event, StartTraining):
        return {}
    url = f"{context.settings.backend_url}/ui/"
    message = f"Start Training of project {event.project} was received. The model card's version and {url} tell more."
    return {"message": message}
