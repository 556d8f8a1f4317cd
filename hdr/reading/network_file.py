"""Networks that come with the app as ONNX files, loaded with suspicion.

Opening one imports onnxruntime, which takes a fifth of a second: so it is imported here and when it is needed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from hdr.types import HdrError

MOST_BYTES = 20_000_000
"""Largest file that is loaded; those that come with the app have 1 MB at most."""

Network = TypeVar("Network")


class ReaderError(HdrError):
    """A file of the ready-made reader is missing, or it is not one."""


def load(path: Path, make: Callable[[Any, dict[str, Any]], Network]) -> Network:
    """Load a network and make something of it.

    Args:
        path: the ONNX file.
        make: gets the session and what the file says of itself; whatever it raises means that the file is not what it
            should be.

    Raises:
        ReaderError: it is missing, damaged or another network.
    """
    try:
        session = _session(_content(path))
        return make(session, _metadata(session.get_modelmeta().custom_metadata_map))
    except FileNotFoundError:
        raise ReaderError(
            f"The ready-made reader is missing: there is no file {path.name}. Models of your own do read."
        ) from None
    except Exception as error:
        # The library raises errors of a dozen kinds of its own over a damaged file.
        raise ReaderError(
            f"The ready-made reader in {path.name} cannot be used ({type(error).__name__}: {_short(error)}). Install "
            "the app again; models of your own do read."
        ) from error


def _content(path: Path) -> bytes:
    with open(path, "rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    if not 0 < len(data) <= MOST_BYTES:
        raise ValueError(f"it has to have 1 to {MOST_BYTES:,} bytes")
    return data


def _session(data: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Errors are raised as well; printing them besides would only fill the server's log.
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _metadata(found: Mapping[str, str]) -> dict[str, Any]:
    """Values are JSON, or else plain text."""
    parsed: dict[str, Any] = {}
    for name, text in found.items():
        try:
            parsed[name] = json.loads(text)
        except (ValueError, RecursionError):
            parsed[name] = text
    return parsed


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
