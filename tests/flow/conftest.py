"""The real thing: one Label Studio for the session, backends as child processes, images over HTTP."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import browsing
import postgres
import pytest
import trustme
from admin_page import AdminPage
from image_server import ImageServer
from label_studio_screen import LabelStudioScreen
from load import pictures
from playwright.sync_api import Browser
from running import Backend, Eventually
from tokens import personal_token

from seedqueue.backend.children import Children, free_port
from seedqueue.backend.context import Context
from seedqueue.backend.demo import backend as served
from seedqueue.backend.demo.annotator import Annotator
from seedqueue.backend.demo.label_studio import LabelStudioServer, sign_up
from seedqueue.backend.demo.phantoms import write_phantoms
from seedqueue.backend.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PACE = 0.2  # waits of jobs and workers are a fifth as long
EXECUTABLE = Path(os.environ.get("SEEDQUEUE_LABEL_STUDIO") or ROOT / ".venv-label-studio/bin/label-studio")


@pytest.fixture(scope="session")
def children() -> Iterator[Children]:
    with Children() as started:
        yield started


@pytest.fixture(scope="session")
def database(children: Children) -> Iterator[dict[str, str]]:
    """SEEDQUEUE_TEST_DATABASE=postgresql: Label Studio on PostgreSQL, which must be installed; else its SQLite."""
    if os.environ.get("SEEDQUEUE_TEST_DATABASE", "sqlite") != "postgresql":
        yield {}
        return
    programs = postgres.find()
    if programs is None:
        pytest.fail("there is no PostgreSQL: install Debian's `postgresql`")
    # Not below pytest's folder: the next pytest closes that to all other users, PostgreSQL's own among them.
    with tempfile.TemporaryDirectory(prefix="sq-", ignore_cleanup_errors=True) as folder:
        yield postgres.start(children, programs, Path(folder) / "postgresql")


@pytest.fixture(scope="session")
def proxy_authority() -> trustme.CA:
    """The lab's authority, whose certificates Label Studio trusts when it asks a backend."""
    return trustme.CA()


@pytest.fixture(scope="session")
def proxy_authority_file(proxy_authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("authority") / "authority.pem"
    proxy_authority.cert_pem.write_to_path(file)
    return file


@pytest.fixture(scope="session")
def label_studio(
    children: Children,
    database: dict[str, str],
    proxy_authority_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> LabelStudioServer:
    env = {**database, "REQUESTS_CA_BUNDLE": str(proxy_authority_file)}
    server = LabelStudioServer(children, EXECUTABLE, tmp_path_factory.mktemp("label-studio"), extra_env=env)
    server.start()
    if os.environ.get("SEEDQUEUE_TEST_TOKEN") == "personal":
        server.token = personal_token(server)
    return server


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_phantoms(tmp_path_factory.mktemp("phantoms"), count=40)


@pytest.fixture
def images(phantoms: list[Path]) -> Iterator[ImageServer]:
    """The phantoms over HTTP, with every fetch counted."""
    with ImageServer({file.name: file.read_bytes() for file in phantoms}) as server:
        yield server


@pytest.fixture
def fresh(images: ImageServer, request: pytest.FixtureRequest) -> ImageServer:
    """Images that no other test has embedded: the same pictures, other bytes behind their end."""
    images.files = {name: content + request.node.name.encode() for name, content in images.files.items()}
    return images


@pytest.fixture
def many() -> Iterator[Callable[..., ImageServer]]:
    """`many(count, side, seed)`: so many drawn pictures over HTTP, each another one."""
    opened: list[ImageServer] = []

    def start(*arguments: int) -> ImageServer:
        opened.append(ImageServer(pictures(*arguments)))
        opened[-1].__enter__()
        return opened[-1]

    yield start
    for server in opened:
        server.__exit__(None, None, None)


@contextmanager
def backends(
    label_studio: LabelStudioServer, tmp_path_factory: pytest.TempPathFactory, eventually: Eventually
) -> Iterator[Callable[..., Backend]]:
    """Start backends of one's own, which end with it; settings given by name override the tests' ones."""
    made: list[Backend] = []

    def make(workers: int = 1, **changes: Any) -> Backend:
        home, port, started = tmp_path_factory.mktemp("home"), free_port(), Children()
        defaults: dict[str, Any] = {
            "label_studio_url": label_studio.url,
            "label_studio_api_key": label_studio.token,
            "backend_url": f"http://127.0.0.1:{port}",
            "home": home,
            "embedder": "hog",
            "image_hosts": "127.0.0.1",
            "budget": 8,
            "pace_factor": PACE,
        }
        settings = Settings(**{**defaults, **changes})
        serve = served.start(started, settings, port, workers, home / "serve.log")
        made.append(Backend(Context(settings), started, home / "serve.log", eventually, serve.pid))
        return made[-1]

    try:
        yield make
    finally:
        for backend in made:
            backend.context.close()
            backend.children.terminate_all()


@pytest.fixture(scope="module")  # not longer: each takes some gigabytes
def make_backend(
    label_studio: LabelStudioServer, tmp_path_factory: pytest.TempPathFactory, eventually: Eventually
) -> Iterator[Callable[..., Backend]]:
    """Start a backend of one's own; settings given by name override the tests' ones."""
    with backends(label_studio, tmp_path_factory, eventually) as make:
        yield make


@pytest.fixture(scope="session")
def backend(
    label_studio: LabelStudioServer, tmp_path_factory: pytest.TempPathFactory, eventually: Eventually
) -> Iterator[Backend]:
    """The backend that most tests share: it serves many projects at once."""
    with backends(label_studio, tmp_path_factory, eventually) as make:
        yield make(workers=2)


@pytest.fixture(autouse=True)
def _projects_of_a_test_go(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test makes on the shared backend goes with it; projects of a whole file stay."""
    if "backend" not in request.fixturenames:
        yield
        return
    backend: Backend = request.getfixturevalue("backend")
    before = list(backend.projects)
    yield
    backend.drop([number for number in backend.projects if number not in before])


@pytest.fixture
def project(backend: Backend, images: ImageServer) -> int:
    """A project with one task per phantom, the backend attached."""
    number = backend.new_project(images.urls())
    backend.attach(number)
    return number


@pytest.fixture(scope="session")
def annotators(label_studio: LabelStudioServer) -> Iterator[Callable[[int, int], list[Annotator]]]:
    """`annotators(project, n)`: n annotators, each a user of their own."""
    tokens: list[str] = []
    made: list[Annotator] = []

    def make(project: int, count: int) -> list[Annotator]:
        while len(tokens) < count:
            tokens.append(sign_up(label_studio, f"annotator{len(tokens)}@example.com", "a long password"))
        made.extend(Annotator(label_studio.url, token, project) for token in tokens[:count])
        return made[-count:]

    yield make
    for annotator in made:
        annotator.close()


@pytest.fixture(scope="module")  # not longer: it runs an event loop in this thread, which other tests want for theirs
def chromium() -> Iterator[Browser]:
    """A real browser: absent, tests fail in CI and skip elsewhere."""
    executable = browsing.find_chromium()
    if executable is None:
        message = "no Chromium; install Debian's `chromium`, or name one in SEEDQUEUE_CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with browsing.chromium(executable) as browser:
        yield browser


@pytest.fixture
def admin(chromium: Browser, backend: Backend, tmp_path: Path) -> Iterator[AdminPage]:
    """The shared backend's page; an error in it, or a request to elsewhere, fails the test."""
    with browsing.watched(chromium, backend.url, tmp_path / "admin") as found:
        yield AdminPage(found.page(), backend.url)


@pytest.fixture(scope="session")
def labeller(label_studio: LabelStudioServer) -> tuple[str, str]:
    """An annotator who signs in with an address and a password."""
    login = ("labeller@example.com", "a long password")
    sign_up(label_studio, *login)
    return login


@pytest.fixture
def label_studio_screen(
    chromium: Browser, label_studio: LabelStudioServer, labeller: tuple[str, str], tmp_path: Path
) -> Iterator[LabelStudioScreen]:
    """Label Studio's own screens, an annotator signed in."""
    with browsing.pictured(chromium, tmp_path / "label-studio") as context:
        page = context.new_page()
        page.set_default_timeout(browsing.PATIENCE)
        screen = LabelStudioScreen(page, label_studio.url)
        screen.sign_in(*labeller)
        yield screen
