"""Memory that nobody needs to take: 63 MB in the server and in every training process.

scikit-learn imports pandas wherever that is installed, for its reader of ARFF files alone, and with it pyarrow. Here
both are installed because Streamlit draws tables with them; until it draws one they are not needed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType

_ASKS = "sklearn.utils.fixes"
"""The only place in scikit-learn that imports pandas by itself; it does without where there is none."""


class _Spared(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Nothing, so that others look for it; for that one place, that there is no such module.

        Raises:
            ModuleNotFoundError: it is pandas, and scikit-learn that asks.
        """
        if fullname == "pandas" and _importer(sys._getframe(1)) == _ASKS:
            raise ModuleNotFoundError("scikit-learn does without", name=fullname)
        return None


def _importer(frame: FrameType | None) -> str:
    while frame is not None and frame.f_globals.get("__name__", "").startswith("importlib."):
        frame = frame.f_back
    return frame.f_globals.get("__name__", "") if frame is not None else ""


def spare_pandas() -> None:
    """From now on, importing scikit-learn does not import pandas; everybody else gets it as always."""
    if not any(isinstance(finder, _Spared) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Spared())
