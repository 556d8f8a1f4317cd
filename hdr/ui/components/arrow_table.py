"""Tables as Streamlit shows them, made without pandas: that would be another 36 MB in the server, for nothing else.

Pass them to `st.dataframe` with `lazy=False`: otherwise Streamlit imports pandas to see how large they are.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa


def of_rows(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return a table for `st.dataframe`, from its rows.

    Args:
        rows: with the same names each, in the order of the columns; None where there is no value.
    """
    return of_columns({name: [row[name] for row in rows] for name in (rows[0] if rows else ())})


def of_columns(columns: Mapping[str, Sequence[Any] | np.ndarray]) -> pa.Table:
    """Return a table for `st.dataframe`, from its columns.

    Args:
        columns: values by name, of the same length; None or NaN where there is no value. A column whose values are of
            several kinds becomes one of texts.
    """
    # Here and not on top, as it takes 30 MB, and most pages have no table.
    import pyarrow as pa

    return pa.table({name: _column(pa, values) for name, values in columns.items()})


def _column(pa: ModuleType, values: Sequence[Any] | np.ndarray) -> pa.Array:
    try:
        # As pandas would: no number is no value.
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values])


def _is_table(obj: object) -> bool:
    """Return whether an object is a table. Tables of pandas and pyarrow can only exist once these are imported."""
    from streamlit.dataframe_util import is_dataframe_like

    plain = isinstance(obj, (dict, list)) and "pandas" not in sys.modules
    return not plain and is_dataframe_like(obj)


def skip_pandas_checks() -> None:
    """From now on, Streamlit does not import pandas to see whether the dict that a component is given is a table."""
    from streamlit.components.v2.bidi_component import serialization

    # Streamlit has no setting for it; where a later one looks in another way, it is only as it was.
    if hasattr(serialization, "is_dataframe_like"):
        serialization.is_dataframe_like = _is_table
