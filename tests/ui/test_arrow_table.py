"""Tables for Streamlit: what becomes of values, and that nothing in them or on Draw takes pandas."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from hdr import ui
from hdr.ui.components import arrow_table

SPARED = """
import sys
from hdr.memory.lazy_imports import install_import_hooks
from hdr.ui.components import arrow_table as table
install_import_hooks()
made = table.of_rows([{"text": "a", "number": 1.5, "list": ["x"]}, {"text": None, "number": None, "list": []}])
table.skip_pandas_checks()
from streamlit.components.v2.bidi_component import serialization
from streamlit.proto.BidiComponent_pb2 import BidiComponent
sent = BidiComponent()
serialization.serialize_mixed_data({"drawing": {"objects": []}, "all": [1, 2], "number": 3}, sent)
assert sent.WhichOneof("data") == "json" and "pandas" not in sys.modules, sys.modules.get("pandas")
import pandas
from streamlit.dataframe_util import convert_anything_to_arrow_bytes
assert len(convert_anything_to_arrow_bytes(pandas.DataFrame([[1, "x"]]))) > 100
sent = BidiComponent()
serialization.serialize_mixed_data({"table": pandas.DataFrame([[1]])}, sent)
assert sent.WhichOneof("data") == "mixed"
print("both work")
"""


def test_values_keep_their_kinds() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    made = arrow_table.of_rows(
        [
            {"text": "a", "number": 1, "share": 0.5, "yes": True, "list": ["x", "y"], "when": moment, "none": None},
            {"text": None, "number": None, "share": float("nan"), "yes": None, "list": [], "when": None, "none": None},
        ]
    )
    kinds = ["string", "int64", "double", "bool", "list<item: string>", "timestamp[us, tz=UTC]", "null"]
    assert [str(field.type) for field in made.schema] == kinds
    assert made.to_pylist()[1] == dict.fromkeys(made.column_names) | {"list": []}
    assert made.to_pylist()[0]["when"] == moment


def test_a_column_of_several_kinds_becomes_text() -> None:
    assert arrow_table.of_columns({"mixed": [1, "a", None, 2.5]}).to_pydict() == {"mixed": ["1", "a", None, "2.5"]}
    assert arrow_table.of_columns({"numbers": [1, 2.5, None]}).to_pydict() == {"numbers": [1.0, 2.5, None]}


def test_arrays_are_columns_and_what_is_no_number_is_no_value() -> None:
    made = arrow_table.of_columns({"f": np.array([1.0, np.nan]), "name": ["a", "b"], "pair": np.array(["1", "2"])})
    assert made.to_pydict() == {"f": [1.0, None], "name": ["a", "b"], "pair": ["1", "2"]}


def test_no_rows_make_an_empty_table() -> None:
    assert arrow_table.of_rows([]).num_rows == 0


def test_neither_tables_nor_components_import_pandas() -> None:
    found = subprocess.run([sys.executable, "-c", SPARED], capture_output=True, text=True, timeout=120, check=False)
    assert found.stdout.strip() == "both work", found.stderr


def test_no_table_has_streamlit_import_pandas() -> None:
    sources = [path.read_text("utf-8") for path in Path(ui.__file__).parent.rglob("*.py")]
    assert not any("st.table(" in source for source in sources)
    calls = [
        {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        for source in sources
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "st.dataframe"
    ]
    assert len(calls) > 5
    # To see whether a table is large enough to be sent in parts, Streamlit imports pandas, and Plotly fails in another
    # thread meanwhile.
    assert {given.get("lazy") for given in calls} == {"False"}
