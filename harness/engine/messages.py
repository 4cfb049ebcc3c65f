"""The wire format between coordinator and worker: a JSON header, then raw bytes.

Both are preceded by their lengths, two big-endian 32-bit integers. Nothing is pickled.
"""

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.plugin.profile import Point
from harness.store import FIGURES

LENGTHS = struct.Struct(">II")
# Bytes; no message is longer, so a longer one is noise.
LONGEST = 1 << 28


class ProtocolError(Exception):
    """Bytes that are not a message."""


@dataclass(frozen=True)
class Message:
    """A header of values that JSON can express, and bytes."""

    header: Mapping[str, Any]
    content: bytes = b""


def encode(message: Message) -> bytes:
    """The bytes of a message."""
    # Lone surrogates, as in the names of odd files, can be neither stored nor printed.
    header = json.dumps(message.header, ensure_ascii=False).encode("utf-8", "replace")
    return LENGTHS.pack(len(header), len(message.content)) + header + message.content


def decode(read: Callable[[int], bytes]) -> Message | None:
    """The next message from a stream; None at its end.

    `read` returns the number of bytes that it is called with, fewer only at the end of the stream.
    Raises ProtocolError for bytes that are not a message.
    """
    lengths = read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    header_length, content_length = LENGTHS.unpack(lengths)
    if header_length + content_length > LONGEST:
        raise ProtocolError(f"it claims to be {header_length + content_length} bytes long")
    body = read(header_length + content_length)
    if len(body) < header_length + content_length:
        return None
    try:
        header = json.loads(body[:header_length])
    except ValueError as error:
        raise ProtocolError(str(error)) from error
    if not isinstance(header, dict):
        raise ProtocolError("its header is not an object")
    return Message(header, body[header_length:])


def point_message(point: Point) -> Message:
    """A point as a message: figures as JSON, labels as 16-bit integers."""
    figures = {name: float(getattr(point, name)) for name in FIGURES}
    extras = {"diagnostics": dict(point.diagnostics), "warnings": list(point.warnings)}
    return Message({"reply": "point", **figures, **extras}, point.labels.astype("<i2").tobytes())


def point_of(message: Message) -> Point:
    """The point in a message of `point_message`."""
    figures = {name: message.header[name] for name in FIGURES}
    figures["n_clusters"] = int(figures["n_clusters"])
    return Point(
        **figures,
        labels=np.frombuffer(message.content, dtype="<i2").astype(np.int64),
        diagnostics=message.header["diagnostics"],
        warnings=tuple(message.header["warnings"]),
    )
