"""The newest map of a project, kept in the home."""

from pathlib import Path

import pyarrow as pa

from seedqueue.backend.maps import Maps
from seedqueue.backend.pool_map import SCHEMA, PoolMap
from seedqueue.backend.tables import Home


def drawn(made: str, tasks: list[int]) -> PoolMap:
    rows = [
        {
            "task": task,
            "x": 0.123456,
            "y": 1.0,
            "cluster": 1,
            "closeness": 0.5,
            "label": '<img src="x">',
            "predicted": None,
            "uncertainty": None,
            "round": 0,
            "nearest_labelled": 7 if task != 7 else None,
            "nearest_cosine": 0.25,
        }
        for task in tasks
    ]
    return PoolMap(3, "f", made, "PCA", 1000, pa.Table.from_pylist(rows, schema=SCHEMA))


def test_the_newest_map_is_kept_and_no_other(tmp_path: Path) -> None:
    home = Home(tmp_path)
    maps, others = Maps(home, "http://one"), Maps(home, "http://two")
    assert maps.newest(1) is None
    maps.save(1, drawn("2026-01-01", [7]))
    maps.save(2, drawn("2026-01-01", [8]))
    others.save(1, drawn("2026-01-03", [9]))
    maps.save(1, drawn("2026-01-02", [7, 5]))
    found = maps.newest(1)
    assert found is not None
    assert (found.run, found.fingerprint, found.made, found.method, found.pool) == (3, "f", "2026-01-02", "PCA", 1000)
    assert found.table.column("task").to_pylist() == [7, 5]
    table = home.existing("maps")
    assert table is not None
    assert table.count_rows() == 3
    kept = maps.newest(2)
    assert kept is not None
    assert kept.table.column("task").to_pylist() == [8]


def test_what_a_map_tells() -> None:
    found = drawn("2026-01-01", [7, 5, 6])
    fields = found.as_fields()
    assert (fields["tasks"], fields["x"], fields["label"][0]) == ([7, 5, 6], [0.1235] * 3, '<img src="x">')
    spot = found.spot(5)
    assert spot is not None
    assert (spot.task, spot.nearest_labelled) == (5, 7)
    assert found.spot(4) is None
    assert found.nearest_labelled([5, 7]) == {5: 7}
