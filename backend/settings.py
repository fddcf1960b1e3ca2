"""The only reader of the environment: every setting, its variable, its default, its meaning."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from seedqueue.backend.errors import InvalidSetting
from seedqueue.backend.pace import Pace
from seedqueue.backend.proxies import Networks, check_header, networks

DEFAULT_BACKEND_URL = "http://127.0.0.1:9090"
OBJECT_STORES = ("s3", "gs", "az")
HEADS = ("linear", "vgg11", "unet-vgg11")


def _setting(
    variable: str,
    default: Any,
    meaning: str,
    shown: str | None = None,
    choices: tuple[str, ...] = (),
    secret: bool = False,
) -> Any:
    """One field of `Settings`.

    `shown` is the default as the documentation prints it, `choices` all it may be; `secret` keeps it out of `repr`.
    """
    shown = str(default) if shown is None else shown
    metadata = {"variable": variable, "meaning": meaning, "shown": shown, "choices": choices}
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set from outside, read once from the environment by `load`."""

    label_studio_url: str = _setting(
        "LABEL_STUDIO_URL", "http://localhost:8080", "Label Studio, as this machine reaches it"
    )
    label_studio_api_key: str = _setting(
        "LABEL_STUDIO_API_KEY", "", "a personal access token or a legacy token of an admin", "(required)", secret=True
    )
    label_studio_public_url: str = _setting(
        "LABEL_STUDIO_PUBLIC_URL",
        "",
        "Label Studio's address inside task data, when it differs from `LABEL_STUDIO_URL`",
        "(the same)",
    )
    backend_url: str = _setting(
        "SEEDQUEUE_BACKEND_URL", DEFAULT_BACKEND_URL, "this backend, as Label Studio reaches it"
    )
    redis_url: str = _setting(
        "REDIS_URL",
        "",
        "Redis for jobs, locks and progress; unset, `seedqueue serve` starts its own",
        "(own)",
        secret=True,
    )
    home: Path | str = _setting(
        "SEEDQUEUE_HOME",
        Path("~/.seedqueue"),
        "embeddings and records, the state worth a backup: a folder, or an object store's URL (`s3://`, `gs://`, `az://`)",
    )
    weights: Path = _setting(
        "SEEDQUEUE_WEIGHTS",
        Path("~/.seedqueue/weights"),
        "the folder that holds the embedders' weight files",
    )
    hub_token: str = _setting(
        "HF_TOKEN",
        "",
        "the huggingface.co token of who accepted a gated model's terms, for `seedqueue weights fetch`",
        "(none)",
        secret=True,
    )
    embedder: str = _setting("SEEDQUEUE_EMBEDDER", "txrv", "the embedder when a request names none")
    selector: str = _setting("SEEDQUEUE_SELECTOR", "kmeans", "the selector when a request names none")
    group_field: str = _setting(
        "SEEDQUEUE_GROUP_FIELD",
        "",
        "a field of task data that names the patient or study: few images of one are chosen",
        "(none)",
    )
    per_group: int = _setting("SEEDQUEUE_PER_GROUP", 1, "at most so many images of one patient or study in a queue")
    near_duplicate: float = _setting(
        "SEEDQUEUE_NEAR_DUPLICATE",
        0.9,
        "an image this similar (cosine) to a chosen or labelled one is not chosen while others are left; `0`: off",
    )
    weak_label: str = _setting(
        "SEEDQUEUE_WEAK_LABEL",
        "",
        "what `weak-label` goes by: `findings` (of txrv's own classifier), `field:NAME` or `keywords:FIELD:WORD,WORD`",
        "(none)",
    )
    budget: int = _setting("SEEDQUEUE_BUDGET", 40, "the number of tasks when a request names none")
    random_seed: int = _setting("SEEDQUEUE_RANDOM_SEED", 0, "the random seed when a request names none")
    audit: int = _setting(
        "SEEDQUEUE_AUDIT",
        0,
        "tasks drawn at random before the first seed queue, never learnt from, to estimate performance by: 150 to 200 "
        "are enough; `0`: none",
    )
    heads: str = _setting(
        "SEEDQUEUE_HEADS",
        "linear,unet-vgg11",
        "what is trained of itself, as far as the label config has use for it: `linear`, `vgg11`, `unet-vgg11`",
    )
    train_every: int = _setting(
        "SEEDQUEUE_TRAIN_EVERY", 10, "new annotations between two trainings of a network; the linear head needs 2"
    )
    epochs: int = _setting(
        "SEEDQUEUE_EPOCHS",
        0,
        "passes over the labelled images in a training of a network",
        "(60 for masks, 40 for classes)",
    )
    log: Literal["text", "json"] = _setting(
        "SEEDQUEUE_LOG",
        "text",
        "log lines on standard error: `text` for people, `json` for machines",
        choices=("text", "json"),
    )
    image_hosts: str = _setting(
        "SEEDQUEUE_IMAGE_HOSTS",
        "",
        "further hosts that images may be fetched from, comma-separated, `name` or `name:port`; `*` for any with a "
        "public address. Loopback and inner networks only by name (docs/security.md)",
        "(Label Studio and its storages)",
    )
    max_image_bytes: int = _setting("SEEDQUEUE_MAX_IMAGE_BYTES", 200_000_000, "a larger file counts as unreadable")
    max_image_pixels: int = _setting(
        "SEEDQUEUE_MAX_IMAGE_PIXELS", 50_000_000, "an image with more pixels counts as unreadable"
    )
    dicom_frames: Literal["refuse", "first"] = _setting(
        "SEEDQUEUE_DICOM_FRAMES",
        "refuse",
        "a DICOM of several frames: `refuse`: unreadable; `first`: its first frame is taken",
        choices=("refuse", "first"),
    )
    task_fields: Literal["off", "write"] = _setting(
        "SEEDQUEUE_TASK_FIELDS",
        "off",
        "`write`: rank, cluster, size and nearest labelled task also stand in the task data of the queue's tasks, as "
        "columns of the Seed queue tab, until undo; `off`: task data is never changed",
        choices=("off", "write"),
    )
    shard_images: int = _setting("SEEDQUEUE_SHARD_IMAGES", 256, "images in one RQ job")
    threads: int = _setting("SEEDQUEUE_THREADS", 0, "compute threads of one worker", "(cores divided by workers)")
    precision: Literal["auto", "float32"] = _setting(
        "SEEDQUEUE_PRECISION",
        "auto",
        "`auto`: half precision where it gives the same embeddings, see Embedders; `float32`: never",
        choices=("auto", "float32"),
    )
    pace_factor: float = _setting(
        "SEEDQUEUE_PACE",
        1.0,
        "a factor on all waits of jobs and workers (backend/pace.py); other than 1 in tests only",
    )
    basic_auth_user: str = _setting(
        "BASIC_AUTH_USER", "", "with the next one: every route but `/health` asks for them", "(open)"
    )
    basic_auth_pass: str = _setting("BASIC_AUTH_PASS", "", "the password to it", "(open)", secret=True)
    login_header: str = _setting(
        "SEEDQUEUE_LOGIN_HEADER",
        "",
        "a header such as `X-Remote-User` by which a reverse proxy names who is signed in: the page and its routes "
        "ask for it, and `BASIC_AUTH_USER` is for Label Studio's routes and `/metrics` alone (docs/administrators.md)",
        "(none)",
    )
    proxies: str = _setting(
        "SEEDQUEUE_PROXIES",
        "127.0.0.1,::1",
        "addresses or networks of the proxies whose `SEEDQUEUE_LOGIN_HEADER` is believed, comma-separated",
    )

    @property
    def auto_heads(self) -> tuple[str, ...]:
        """The heads that are trained of themselves, each once; none where the setting is a mere comma."""
        return tuple(dict.fromkeys(head.strip() for head in self.heads.split(",") if head.strip()))

    @property
    def sub_path(self) -> str:
        """The path of `SEEDQUEUE_BACKEND_URL`, as in `/seedqueue`: under it a reverse proxy offers the backend."""
        return urlsplit(self.backend_url).path.rstrip("/")

    @property
    def pace(self) -> Pace:
        """The waits of jobs and workers."""
        return Pace().scaled(self.pace_factor)

    @property
    def proxy_networks(self) -> Networks:
        """Where `login_header` is believed from."""
        return networks(self.proxies)

    @property
    def namespace(self) -> str:
        """Short name of the Label Studio instance: two backends may share one Redis."""
        return hashlib.sha256(self.label_studio_url.encode()).hexdigest()[:8]


def variables() -> list[tuple[str, str, str]]:
    """(variable, default as shown, meaning) of every setting, for the documentation."""
    return [(f.metadata["variable"], f.metadata["shown"], f.metadata["meaning"]) for f in fields(Settings)]


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment; a set but empty variable counts as unset.

    Raises `InvalidSetting`, naming variable and value.
    """
    source = os.environ if environment is None else environment
    given = {f.name: _parsed(f, source[f.metadata["variable"]]) for f in fields(Settings) if _is_set(f, source)}
    settings = Settings(**given)
    return _tidied(settings)


def _is_set(f: Field[Any], source: Mapping[str, str]) -> bool:
    return bool(source.get(f.metadata["variable"], "").strip())


def _parsed(f: Field[Any], text: str) -> Any:
    if f.name == "home" and "://" in text:
        return _object_store(text.strip())
    convert: Callable[[str], Any] = next((kind for kind in (int, float, Path) if isinstance(f.default, kind)), str)
    try:
        return convert(text.strip())
    except ValueError as error:
        wanted = "a number" if convert is float else "a whole number"
        raise InvalidSetting(f.metadata["variable"], text, f"give {wanted}") from error


def _object_store(url: str) -> str:
    scheme, _, place = url.partition("://")
    if scheme not in OBJECT_STORES or not place.strip("/"):
        mend = "give a folder, or an object store's URL, such as s3://bucket/prefix, gs:// or az://"
        raise InvalidSetting("SEEDQUEUE_HOME", url, mend)
    return url.rstrip("/")


def _tidied(settings: Settings) -> Settings:
    for f in fields(settings):
        if (choices := f.metadata["choices"]) and getattr(settings, f.name) not in choices:
            raise InvalidSetting(f.metadata["variable"], getattr(settings, f.name), f"give {' or '.join(choices)}")
        if isinstance(f.default, int) and getattr(settings, f.name) < (f.default > 0):
            raise InvalidSetting(f.metadata["variable"], str(getattr(settings, f.name)), "give a larger number")
    unknown = [head for head in settings.auto_heads if head not in HEADS]
    if unknown:
        raise InvalidSetting("SEEDQUEUE_HEADS", settings.heads, f"give some of {', '.join(HEADS)}, comma-separated")
    if not 0 < settings.pace_factor <= 1000:
        raise InvalidSetting("SEEDQUEUE_PACE", str(settings.pace_factor), "give a number above 0")
    if not 0 <= settings.near_duplicate <= 1:
        raise InvalidSetting("SEEDQUEUE_NEAR_DUPLICATE", str(settings.near_duplicate), "give a number from 0 to 1")
    if bool(settings.basic_auth_user) != bool(settings.basic_auth_pass):
        raise InvalidSetting("BASIC_AUTH_USER", settings.basic_auth_user, "set BASIC_AUTH_PASS too, or neither")
    user = settings.basic_auth_user
    if ":" in user or not (user + settings.basic_auth_pass).isascii():
        raise InvalidSetting("BASIC_AUTH_USER", user, "user and password take ASCII only, and the user no colon")
    check_header(settings.login_header)
    networks(settings.proxies)
    if not (settings.hub_token.isascii() and settings.hub_token.isprintable()) or " " in settings.hub_token:
        raise InvalidSetting("HF_TOKEN", "...", "a token is one word of ASCII")
    changes: dict[str, Any] = {f.name: getattr(settings, f.name) for f in fields(settings)}
    for f in fields(settings):
        if f.name in ("label_studio_url", "label_studio_public_url", "backend_url"):
            changes[f.name] = _web_address(f.metadata["variable"], changes[f.name])
    for name in ("home", "weights"):
        if isinstance(changes[name], Path):
            changes[name] = changes[name].expanduser().absolute()
    return Settings(**changes)


def _web_address(variable: str, url: str) -> str:
    """Without a slash at its end; "" stays. Such an address is shown in many places, so it holds no password."""
    url = url.rstrip("/")
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise InvalidSetting(variable, "...", "give it without a user and password")
    if url and not url.startswith(("http://", "https://")):
        raise InvalidSetting(variable, url, "it begins with http:// or https://")
    return url


def child_environment(**changes: str) -> dict[str, str]:
    """This process' environment with some variables set: what a child process is started with."""
    return {**os.environ, **changes}


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that make `load` give these settings again; what is at its default is left out."""
    return {
        f.metadata["variable"]: str(getattr(settings, f.name))
        for f in fields(settings)
        if getattr(settings, f.name) not in ("", f.default)
    }
