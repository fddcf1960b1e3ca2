"""Other images of patients who are held out: no head would learn from their labels, so nobody is asked for them."""

from __future__ import annotations

from collections.abc import Sequence

from seedqueue.backend import audit, locked
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import Records


def siblings(records: Records, project: int, pool: Sequence[PoolTask], field: str) -> frozenset[int]:
    """Tasks without an annotation that share this field's value with an audit or locked task, and are neither.

    pool: with the field; a locked task in it tells its own group, by whatever field the list was locked. None where the
    field is "".
    """
    frozen, kept_back = audit.frozen(records, project), locked.of(records, project)
    apart = {*kept_back.tasks, *(one.task for one in frozen)}
    groups = {*kept_back.groups, *(one.group for one in frozen)}
    groups |= {one.fields.get(field, "") for one in pool if one.task in apart}
    groups -= {""}
    free = (one for one in pool if not one.labelled and one.task not in apart)
    return frozenset(one.task for one in free if one.fields.get(field) in groups)


def told(found: frozenset[int], field: str) -> tuple[str, ...]:
    """What a run says of them."""
    what = f"that share their {field} with audit or locked ones"
    return (f"not chosen, as no head would learn from them: {len(found)} tasks {what}",) if found else ()
