"""Turn citations in captions into links to their sources."""

from __future__ import annotations

import re

_OPENCV = "https://docs.opencv.org/4.x/"
_OPENCV_PAGES = {
    "d4/d86/group__imgproc__filter.html": (
        "blur GaussianBlur medianBlur bilateralFilter Sobel Scharr Laplacian filter2D erode dilate morphologyEx "
        "sepFilter2D getGaborKernel"
    ),
    "d7/d1b/group__imgproc__misc.html": "threshold adaptiveThreshold distanceTransform",
    "d6/dc7/group__imgproc__hist.html": "equalizeHist createCLAHE",
    "da/d54/group__imgproc__transform.html": "warpAffine resize getRotationMatrix2D",
    "dd/d1a/group__imgproc__feature.html": "Canny goodFeaturesToTrack cornerHarris cornerMinEigenVal",
    "d3/dc0/group__imgproc__shape.html": "moments HuMoments connectedComponents findContours",
    "d1/d79/group__photo__denoise.html": "fastNlMeansDenoising",
}
_OPENCV_FUNCTIONS = {name: page for page, names in _OPENCV_PAGES.items() for name in names.split()}

_WORKS = {
    "Gradient-based learning applied to document recognition": "https://doi.org/10.1109/5.726791",
    "Digital Image Processing": "https://www.imageprocessingplace.com/",
}
"""URLs of frequently cited works: the DOI, or the website of a book."""

_CITED = re.compile(
    r"(?P<work>(?<!Introduction to )(?:" + "|".join(_WORKS) + r"))"
    r"|doi:(?P<doi>10\.\S+?(?=[.,;]?(?:\s|$)))"
    r"|cv2\.(?P<cv2>\w+)"
    r"|(?P<library>skimage|sklearn|scipy|numpy|pywt)(?P<name>(?:\.\w+)+)"
)


def link_citation(source: str) -> str:
    """Return a source as Markdown, with links for DOIs and library functions.

    Args:
        source: as an entry's docstring has it; never what a visitor wrote.
    """
    return _CITED.sub(_link, source)


def _link(found: re.Match[str]) -> str:
    address = _address(found)
    return f"[{found[0]}]({address})" if address else found[0]


def _address(found: re.Match[str]) -> str:
    if found["work"]:
        return _WORKS[found["work"]]
    if found["doi"]:
        # Parentheses would end a link in Markdown.
        return "https://doi.org/" + found["doi"].replace("(", "%28").replace(")", "%29")
    if found["cv2"]:
        page = _OPENCV_FUNCTIONS.get(found["cv2"])
        return _OPENCV + page if page else ""
    library, name = found["library"], found["library"] + found["name"]
    module = name.rsplit(".", 1)[0]
    return {
        "skimage": f"https://scikit-image.org/docs/stable/api/{module}.html#{name}",
        "sklearn": f"https://scikit-learn.org/stable/modules/generated/{name}.html",
        "scipy": f"https://docs.scipy.org/doc/scipy/reference/generated/{name}.html",
        "numpy": f"https://numpy.org/doc/stable/reference/generated/{name}.html",
        "pywt": "https://pywavelets.readthedocs.io/en/latest/",
    }[library]
