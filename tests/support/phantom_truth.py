"""What an annotator would say of the demo's phantoms."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from truth import Result, Truth

FOUND = ("lateral", "nodule")  # so that both answers are frequent enough in few images


def phantom_truth(files: Sequence[Path], answers: tuple[str, str] = ("finding", "no finding")) -> Truth:
    """The first answer for a third of the phantoms, by their kind; the second for the others."""
    choices = "".join(f'<Choice value="{escape(one)}"/>' for one in answers)
    config = f"""<View><Image name="image" value="$image"/>
<Choices name="finding" toName="image" choice="single" showInline="true">{choices}</Choices></View>"""

    def result(name: str) -> Result:
        said = answers[not name.startswith(FOUND)]
        return [{"from_name": "finding", "to_name": "image", "type": "choices", "value": {"choices": [said]}}]

    return Truth(config, {file.name: file for file in files}, result)
