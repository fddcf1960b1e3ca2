"""A bill of materials in CycloneDX JSON: what is installed that seedqueue stands on, and the weights that are here."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedqueue.backend.offline import closure, licences, weight_files
from seedqueue.backend.offline.closure import Package
from seedqueue.backend.offline.errors import LibraryMissing
from seedqueue.backend.offline.weight_files import WeightFile

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

# A number of our own under which serial numbers are drawn from the content: the same content, the same number.
NAMESPACE = uuid.UUID("6a4ff3c4-64cb-5b3c-9d1b-6a1d7a4a5c1e")


def bill(weights: Path) -> str:
    """The bill as text. The same environment and weights give the same text: it tells no time, and its serial number
    is drawn from its content.

    weights: the weights folder, which need not be there. Raises `LibraryMissing`, `PackageMissing`.
    """
    ours = closure.ours()
    base = closure.closure(closure.OURS)
    packages = closure.closure(closure.OURS, closure.installed_extras(ours))
    files = weight_files.every(weights) if weights.is_dir() else []
    return _written(packages, frozenset(base), files)


def _written(packages: dict[str, Package], required: frozenset[str], files: list[WeightFile]) -> str:
    try:
        from cyclonedx.model.bom import Bom
        from cyclonedx.output import make_outputter
        from cyclonedx.schema import OutputFormat, SchemaVersion
    except ImportError as error:
        raise LibraryMissing from error
    made = {name: _package(package, name in required) for name, package in packages.items()}
    root = made.pop(closure.OURS)
    bom = Bom(components=[*made.values(), *(_weights(file) for file in files), _python()])
    bom.metadata.component = root
    every = {**made, closure.OURS: root}
    for name, package in packages.items():
        bom.register_dependency(every[name], [every[child] for child in package.requires if child in every])
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string()
    return _settled(json.loads(text))


def _settled(told: dict[str, Any]) -> str:
    """Without the time, and with a serial number that follows from the rest."""
    told["metadata"].pop("timestamp", None)
    told.pop("serialNumber", None)
    content = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    told["serialNumber"] = f"urn:uuid:{uuid.uuid5(NAMESPACE, content)}"
    return json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _package(package: Package, required: bool) -> Component:
    from cyclonedx.model.component import Component, ComponentScope, ComponentType
    from packageurl import PackageURL

    purl = PackageURL("pypi", None, package.name, package.version)
    return Component(
        type=ComponentType.APPLICATION if package.name == closure.OURS else ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        bom_ref=purl.to_string(),
        purl=purl,
        scope=ComponentScope.REQUIRED if required else ComponentScope.OPTIONAL,
        licenses=licences.of(package.installed),
    )


def _weights(file: WeightFile) -> Component:
    """The embedders and heads that load a file are properties of it."""
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
    from cyclonedx.model.component import Component, ComponentType

    return Component(
        type=ComponentType.MACHINE_LEARNING_MODEL,
        name=file.name,
        bom_ref=f"weights:{file.name}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=file.sha256)],
        licenses=licences.worded(file.licence),
        external_references=[ExternalReference(type=ExternalReferenceType.DOCUMENTATION, url=XsUri(file.page))],
        properties=[Property(name="seedqueue:loaded-by", value=name) for name in file.of],
    )


def _python() -> Component:
    from cyclonedx.model.component import Component, ComponentType

    return Component(
        type=ComponentType.PLATFORM,
        name=sys.implementation.name,
        version=platform.python_version(),
        bom_ref="python",
        description=f"{platform.system()} {platform.machine()}",
    )
