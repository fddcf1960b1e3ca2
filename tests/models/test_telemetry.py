"""Nothing tells anybody outside what is done here."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import seedqueue.models.openvino_network
import openvino
from openvino.tools.ovc import telemetry_utils
print(telemetry_utils.tm.__name__)
"""


def test_openvino_takes_its_stub_that_sends_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.strip() == "openvino.tools.ovc.telemetry_stub", done.stderr
