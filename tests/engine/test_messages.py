import io
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.engine.messages import decode, encode, point_message, point_of
from harness.plugin.profile import Point

MESSAGES = st.dictionaries(
    st.text(),
    st.one_of(st.integers(), st.text(), st.booleans(), st.none(), st.floats(allow_nan=False)),
)


@given(st.lists(MESSAGES))
def test_messages_are_decoded_as_they_were_encoded(sent: list[dict[str, object]]) -> None:
    wire = io.BytesIO(b"".join(map(encode, sent)))

    received = [decode(wire.read) for _ in sent]

    assert received == sent
    assert decode(wire.read) is None


def test_a_cut_off_message_is_the_end() -> None:
    whole = encode({"reply": "point", "labels": [0, 1]})

    for length in range(len(whole)):
        assert decode(io.BytesIO(whole[:length]).read) is None


def test_a_point_survives_the_wire() -> None:
    point = Point(
        level=0.5,
        threshold=0.01,
        density=0.5,
        modularity=0.3,
        modularity_full=0.2,
        z_modularity=0.2,
        n_clusters=2,
        coverage=0.75,
        largest_component_fraction=1.0,
        isolated_fraction=0.0,
        jaccard_previous=math.nan,
        seconds=0.1,
        labels=np.array([0, 0, 1, -1]),
        diagnostics={"gap": 1e-9},
        warnings=("not converged",),
    )
    message = decode(io.BytesIO(encode(point_message(point))).read)
    assert message is not None

    received = point_of(message)

    assert received.labels.tolist() == [0, 0, 1, -1]
    assert math.isnan(received.jaccard_previous)
    assert received.diagnostics == {"gap": 1e-9}
    assert received.warnings == ("not converged",)
    assert (received.level, received.n_clusters, received.modularity) == (0.5, 2, 0.3)
