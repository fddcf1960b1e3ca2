"""What an event sets going. Answered within milliseconds: nothing here works, it enqueues."""

from __future__ import annotations

from seedqueue.backend import waking
from seedqueue.backend.context import Context
from seedqueue.backend.events import AnnotationEvent, AnnotationsDeleted, Event, StartTraining, TaskEvent

RECONCILE_DELAY_SECONDS = 2.0


def receive(context: Context, event: Event) -> str:
    """Enqueue what the event calls for; a word about what was done.

    A burst of annotation and task events gives one reconcile; they also wake what learns. PROJECT_UPDATED
    is left alone: our own publishing sends it too.
    """
    if isinstance(event, StartTraining):
        if not context.broker.first_in(f"start-training-{event.project}", RECONCILE_DELAY_SECONDS):
            return "repeated"
        context.broker.enqueue("control", "seeding.start_training", event.project)
        return "enqueued"
    if isinstance(event, AnnotationEvent | AnnotationsDeleted | TaskEvent):
        if context.broker.first_in(f"reconcile-{event.project}", RECONCILE_DELAY_SECONDS):
            context.broker.enqueue("control", "jobs.reconcile", event.project, delay=RECONCILE_DELAY_SECONDS)
        waking.wake(context.broker, event.project)
        return "enqueued"
    return "ignored"
