import json
from pathlib import Path

import numpy as np
import pytest

from harness.errors import RunStoppedError
from harness.planning.survey import MapRecord
from harness.plugin.values import AttentionMap
from harness.store.maps import is_intact, load_map, save_map

WEIGHTS = np.random.default_rng(0).random((6, 6))


@pytest.mark.parametrize("region", [None, (0.5, 0.0, 20.0, 30.0)])
def test_a_saved_map_is_loaded_from_its_message(
    tmp_path: Path, region: tuple[float, float, float, float] | None
) -> None:
    saved = save_map(AttentionMap(WEIGHTS, grid=(2, 3), region=region), tmp_path)
    message = json.loads(json.dumps(saved.to_message()))

    found = load_map(tmp_path, MapRecord.from_message("", message), image="a")

    assert np.array_equal(found.weights, WEIGHTS)
    assert (found.grid, found.region, found.image) == ((2, 3), region, "a")


def test_a_damaged_map_is_not_intact_and_is_written_again(tmp_path: Path) -> None:
    attention = AttentionMap(WEIGHTS)
    saved = save_map(attention, tmp_path)
    (tmp_path / f"{saved.digest}.npy").write_bytes(b"damaged")

    assert not is_intact(tmp_path, saved.digest)
    with pytest.raises(RunStoppedError, match="is gone or damaged"):
        load_map(tmp_path, saved)
    save_map(attention, tmp_path)
    assert is_intact(tmp_path, saved.digest)
