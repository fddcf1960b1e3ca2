"""The ASGI entry: `uvicorn seedqueue.backend.asgi:app`."""

from contextlib import suppress

from seedqueue.backend import logs, settings
from seedqueue.backend.app import create_app
from seedqueue.backend.context import Context
from seedqueue.backend.errors import KNOWN

_settings = settings.load()
logs.configure(_settings.log)
_context = Context(_settings)
app = create_app(_context)
with suppress(*KNOWN):  # a request will tell
    # Label Studio waits 3 s for /setup: the home is opened before the first request comes, not in it.
    _context.versions.all()
