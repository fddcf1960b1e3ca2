"""The ASGI entry: `uvicorn seedqueue.backend.asgi:app`."""

from seedqueue.backend import settings
from seedqueue.backend.app import create_app
from seedqueue.backend.context import Context

app = create_app(Context(settings.load()))
