"""What is not imported, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

SPARED = """
import sys
from hdr.sparing import spare_pandas
spare_pandas()
spare_pandas()
import sklearn.svm, sklearn.neural_network
assert "pandas" not in sys.modules and "pyarrow" not in sys.modules
import pandas
from sklearn.decomposition import PCA
PCA(2).fit(pandas.DataFrame([[1.0, 2.0], [3.0, 5.0], [2.0, 7.0]]))
print("both work")
"""


def test_scikit_learn_does_without_pandas_and_everybody_else_has_it() -> None:
    found = subprocess.run([sys.executable, "-c", SPARED], capture_output=True, text=True, timeout=120, check=False)
    assert found.stdout.strip() == "both work", found.stderr
