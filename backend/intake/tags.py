"""What a DICOM's header says of whose image it is, and the two codes of it that may leave the lab."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from pydicom import dcmread
from pydicom.dataset import Dataset

from seedqueue.models.dicom_header import silence
from seedqueue.models.picture import DECODING_ERRORS

WANTED = {
    "patient": "PatientID",
    "issuer": "IssuerOfPatientID",
    "name": "PatientName",
    "birth": "PatientBirthDate",
    "sex": "PatientSex",
    "study": "StudyInstanceUID",
    "series": "SeriesInstanceUID",
    "instance": "SOPInstanceUID",
    "view": "ViewPosition",
    "modality": "Modality",
}

# What people and machines write where no patient is meant.
NOBODY = re.compile(
    r"(anon\w*|unknown|unbekannt|inconnu|none|null|n/?a|no ?(patient ?)?id|(patient ?)?id|test|phantom|0+|x+|[\W_]*)",
    re.IGNORECASE,
)

# Allow-lists: a free field holds whatever was typed there, now and then a name.
_VIEWS = """AP PA LL RL RLD LLD RLO LLO LAO RAO LPO RPO LAT LATERAL LATL LATR OBL OBLIQUE OBLL OBLR AX AXIAL COR SAG CC
    MLO ML LM LMO SIO XCC XCCL XCCM FB CV RM RCC LCC SUPINE ERECT PRONE DECUB DECUBITUS LORDOTIC PORTABLE STANDING
    SUNRISE SWIMMERS TUNNEL"""
_MODALITIES = """BI BMD CR CT DG DX ECG EPS ES FID GM IO IVOCT IVUS LS MG MR NM OAM OCT OP OPM OPT OPV OT PT PX RF RG
    RTIMAGE SC SM TG US VA XA XC"""
VIEWS, MODALITIES = frozenset(_VIEWS.split()), frozenset(_MODALITIES.split())


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
    silence()
    try:
        wanted = list(WANTED.values())
        found = dcmread(io.BytesIO(content), stop_before_pixels=True, force=True, specific_tags=wanted)
    except DECODING_ERRORS:
        return Tags()
    said = {name: _text(found, keyword) for name, keyword in WANTED.items()}
    if NOBODY.fullmatch(said["patient"]):
        said["patient"] = ""
    return Tags(**{**said, "view": view_code(said["view"]), "modality": modality_code(said["modality"])})


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
