"""What does the same to one digit in scikit-image, SciPy or NumPy, for every step that has such a thing.

Each function returns a dictionary from a step to its counterpart in another library: its name, and a function from
uint8 (28, 28) to an array of any type.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Rival = Callable[[np.ndarray], np.ndarray]
Rivals = dict[str, tuple[str, Rival]]


def everything() -> Rivals:
    """All of them; none where scikit-image is not installed."""
    try:
        import skimage  # noqa: F401
    except ImportError:
        return {}
    return noise() | contrast() | thresholds() | edges() | morphology() | moves() | digits()


def noise() -> Rivals:
    """Noise reduction."""
    from scipy import ndimage
    from skimage import filters, restoration

    return {
        "mean": ("ndimage.uniform_filter", lambda i: ndimage.uniform_filter(i, 3, mode="nearest")),
        "gaussian": ("skimage gaussian", lambda i: filters.gaussian(i, 1.0, truncate=3)),
        "median": ("ndimage.median_filter", lambda i: ndimage.median_filter(i, 3, mode="nearest")),
        "bilateral": (
            "skimage denoise_bilateral",
            lambda i: restoration.denoise_bilateral(i, win_size=11, sigma_color=60 / 255, sigma_spatial=1.5),
        ),
        "non_local_means": (
            "skimage denoise_nl_means",
            lambda i: restoration.denoise_nl_means(i / 255, 5, 5, h=20 / 255, fast_mode=True),
        ),
        "wavelet_denoising": (
            "skimage denoise_wavelet",
            lambda i: restoration.denoise_wavelet(i / 255, 0.05, "db2", wavelet_levels=2, rescale_sigma=False),
        ),
    }


def contrast() -> Rivals:
    """Contrast."""
    from skimage import exposure

    def stretch(image: np.ndarray) -> np.ndarray:
        low, high = np.percentile(image, (1, 99))
        return exposure.rescale_intensity(image, (low, high)) if high > low else image

    return {
        "contrast_stretching": ("skimage rescale_intensity", stretch),
        "gamma": ("skimage adjust_gamma", lambda i: exposure.adjust_gamma(i, 0.5)),
        "histogram_equalisation": ("skimage equalize_hist", exposure.equalize_hist),
        "adaptive_equalisation": (
            "skimage equalize_adapthist",
            lambda i: exposure.equalize_adapthist(i, kernel_size=14, clip_limit=4 / 256),
        ),
    }


def thresholds() -> Rivals:
    """Thresholding."""
    from skimage import filters

    return {
        "threshold": ("numpy, one by one", lambda i: np.where(i > 127, np.uint8(255), np.uint8(0))),
        "otsu": ("skimage threshold_otsu", lambda i: i > filters.threshold_otsu(i)),
        "triangle": ("skimage threshold_triangle", lambda i: i > filters.threshold_triangle(i)),
        "adaptive_mean": ("skimage threshold_local", lambda i: i > filters.threshold_local(i, 31, "mean", -20)),
        "adaptive_gaussian": ("skimage threshold_local", lambda i: i > filters.threshold_local(i, 31, offset=-20)),
        "niblack": ("skimage threshold_niblack", lambda i: i > filters.threshold_niblack(i, 15, -0.2) + 10),
        "sauvola": ("skimage threshold_sauvola", lambda i: 255 - i < filters.threshold_sauvola(255 - i, 31)),
    }


def edges() -> Rivals:
    """Edges."""
    from scipy import ndimage
    from skimage import feature, filters

    return {
        "sobel_x": ("skimage sobel_v", filters.sobel_v),
        "sobel_y": ("skimage sobel_h", filters.sobel_h),
        "sobel_magnitude": ("skimage sobel", filters.sobel),
        "gradient_direction": ("skimage sobel, arctan2", lambda i: np.arctan2(filters.sobel_h(i), filters.sobel_v(i))),
        "scharr": ("skimage scharr", filters.scharr),
        "prewitt": ("skimage prewitt", filters.prewitt),
        "laplacian": ("ndimage.laplace", lambda i: ndimage.laplace(i.astype(np.float32))),
        "laplacian_of_gaussian": ("ndimage.gaussian_laplace", lambda i: ndimage.gaussian_laplace(i / 255, 1.0)),
        "canny": ("skimage canny", lambda i: feature.canny(i.astype(float), 0.8, 30, 80)),
    }


def morphology() -> Rivals:
    """Morphology."""
    from scipy import ndimage
    from skimage.morphology import skeletonize

    cross = ndimage.generate_binary_structure(2, 1)

    def redraw(image: np.ndarray) -> np.ndarray:
        return np.clip(2 - ndimage.distance_transform_edt(~skeletonize(image > 127)), 0, 1)

    return {
        "erode": ("ndimage.grey_erosion", lambda i: ndimage.grey_erosion(i, footprint=cross)),
        "dilate": ("ndimage.grey_dilation", lambda i: ndimage.grey_dilation(i, footprint=cross)),
        "opening": ("ndimage.grey_opening", lambda i: ndimage.grey_opening(i, footprint=cross)),
        "closing": ("ndimage.grey_closing", lambda i: ndimage.grey_closing(i, footprint=cross)),
        "morphological_gradient": (
            "ndimage, of the same name",
            lambda i: ndimage.morphological_gradient(i, footprint=cross),
        ),
        "skeleton": ("skimage skeletonize", lambda i: skeletonize(i > 127)),
        "stroke_width": ("skeletonize, ndimage edt", redraw),
    }


def moves() -> Rivals:
    """Normalisation that does not look at the digit."""
    from scipy import ndimage
    from skimage import transform

    larger = np.array([[1.25, 0, -3.4], [0, 1.25, -3.4], [0, 0, 1]])
    return {
        "rotate": ("skimage rotate", lambda i: transform.rotate(i, -15)),
        "translate": ("ndimage.shift", lambda i: ndimage.shift(i, (0, 3), order=0)),
        "scale": ("skimage warp", lambda i: transform.warp(i, larger)),
        "crop": ("numpy, one by one", lambda i: i[4:-4, 4:-4].copy()),
        "pad": ("numpy, one by one", lambda i: np.pad(i, 2)),
        "resize": ("skimage resize", lambda i: transform.resize(i, (14, 14), anti_aliasing=True)),
    }


def digits() -> Rivals:
    """Normalisation of one digit by its moments and its box."""
    from scipy import ndimage
    from skimage import measure, transform

    def box(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows, columns = (np.flatnonzero((image > image.max() * 0.2).any(axis=axis)) for axis in (1, 0))
        return (rows, columns) if len(rows) else (np.arange(28), np.arange(28))

    def deskew(image: np.ndarray) -> np.ndarray:
        found = measure.moments_central(image, order=2)
        slant, middle = found[1, 1] / max(found[2, 0], 1e-6), measure.centroid(image)[0]
        shear = np.array([[1, slant, -slant * middle], [0, 1, 0], [0, 0, 1]])
        return transform.warp(image, shear, order=1, preserve_range=True).astype(np.uint8)

    def turn(image: np.ndarray) -> np.ndarray:
        found = measure.moments_central(image, order=2)
        lean = np.rad2deg(np.arctan2(2 * found[1, 1], found[2, 0] - found[0, 2])) / 2
        return transform.rotate(image, -lean, center=measure.centroid(image)[::-1])

    def scale(image: np.ndarray) -> np.ndarray:
        rows, columns = box(image)
        digit = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        h, w = (max(1, round(side * 20 / max(digit.shape))) for side in digit.shape)
        out = np.zeros((28, 28), np.uint8)
        y, x = (28 - h) // 2, (28 - w) // 2
        out[y : y + h, x : x + w] = transform.resize(digit, (h, w), order=1, preserve_range=True)
        return out

    def centre_by_mass(image: np.ndarray) -> np.ndarray:
        y, x = ndimage.center_of_mass(image)
        return ndimage.shift(image, (round(14 - y), round(14 - x)), order=0)

    def centre_by_box(image: np.ndarray) -> np.ndarray:
        return ndimage.shift(image, [(27 - r[0] - r[-1]) // 2 for r in box(image)], order=0)

    return {
        "deskew": ("skimage moments, warp", deskew),
        "principal_axis": ("skimage moments, rotate", turn),
        "scale_to_box": ("skimage resize", scale),
        "centre_by_mass": ("ndimage shift", centre_by_mass),
        "centre_by_box": ("ndimage shift", centre_by_box),
    }
