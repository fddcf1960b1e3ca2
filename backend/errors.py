"""Named errors of the backend, and how any of ours is told to a person or a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seedqueue.experiments.errors import ExperimentError
from seedqueue.models.errors import ModelError, UnknownEmbedder, UnusableModel, VariantMissing, WeightsOutside
from seedqueue.selectors.errors import SelectionError


class SeedqueueError(Exception):
    """Base of the backend's errors: the message carries the value that matters and the mend."""

    status: ClassVar[int] = 400


class InvalidSetting(SeedqueueError):
    status = 500

    def __init__(self, variable: str, value: str, mend: str) -> None:
        super().__init__(f"{variable}={value!r} cannot be used: {mend}.")


class InvalidRequest(SeedqueueError):
    """A request whose fields cannot be read: which one, and what was expected."""

    status = 422

    def __init__(self, what: str) -> None:
        super().__init__(what)


class Unauthorised(SeedqueueError):
    status = 401

    def __init__(self) -> None:
        super().__init__("This backend asks for the user and password that it was started with (BASIC_AUTH_USER).")


class LabelStudioUnreachable(SeedqueueError):
    status = 502

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"Label Studio does not answer at {url} ({reason}). Start it, or set LABEL_STUDIO_URL to its address."
        )


class CertificateRefused(SeedqueueError):
    """Label Studio's certificate is of an authority that this machine does not know, or not for this name or day."""

    status = 502

    def __init__(self, url: str, reason: str, mend: str) -> None:
        super().__init__(f"The certificate of Label Studio at {url} is not trusted ({reason}){mend}.")


class CertificatesUnusable(SeedqueueError):
    """The file of authorities that TLS is to trust cannot be read."""

    status = 500

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be used ({reason}). Set SSL_CERT_FILE "
            "to a readable PEM file, or to none."
        )


class LabelStudioRefused(SeedqueueError):
    """Label Studio answered, with an error that has no name of its own here."""

    status = 502

    def __init__(self, url: str, code: int, detail: str) -> None:
        super().__init__(f"Label Studio at {url} answered {code}: {detail}")
        self.code = code


class TokenRefused(SeedqueueError):
    status = 502

    def __init__(self, url: str, detail: str) -> None:
        super().__init__(
            f"Label Studio at {url} refuses the token in LABEL_STUDIO_API_KEY ({detail}). Make a personal access "
            "token under Account & Settings and set LABEL_STUDIO_API_KEY to it."
        )


class TokenMissing(SeedqueueError):
    status = 500

    def __init__(self) -> None:
        super().__init__(
            "LABEL_STUDIO_API_KEY is not set. Make a personal access token in Label Studio under Account & Settings "
            "and set LABEL_STUDIO_API_KEY to it."
        )


class ProjectNotFound(SeedqueueError):
    status = 404

    def __init__(self, project: int, url: str) -> None:
        super().__init__(
            f"Project {project} does not exist in Label Studio at {url}. Its number is in the project's address: "
            "/projects/<number>."
        )


class TableUnusable(SeedqueueError):
    """A CSV table of images that cannot be read or does not belong to them."""

    status = 422

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"The table {path} cannot be used: {reason}.")


class EmbedderDiffers(SeedqueueError):
    status = 409

    def __init__(self, name: str, recorded: str, found: str) -> None:
        super().__init__(
            f"The weights of {name} on this worker are not those that the run began with (fingerprint {found}, "
            f"begun with {recorded}). Give all workers the same SEEDQUEUE_WEIGHTS and seed again."
        )


class RedisUnreachable(SeedqueueError):
    status = 503

    def __init__(self, url: str, reason: str) -> None:
        mend = "Start `seedqueue serve`, or set REDIS_URL."
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            mend = (
                "Its certificate is not trusted: add ?ssl_ca_certs=FILE with your authority's certificate to "
                "REDIS_URL, for the backend and for every worker."
            )
        super().__init__(f"Redis does not answer at {url} ({reason}). {mend}")


class RedisPasswordRefused(RedisUnreachable):
    """Redis is there and wants another user or password, or any."""

    def __init__(self, url: str, reason: str) -> None:
        SeedqueueError.__init__(
            self,
            f"Redis at {url} refuses the user or password in REDIS_URL ({reason}). Set REDIS_URL with the right ones, "
            "percent-encoded: redis://:PASSWORD@host:6379/0.",
        )


class Busy(SeedqueueError):
    status = 503

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"Another job has held {what!r} for more than {seconds:.0f} s. Ask again later.")


class RunInProgress(SeedqueueError):
    status = 409

    def __init__(self, project: int, number: int, state: str) -> None:
        super().__init__(
            f"Run {number} of project {project} is still {state} with other choices. Wait for it "
            f"(`seedqueue status --project {project}`), or take all away with `seedqueue undo --project {project}`."
        )


class RunFailed(SeedqueueError):
    status = 500

    def __init__(self, project: int, number: int, reason: str) -> None:
        super().__init__(f"Run {number} of project {project} ended without a queue: {reason}")


class NoSeedQueue(SeedqueueError):
    status = 404

    def __init__(self, project: int) -> None:
        super().__init__(f"Project {project} has no seed queue. Make one: `seedqueue seed --project {project}`.")


class PredictionsDropped(SeedqueueError):
    status = 502

    def __init__(self, sent: int, created: int) -> None:
        super().__init__(
            f"Label Studio stored {created} of {sent} ranks and dropped the others without a word. "
            "The queue was not switched; ask again once the project's tasks stand still."
        )


class BackendRefused(SeedqueueError):
    """Label Studio will not connect to the backend's address."""

    status = 502

    def __init__(self, url: str, detail: str) -> None:
        mend = (
            " Start Label Studio with ML_BLOCK_LOCAL_IP=false and SSRF_PROTECTION_ENABLED=false, "
            "which allow private addresses."
            if "reserved" in detail
            else " Is `seedqueue serve` running, and is this address the one that Label Studio reaches?"
        )
        super().__init__(f"Label Studio cannot attach {url}: {detail}.{mend}")


class QueueOutOfOrder(SeedqueueError):
    status = 500

    def __init__(self, wanted: list[int], got: list[int]) -> None:
        super().__init__(f"Label Studio served tasks {got} where the queue is {wanted}.")


class PortInUse(SeedqueueError):
    status = 500

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"Cannot listen on {host}:{port} ({reason}). Choose another with --port.")


class ServeFailed(SeedqueueError):
    status = 500

    def __init__(self, reason: str) -> None:
        super().__init__(f"The backend stopped: {reason}.")


class NothingAnnotated(SeedqueueError):
    """An experiment needs a project whose tasks are annotated. first: why one of its annotations does not count."""

    status = 409

    def __init__(self, project: int, first: str = "") -> None:
        told = f" (the first: {first})" if first else ""
        super().__init__(
            f"Project {project} has no annotation that an experiment could learn from{told}. Annotate its tasks first."
        )


class FolderUnusable(SeedqueueError):
    """A folder that nothing can be written to."""

    def __init__(self, folder: object, reason: str) -> None:
        super().__init__(f"Nothing can be written to the folder {folder} ({reason}). Give another folder.")


class ExperimentFailed(SeedqueueError):
    """Some units of an experiment could not be measured; the finished ones are kept."""

    status = 500

    def __init__(self, failed: int, units: int, first: str) -> None:
        super().__init__(
            f"{failed} of {units} units could not be measured (the first: {first}). The others are kept: mend it and "
            "run the same command again."
        )


@dataclass(frozen=True)
class Problem:
    """An error as it is told: its name, its sentence, the HTTP status that fits."""

    name: str
    message: str
    status: int


NAMED_WRONGLY = (UnknownEmbedder, VariantMissing, UnusableModel, WeightsOutside)
KNOWN = (SeedqueueError, SelectionError, ModelError, ExperimentError)


def problem(error: Exception) -> Problem:
    """The problem behind one of our errors (`KNOWN`)."""
    status = 422
    if isinstance(error, SeedqueueError):
        status = error.status
    elif isinstance(error, ModelError) and not isinstance(error, NAMED_WRONGLY):
        status = 503
    # Halves of surrogate pairs, which JSON may hold and UTF-8 may not, come from the request that is quoted.
    return Problem(type(error).__name__, str(error).encode(errors="backslashreplace").decode(), status)
