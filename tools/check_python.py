"""End in one plain sentence where this Python is not one that pyproject.toml supports.

This file must be valid in all versions of Python, including Python 2.
"""

import io
import os
import re
import sys

PROJECT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "pyproject.toml")


def check(version, project):  # noqa: ANN001, ANN201 - Python 2 has no annotations
    """Return what is wrong with a Python version, as a sentence; None where nothing is.

    Args:
        version: its first two numbers.
        project: the text of pyproject.toml.
    """
    ((first, end),) = re.findall(r'^requires-python = ">=3\.(\d+),<3\.(\d+)"$', project, re.M)
    first, end = int(first), int(end)
    if (3, first) <= tuple(version) < (3, end):
        return None
    return (
        "This is Python {}.{}, and hdr needs Python 3.{} to 3.{}; "
        "name one, for example: make clean run PYTHON=python3.{}".format(*version, first, end - 1, first + 1)
    )


if __name__ == "__main__":
    with io.open(PROJECT, encoding="utf-8") as stream:  # noqa: UP020 - open has no encoding in Python 2
        sys.exit(check(sys.version_info[:2], stream.read()))
