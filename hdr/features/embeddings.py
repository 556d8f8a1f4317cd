"""Digits in fewer dimensions: principal components of pictures, and maps of a sample by its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hdr.features.extract import LARGEST
from hdr.features.feature_ranking import Sample
from hdr.types import HdrError, Images, ImmutableArrays, Labels, ProgressCallback, no_progress

Method = Literal["pca", "tsne"]

TSNE_FROM = 30
"""Principal components that t-SNE starts from, as its authors do."""

FAR = 5.0
"""Standard deviations beyond which a scaled value counts no more."""


@dataclass(frozen=True)
class Components(ImmutableArrays):
    """Principal components of pictures.

    Attributes:
        mean: float64 (h, w), the mean digit, in grey values.
        components: float64 (k, h, w), directions of length 1, the one with the largest variance first.
        variance: float64 (k,), along each component, in squared grey values.
        ratio: float64 (k,), the share of the whole variance that each component holds.
    """

    mean: NDArray[np.float64]
    components: NDArray[np.float64]
    variance: NDArray[np.float64]
    ratio: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ratio)

    def needed(self, share: float) -> int:
        """How many components hold that share of the variance; all there are where these do not reach it."""
        return min(int(np.searchsorted(self.ratio.cumsum(), share - 1e-12)) + 1, len(self))

    def pictures(self, count: int) -> Images:
        """The first components as signed pictures, uint8 (count, h, w), all on one scale: 128 is nothing."""
        shown = self.components[:count]
        limit = max(float(np.abs(shown).max(initial=0.0)), 1e-12)
        return (128 + np.rint(127 * shown / limit)).astype(np.uint8)

    def scores(self, image: Images) -> NDArray[np.float64]:
        """A digit, uint8 (h, w), as float64 (k,): how far it lies along each component.

        Raises:
            HdrError: it has another size than the digits that the components come from.
        """
        if image.shape != self.mean.shape:
            h, w = self.mean.shape
            raise HdrError(
                f"The digit has {image.shape[1]}x{image.shape[0]} pixels; the components come from digits of {w}x{h}."
            )
        found: NDArray[np.float64] = np.einsum("khw,hw->k", self.components, image - self.mean)
        return found

    def rebuild(self, image: Images, count: int) -> tuple[Images, float]:
        """A digit from its first components alone.

        Args:
            image: uint8 (h, w).
            count: 0 gives the mean digit.

        Returns:
            The picture, uint8 (h, w), and how much of what this digit differs by from the mean it holds, 0 to 1.
        """
        kept = self.scores(image)[:count]
        whole = float(((image - self.mean) ** 2).sum())
        rebuilt = self.mean + np.einsum("k,khw->hw", kept, self.components[:count])
        return _grey(rebuilt), min(float((kept**2).sum()) / whole, 1.0) if whole > 0 else 1.0

    def walk(self, component: int, deviations: Sequence[float]) -> Images:
        """The mean digit moved along one component: uint8 (len(deviations), h, w), moved in standard deviations."""
        steps = np.asarray(deviations, dtype=np.float64) * np.sqrt(self.variance[component])
        return _grey(self.mean + steps[:, None, None] * self.components[component])


@dataclass(frozen=True)
class Embedding(ImmutableArrays):
    """Every digit of a sample as a point in the plane.

    Attributes:
        method: "pca" or "tsne".
        points: float32 (n, 2).
        ratio: float64 (2,), for PCA the share of the variance along each axis; zeros for t-SNE: its axes mean nothing.
    """

    method: Method
    points: NDArray[np.float32]
    ratio: NDArray[np.float64]


def components(images: Images, most: int = 300) -> Components:
    """Principal components of pictures.

    Args:
        images: uint8 (n, h, w), at least one.
        most: how many components, at most; there are no more than pictures or pixels.

    Source: Pearson, On lines and planes of closest fit (1901); Turk and Pentland, Eigenfaces for recognition (1991);
    sklearn.decomposition.PCA.

    Raises:
        HdrError: the pictures are larger than 64x64 px.
    """
    from sklearn.decomposition import PCA

    n, h, w = images.shape
    if max(h, w) > LARGEST:
        raise HdrError(
            f"After its preprocessing the digit has {w}x{h} px; components are taken of at most {LARGEST}x{LARGEST} px."
        )
    flat = images.reshape(n, h * w).astype(np.float64)
    count = min(most, n, h * w)
    # The matrix of covariances takes 0.1 s for 28x28 pixels, and a minute for 64x64.
    solver = "covariance_eigh" if h * w <= 1024 else "randomized"
    with np.errstate(invalid="ignore"):
        # Pictures that are all alike have no variance to share.
        model = PCA(count, svd_solver=solver, random_state=0).fit(flat)
    ratio = np.nan_to_num(model.explained_variance_ratio_)
    return Components(
        flat.mean(axis=0).reshape(h, w), model.components_.reshape(count, h, w), model.explained_variance_, ratio
    )


def embed(drawn: Sample, method: Method, scale: bool, report: ProgressCallback = no_progress) -> Embedding:
    """Lay the digits out in the plane by their features.

    PCA turns the features so that the plane shows as much of their variance as a plane can; t-SNE keeps neighbours
    together and says nothing about what is far apart.

    Args:
        drawn: with at least two columns that vary.
        method: "pca" or "tsne".
        scale: whether to bring every column to unit variance first, as columns of different units need it: an area in
            pixels would drown a ratio beside it.
        report: is told what is being done.

    Source: van der Maaten and Hinton, Visualizing data using t-SNE (2008), jmlr.org/papers/v9/vandermaaten08a.html;
    sklearn.manifold.TSNE.

    Raises:
        HdrError: fewer than two columns vary.
    """
    from sklearn.decomposition import PCA

    report("Principal components")
    values = drawn.features - drawn.features.mean(axis=0, dtype=np.float64)
    spread = values.std(axis=0)
    varied = spread > 1e-7 * max(float(spread.max(initial=0.0)), 1e-30)
    if varied.sum() < 2:
        raise HdrError("Fewer than two columns vary over these digits; a plane needs two.")
    values, spread = values[:, varied], spread[varied]
    if scale:
        # A pixel of the rim that one digit in a thousand touches would lie 30 deviations out.
        values = np.clip(values / spread, -FAR, FAR)
    values = values.astype(np.float32)
    count = min(TSNE_FROM if method == "tsne" else 2, *values.shape)
    model = PCA(count, svd_solver="randomized", random_state=0)
    reduced = model.fit_transform(values)
    if method == "pca":
        return Embedding(method, reduced.astype(np.float32), model.explained_variance_ratio_[:2])
    return Embedding(method, _tsne(reduced, report), np.zeros(2))


def _tsne(reduced: NDArray[np.float32], report: ProgressCallback) -> NDArray[np.float32]:
    from sklearn.manifold import TSNE

    n = len(reduced)
    report(f"t-SNE lets {n} points find their neighbours; this takes seconds, and nobody can say how many")
    tsne = TSNE(init="pca", perplexity=min(30, (n - 1) / 3), random_state=0, n_jobs=1)
    points: NDArray[np.float32] = tsne.fit_transform(reduced)
    return points


def strangest(points: NDArray[np.floating], labels: Labels) -> int:
    """Which point lies deepest among another class: the one that is nearer to another class's median than to its own,
    by the largest difference. Distances are in standard deviations of each axis."""
    scaled = points / np.maximum(points.std(axis=0), 1e-12)
    present = np.unique(labels)
    medians = np.stack([np.median(scaled[labels == d], axis=0) for d in present])
    distance = np.linalg.norm(scaled[:, None] - medians[None], axis=2)
    own = distance[np.arange(len(labels)), np.searchsorted(present, labels)]
    return int(np.argmax(own - distance.min(axis=1)))


def _grey(values: NDArray[np.float64]) -> Images:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
