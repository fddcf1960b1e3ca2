from __future__ import annotations

import pytest

from seedqueue.backend.file_names import file_name


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("/data/upload/3/0a1b2c3d-chest%20pa.png", "chest pa.png"),
        ("/data/local-files/?d=lungs/a%20b.dcm", "a b.dcm"),
        ("s3://bucket/deep/x.tif", "x.tif"),
        ("https://host/x.png?X-Amz-Signature=secret", "x.png"),
        ("http://[lab/a.png", ""),
    ],
)
def test_the_name_behind_an_address(uri: str, name: str) -> None:
    assert file_name(uri) == name
