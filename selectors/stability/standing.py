"""Whether one method stands out from the others: a decision on numbers alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["no method stands out", "this one stands out", "another one stands out"]


@dataclass(frozen=True)
class Standing:
    """rival: the best of the other selectors, empty without any. lead: our mean coverage less the rival's.

    spread: what the lead has to exceed.
    """

    verdict: Verdict
    rival: str
    lead: float
    spread: float
    meaning: str = (
        "lead: in the mean coverage of images that the choice did not see; it counts where it exceeds the spread, "
        "the range of that coverage over the bootstraps: of random queues, or of this selector where that is wider"
    )


def standing(ours: float, others: Mapping[str, float], spread: float) -> Standing:
    """Compare our mean coverage with the best of the others'.

    spread: what a difference has to exceed before it is told as one, at least 0. Ties between the
    others: the first by name.
    """
    if not others:
        return Standing("no method stands out", "", 0.0, spread)
    rival = min(others, key=lambda name: (-others[name], name))
    lead = ours - others[rival]
    if abs(lead) <= spread:
        return Standing("no method stands out", rival, lead, spread)
    return Standing("this one stands out" if lead > 0 else "another one stands out", rival, lead, spread)
