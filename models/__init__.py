"""Images in, numbers out: reading, embedding, heads, metrics. Knows neither HTTP nor selection."""

import sys

# OpenVINO reports each conversion of a model to its makers' server without asking, from a forked process. Where
# its telemetry package cannot be imported it takes a stub of its own, which sends nothing.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
