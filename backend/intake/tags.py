"""What a DICOM's header says of whose image it is, and the two codes of it that may leave the lab."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from pydicom import dcmread
from pydicom.dataset import Dataset

from seedqueue.models.picture import DECODING_ERRORS

WANTED = [
    "PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyInstanceUID",
    "SeriesInstanceUID", "SOPInstanceUID", "ViewPosition", "Modality",
]  # fmt: skip

# What people and machines write where no patient is meant.
NOBODY = re.compile(
    r"(anon\w*|unknown|unbekannt|inconnu|none|null|n/?a|no ?(patient ?)?id|(patient ?)?id|test|phantom|0+|x+|[\W_]*)",
    re.IGNORECASE,
)

# Allow-lists: a free field holds whatever was typed there, now and then a name.
VIEWS = frozenset(
    [
        "AP",
        "PA",
        "LL",
        "RL",
        "RLD",
        "LLD",
        "RLO",
        "LLO",
        "LAO",
        "RAO",
        "LPO",
        "RPO",
        "LAT",
        "LATERAL",
        "LATL",
        "LATR",
        "OBL",
        "OBLIQUE",
        "OBLL",
        "OBLR",
        "AX",
        "AXIAL",
        "COR",
        "SAG",
        "CC",
        "MLO",
        "ML",
        "LM",
        "LMO",
        "SIO",
        "XCC",
        "XCCL",
        "XCCM",
        "FB",
        "CV",
        "RL",
        "RM",
        "RCC",
        "LCC",
        "SUPINE",
        "ERECT",
        "PRONE",
        "DECUB",
        "DECUBITUS",
        "LORDOTIC",
        "PORTABLE",
        "STANDING",
        "SUNRISE",
        "SWIMMERS",
        "TUNNEL",
    ]
)
MODALITIES = frozenset(
    [
        "BI",
        "BMD",
        "CR",
        "CT",
        "DG",
        "DX",
        "ECG",
        "EPS",
        "ES",
        "FID",
        "GM",
        "IO",
        "IVOCT",
        "IVUS",
        "LS",
        "MG",
        "MR",
        "NM",
        "OAM",
        "OCT",
        "OP",
        "OPM",
        "OPT",
        "OPV",
        "OT",
        "PT",
        "PX",
        "RF",
        "RG",
        "RTIMAGE",
        "SC",
        "SM",
        "TG",
        "US",
        "VA",
        "XA",
        "XC",
    ]
)


@dataclass(frozen=True)
class Tags:
    """All as text, "" where absent. patient: the id; issuer: who gave it; the rest as DICOM calls it."""

    patient: str = ""
    issuer: str = ""
    name: str = ""
    birth: str = ""
    sex: str = ""
    study: str = ""
    series: str = ""
    instance: str = ""
    view: str = ""
    modality: str = ""


def read_tags(content: bytes) -> Tags:
    """Of a DICOM file that could be decoded; its patient's id is "" where it means nobody. Raises nothing."""
    try:
        found = dcmread(io.BytesIO(content), stop_before_pixels=True, force=True, specific_tags=list(WANTED))
    except DECODING_ERRORS:
        return Tags()
    said = [_text(found, keyword) for keyword in WANTED]
    patient = "" if NOBODY.fullmatch(said[0]) else said[0]
    return Tags(patient, *said[1:8], view_code(said[8]), modality_code(said[9]))


def view_code(text: str) -> str:
    """The known words of a view position: "AP-SUPINE" of "AP Supine"; "" where there is none."""
    return "-".join(word for word in re.split(r"[^A-Z]+", text.upper()) if word in VIEWS)


def modality_code(text: str) -> str:
    return text.upper() if text.upper() in MODALITIES else ""


def _text(found: Dataset, keyword: str) -> str:
    try:
        value = found.get(keyword)
        return "" if value is None else " ".join(str(value).replace("\0", " ").split())
    except DECODING_ERRORS:
        return ""
