"""The wire format between coordinator and worker: messages as JSON, each preceded by its length.

The length is a big-endian 32-bit integer. Nothing is pickled.
"""

import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.plugin.profile import Point
from harness.store.records import CellRecord
from harness.store.schema import FIGURES, LABEL

Message = Mapping[str, Any]
LENGTH = struct.Struct(">I")
# Bytes; no message is longer, so a longer one is noise.
LONGEST = 1 << 28


class ProtocolError(Exception):
    """Bytes that are not a message."""


def encode(message: Message) -> bytes:
    """The bytes of a message, with every character of its text.

    Lone surrogates too: by them Python expresses the bytes of paths that are not UTF-8.
    """
    content = json.dumps(message).encode()
    return LENGTH.pack(len(content)) + content


def encode_answer(answer: Message) -> bytes:
    """The bytes of a worker's answer, whose text can be stored: it has no lone surrogates."""
    content = json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
    return LENGTH.pack(len(content)) + content


def decode(read: Callable[[int], bytes]) -> Message | None:
    """The next message from a stream; None at its end.

    `read` returns the number of bytes that it is called with, fewer only at the end of the stream.
    Raises ProtocolError for bytes that are not a message.
    """
    prefix = read(LENGTH.size)
    if len(prefix) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(prefix)
    if length > LONGEST:
        raise ProtocolError(f"it claims to be {length} bytes long")
    content = read(length)
    if len(content) < length:
        return None
    try:
        message = json.loads(content)
    except ValueError as error:
        raise ProtocolError(str(error)) from error
    if not isinstance(message, dict):
        raise ProtocolError("it is not an object")
    return message


def point_message(point: Point) -> dict[str, Any]:
    """The values of a point as JSON expresses them; labels as base64 of 16-bit integers."""
    figures = {name: float(getattr(point, name)) for name in FIGURES}
    labels = b64encode(point.labels.astype(LABEL).tobytes()).decode()
    warnings = list(point.warnings)
    return {**figures, "labels": labels, "diagnostics": {**point.diagnostics}, "warnings": warnings}


def record_message(record: CellRecord) -> dict[str, Any]:
    """The values of a cell's record as JSON expresses them."""
    return {**vars(record), "points": [point_message(point) for point in record.points]}


def record_of(message: Message) -> CellRecord:
    """The record in a message with the values of `record_message`."""
    return CellRecord(**{**message, "points": [point_of(each) for each in message["points"]]})


def point_of(message: Message) -> Point:
    """The point in a message with the values of `point_message`."""
    figures = {name: message[name] for name in FIGURES}
    figures["n_clusters"] = int(figures["n_clusters"])
    labels = np.frombuffer(b64decode(message["labels"]), LABEL).astype(np.int64)
    warnings = tuple(message["warnings"])
    return Point(**figures, labels=labels, diagnostics=message["diagnostics"], warnings=warnings)
