"""What is not imported, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

PANDAS = """
import sys
from hdr.memory.lazy_imports import install_import_hooks
install_import_hooks()
install_import_hooks()
import sklearn.svm, sklearn.neural_network
assert not {"pandas", "pyarrow", "rich.progress"} & set(sys.modules)
import rich.progress
import pandas
from sklearn.decomposition import PCA
PCA(2).fit(pandas.DataFrame([[1.0, 2.0], [3.0, 5.0], [2.0, 7.0]]))
print("both work")
"""

FORTRAN = """
import sys
from hdr.memory.lazy_imports import install_import_hooks
install_import_hooks()
import scipy.ndimage
assert "numpy.f2py.crackfortran" not in sys.modules
import numpy.f2py
assert callable(numpy.f2py.get_include) and "numpy.f2py.crackfortran" in sys.modules
print("both work")
"""

ESTIMATORS = """
import sys
from hdr.memory.lazy_imports import install_import_hooks
install_import_hooks()
import skops.io
from skops.io import _trusted_types as types
assert "sklearn.datasets" not in sys.modules and "pytest" not in sys.modules
from sklearn.utils import all_estimators
thorough = [types.get_type_name(c) for _, c in all_estimators()]
assert "sklearn.datasets" in sys.modules, "who needs the thorough one has it"
expected = {name for name in thorough if name.startswith("sklearn.")}
missing = expected.symmetric_difference(types.SKLEARN_ESTIMATOR_TYPE_NAMES)
assert len(expected) > 150 and all(name.startswith("sklearn.feature_extraction.") for name in missing), missing
print("both work")
"""


def run(code: str) -> None:
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert found.stdout.strip() == "both work", found.stderr


def test_scikit_learn_does_without_pandas_and_everybody_else_has_it() -> None:
    run(PANDAS)


def test_scipy_does_without_the_translator_of_fortran() -> None:
    run(FORTRAN)


def test_skops_trusts_all_estimators_but_those_of_texts_without_importing_everything() -> None:
    run(ESTIMATORS)
