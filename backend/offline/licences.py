"""A package's licence as it declares it, in CycloneDX's words: by SPDX where it says one, else by its name."""

from __future__ import annotations

from importlib.metadata import Distribution
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclonedx.model.license import License

CLASSIFIER = "License :: "
LONGEST = 80  # characters: more is the licence's text, not its name
# What packages write that means one licence of SPDX and no other: "BSD License" may be several.
SPDX = {
    "2-clause bsd license": "BSD-2-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
}
FILES = {
    "Apache License Version 2.0": "Apache-2.0",
    "Permission is hereby granted, free of charge, to any person obtaining a copy": "MIT",
}
BEGINNING = 600  # characters of a licence's file
NO_NAMES = frozenset({"", "UNKNOWN", "DUAL LICENSE"})


def of(package: Distribution) -> list[License]:
    """Its License-Expression, else a short License field, else its classifiers, else what its licence file shows.

    Empty where none of these tells.
    """
    declared = package.metadata
    if expressions := declared.get_all("License-Expression"):
        return worded(expressions[0])
    field = (declared.get_all("License") or [""])[0].strip()
    if field.upper() not in NO_NAMES and "\n" not in field and len(field) <= LONGEST:
        return worded(field)
    classifiers = [text for text in declared.get_all("Classifier") or () if text.startswith(CLASSIFIER)]
    names = [text.rpartition(" :: ")[2] for text in classifiers]
    return [licence for name in sorted(set(names)) for licence in worded(name)] or _read(package)


def _read(package: Distribution) -> list[License]:
    """By the beginning of the licence file: concluded, not declared."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseAcknowledgement

    files = [file for file in package.files or () if file.name.upper().startswith(("LICENSE", "LICENCE"))]
    for file in files:
        path = Path(str(package.locate_file(file)))
        begins = " ".join(path.read_text(errors="replace")[:BEGINNING].split()) if path.is_file() else ""
        for words, identifier in FILES.items():
            if words in begins:
                return [DisjunctiveLicense(id=identifier, acknowledgement=LicenseAcknowledgement.CONCLUDED)]
    return []


def worded(text: str) -> list[License]:
    """One licence by its SPDX identifier, by an expression of several, or by the words that it is called by."""
    from cyclonedx import spdx
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression

    text = SPDX.get(text.lower(), text)
    if spdx.is_supported_id(text):
        return [DisjunctiveLicense(id=spdx.fixup_id(text) or text)]
    if " " in text and spdx.is_expression(text):
        return [LicenseExpression(text)]
    return [DisjunctiveLicense(name=text)]
