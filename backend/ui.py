"""The admin's page under /ui/: static files, read from the package, nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, RedirectResponse
from starlette.exceptions import HTTPException

FOLDER = Path(__file__).with_name("ui_files")
PLOTLY = "plotly.min.js"
INDEX = "index.html"
# plotly brings its styles along, hence 'unsafe-inline' for these alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: "
    "blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # asked for again, and answered 304 while it is the same: no stale page after upgrades
}


def add_ui(app: FastAPI) -> None:
    """The page and its files. Of its files only the first is told of in the API's documentation."""
    served = {path.name: path for path in FOLDER.iterdir() if path.is_file()}
    served[PLOTLY] = Path(str(files("plotly") / "package_data" / PLOTLY))

    @app.get("/", include_in_schema=False)
    @app.get("/ui", include_in_schema=False)
    def redirected() -> RedirectResponse:
        return RedirectResponse("ui/")  # relative: the backend may lie behind a proxy, under a path of its own

    @app.get("/ui/", response_class=FileResponse)
    def index() -> FileResponse:
        """The admin's page."""
        return FileResponse(served[INDEX], headers=HEADERS)

    @app.get("/ui/{name}", include_in_schema=False)
    def file(name: str) -> FileResponse:
        if name not in served:
            raise HTTPException(404, f"the page has no file {name!r:.80}")
        return FileResponse(served[name], headers=HEADERS)
