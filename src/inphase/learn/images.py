"""Images with known segments: PNG and JPEG files, scikit-image's samples, and the Berkeley data set with human segments.

An image becomes nodes by `pixel_features`, one node a pixel, row by row: colors/255 and the place (x, y) in [0, 1].
`LabeledImage.problem` gives the task: half of the pixels, drawn at random, to train and validate, the other half to test.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.errors import finite_array, integer
from inphase.learn.problems import Problem, from_image

Labels = NDArray[np.int64]
Groups = Sequence[Sequence[int]]

# The annotator (from 0) and the segments (as the files number them, from 1) that KuraNet's image experiments join to classes
# 1, 2, ...; pixels of no group are class 0. From the settings of its public repository.
KURANET: dict[str, tuple[int, Groups]] = {
    "90076": (4, ((11,), (9,), (7,))),
    "118020": (3, ((12, 10, 8), (1,), (2, 3), (4,))),
    "124084": (0, ((2,), (3,), (4,), (5,))),
    "189011": (0, ((11,), (7,), (5,))),
    "229036": (2, ((3,), (4,), (5,))),
    "247003": (0, ((2,), (3,), (4,))),
    "296028": (0, ((1,), (6,), (8,), (10,))),
    "317080": (2, ((1, 3), (4, 5, 6), (7,))),
    "361010": (3, ((5, 14, 17, 27), (13, 15, 18, 20), (12,))),
}
PICTURES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr")  # Pillow's modes that are read
MASKS = ("1", "L", "P", "I", "I;16")


@dataclass(frozen=True, eq=False)
class LabeledImage:
    """An image and the segment of each of its pixels.

    Parameters
    ----------
    pixels : array_like, shape (height, width, 3) or (height, width)
        0..255.
    labels : array_like of int, shape (height, width)
        0..k−1; −1: none.
    name : str

    Raises
    ------
    ValueError, TypeError
        If labels are missing, shapes do not fit, values are outside 0..255, or a class of 0..k−1 has no pixel.

    Examples
    --------
    >>> import numpy as np
    >>> image = LabeledImage(np.zeros((4, 6, 3)), np.arange(24).reshape(4, 6) % 2)
    >>> image.shape, image.classes, image.features.shape
    ((4, 6), 2, (24, 5))
    """

    pixels: Any
    labels: Any
    name: str = "image"

    def __post_init__(self) -> None:
        pixels = _pixels(self.pixels)
        if self.labels is None:
            raise ValueError(f"labels must be given: {self.name} has no mask that says which segment a pixel is of")
        labels = np.asarray(self.labels)
        if labels.dtype.kind not in "biu":
            raise TypeError(f"labels must be whole numbers; got {labels.dtype}")
        if labels.shape != pixels.shape[:2]:
            raise ValueError(f"labels must have the image's shape {pixels.shape[:2]}; got shape {labels.shape}")
        labels = labels.astype(np.int64)
        if np.min(labels) < -1 or np.max(labels) < 0:
            raise ValueError(f"labels must be 0..k-1, or -1 for none; got {np.min(labels)}..{np.max(labels)}")
        counts = np.bincount(labels[labels >= 0])
        if not np.all(counts):
            raise ValueError(f"labels must be 0..k-1, all of them; no pixel is of class {int(np.argmin(counts))}")
        object.__setattr__(self, "pixels", pixels)
        object.__setattr__(self, "labels", labels)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self.labels.shape
        return height, width

    @property
    def classes(self) -> int:
        """k."""
        return int(np.max(self.labels)) + 1

    @property
    def features(self) -> NDArray[np.float64]:
        """All pixels as nodes: (height · width, 5), or 3 columns of a gray image."""
        return pixel_features(self.pixels)

    def problem(self, seed: int = 0, **changes: Any) -> Problem:
        """The task to segment it: graphs of 1000 pixels, half of all pixels to train and validate, the others to test."""
        return from_image(self.pixels, self.labels, name=self.name, seed=seed, **changes)


def pixel_features(pixels: ArrayLike) -> NDArray[np.float64]:
    """Colors/255 and the place (x, y) in [0, 1] of each pixel, row by row.

    Parameters
    ----------
    pixels : array_like, shape (height, width, 3) or (height, width)
        0..255.

    Returns
    -------
    ndarray, shape (height · width, 5) or (height · width, 3)

    Examples
    --------
    >>> pixel_features([[0, 255]])
    array([[0., 0., 0.],
           [1., 1., 0.]])
    """
    values = _pixels(pixels)
    height, width = values.shape[:2]
    y, x = np.mgrid[:height, :width]
    place = np.stack([x.ravel() / max(width - 1, 1), y.ravel() / max(height - 1, 1)], axis=1)
    return np.concatenate([values.reshape(height * width, -1) / 255, place], axis=1)


def _pixels(pixels: ArrayLike) -> NDArray[np.float64]:
    values = finite_array("pixels", pixels)
    if values.ndim not in (2, 3) or not values.size or (values.ndim == 3 and values.shape[2] != 3):
        raise ValueError(f"pixels must have shape (height, width, 3) or (height, width); got shape {values.shape}")
    if np.min(values) < 0 or np.max(values) > 255:
        raise ValueError(f"pixels must be within 0..255; got {np.min(values):g}..{np.max(values):g}")
    return values


# ------------------------------------------------------------------------------------------------------------------- files


def load_image(
    path: str | os.PathLike[str],
    mask: str | os.PathLike[str] | None = None,
    *,
    annotator: int | None = None,
    groups: Groups | None = None,
) -> LabeledImage:
    """An image file with its mask.

    Parameters
    ----------
    path : path
        PNG, JPEG or another format that Pillow reads; 8 bits a color. Transparency is dropped.
    mask : path
        An image of one channel, each value a class (PNG; JPEG alters values), or a ground truth of BSDS, .mat.
    annotator : int, optional
    groups : sequence of sequences of int, optional
        For a .mat file, as `bsds_labels` takes them.

    Raises
    ------
    OSError
        If a file is missing or cannot be read as an image.
    ValueError, TypeError
        If no mask is given, its shape is not the image's, or a file is of another kind.
    """
    where = Path(path)
    if mask is None:
        raise ValueError(f"mask must be given: {where} has no mask; a PNG with a class for each pixel, or a .mat file of BSDS")
    pixels = read_pixels(where)
    if Path(mask).suffix.lower() == ".mat":
        labels = bsds_labels(mask, annotator, groups)
    elif annotator is None and groups is None:
        labels = read_mask(mask)
    else:
        raise ValueError(f"annotator and groups are for .mat files of BSDS; the mask is {mask}")
    return LabeledImage(pixels, labels, where.stem)


def read_pixels(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """An image file as (height, width, 3), or (height, width) if it is gray; 0..255."""
    picture = _opened(path)
    if picture.mode not in PICTURES:
        raise ValueError(f"{path} must have 8 bits a color; got the mode {picture.mode!r}")
    return np.asarray(picture if picture.mode == "L" else picture.convert("RGB"))


def read_mask(path: str | os.PathLike[str]) -> Labels:
    """A mask of one channel as classes (height, width): its values, ascending, are 0, 1, ..."""
    picture = _opened(path)
    if picture.mode not in MASKS:
        raise ValueError(f"{path} must have one channel, a class for each pixel; got the mode {picture.mode!r}")
    values = np.asarray(picture)
    return np.unique(values, return_inverse=True)[1].reshape(values.shape).astype(np.int64)


def _opened(path: str | os.PathLike[str]) -> Any:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise ImportError("images need Pillow: pip install 'inphase[learn]'") from None
    try:
        with Image.open(path) as picture:
            picture.load()
            return picture
    except UnidentifiedImageError:
        raise OSError(f"cannot read {path}: no image") from None
    except OSError as error:
        raise OSError(f"cannot read {path}: {error.strerror or error}") from None


def sample_image(name: str) -> NDArray[np.uint8]:
    """A sample of scikit-image, "astronaut" or "coffee", say; it has no mask: `LabeledImage(sample_image(name), labels)`.

    Parameters
    ----------
    name : str
        A function of `skimage.data` that gives an image.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3) or (height, width)

    Raises
    ------
    ValueError
        If there is no sample of that name, or it is no image of one or three colors.
    OSError
        If scikit-image would have to download it, and cannot.
    """
    try:
        from skimage import data
    except ImportError:
        raise ImportError("the sample images need scikit-image: pip install scikit-image") from None
    if not isinstance(name, str) or name not in data.__all__ or name in ("data_dir", "download_all", "file_hash"):
        raise ValueError(f"name must be one of skimage.data's samples: {', '.join(data.__all__)}; got {name!r}")
    try:
        values = np.asarray(getattr(data, name)())
    except ImportError as error:  # its downloader
        raise OSError(f"scikit-image must download {name!r}, and cannot: {error}") from None
    values = np.uint8(255) * values if values.dtype == bool else values
    values = values[..., :3] if values.ndim == 3 and values.shape[2] == 4 else values
    if values.dtype != np.uint8 or values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] != 3):
        raise ValueError(f"{name!r} is no image of 8 bits a color: shape {values.shape}, {values.dtype}")
    return values


# -------------------------------------------------------------------------------------------------------------------- BSDS


def bsds_labels(path: str | os.PathLike[str], annotator: int | None = None, groups: Groups | None = None) -> Labels:
    """Classes from a ground truth of the Berkeley Segmentation Data Set, a .mat file with several annotators' segments.

    Parameters
    ----------
    path : path
    annotator : int, optional
        From 0. If not given: the one with the fewest segments (of several, the first), as the circle has place for few.
    groups : sequence of sequences of int, optional
        Segments, numbered from 1 as in the file, that become classes 1, 2, ...; pixels of no group are class 0. If not
        given, segment s is class s − 1.

    Returns
    -------
    ndarray of int, shape (height, width)

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no ground truth of BSDS, there is no such annotator, or a segment is not there or in two groups.

    References
    ----------
    Arbeláez, Maire, Fowlkes, Malik, *Contour detection and hierarchical image segmentation*, IEEE TPAMI 33(5) (2011).
    """
    segments = _annotations(path)
    if annotator is None:
        annotator = int(np.argmin([len(np.unique(s)) for s in segments]))
    if integer("annotator", annotator, least=0) >= len(segments):
        raise ValueError(f"annotator must be below {len(segments)}, of whom {path} has segments; got {annotator}")
    chosen = segments[annotator]
    if groups is None:
        return np.unique(chosen, return_inverse=True)[1].reshape(chosen.shape).astype(np.int64)
    labels, seen = np.zeros(chosen.shape, dtype=np.int64), set()
    for number, group in enumerate(groups, 1):
        for segment in group:
            if segment in seen:
                raise ValueError(f"groups must not share segments; segment {segment} is in two")
            if not np.any(chosen == segment):
                raise ValueError(f"annotator {annotator} of {path} has no segment {segment}; there are 1..{np.max(chosen)}")
            seen.add(segment)
            labels[chosen == segment] = number
    return labels if np.any(labels == 0) else labels - 1


def _annotations(path: str | os.PathLike[str]) -> list[Labels]:
    """The segments of each annotator, (height, width), from 1."""
    from scipy.io import loadmat

    try:
        content = loadmat(os.fspath(path), appendmat=False)
    except OSError as error:
        raise OSError(f"cannot read {path}: {error.strerror or error}") from None
    except Exception as error:  # a truncated file raises what the reader stumbles over
        raise ValueError(f"{path} is truncated, or no .mat file: {error}") from None
    try:
        cells = content["groundTruth"]
        found = [np.asarray(cells[0, k]["Segmentation"][0, 0]).astype(np.int64) for k in range(cells.shape[1])]
    except (KeyError, IndexError, ValueError, TypeError):
        raise ValueError(f"{path} is no ground truth of BSDS: it lacks groundTruth{{1, k}}.Segmentation") from None
    if not found or any(s.ndim != 2 for s in found):
        raise ValueError(f"{path} is no ground truth of BSDS: its segments are no matrices")
    return found


def bsds_image(
    folder: str | os.PathLike[str], name: str | int, annotator: int | None = None, groups: Groups | None = None
) -> LabeledImage:
    """An image of the Berkeley Segmentation Data Set with its segments.

    Parameters
    ----------
    folder : path
        With images/{train,val,test}/NAME.jpg and groundTruth/{train,val,test}/NAME.mat, as in the archive.
    name : str or int
        The number of the image.
    annotator : int, optional
    groups : sequence of sequences of int, optional
        As `bsds_labels` takes them. If neither is given and the image is one of KuraNet's nine, its choice (`KURANET`).

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    ValueError
        As `bsds_labels`.
    """
    if annotator is None and groups is None and str(name) in KURANET:
        annotator, groups = KURANET[str(name)]
    image, truth = (
        _found(Path(folder), part, f"{name}.{ending}") for part, ending in (("images", "jpg"), ("groundTruth", "mat"))
    )
    return load_image(image, truth, annotator=annotator, groups=groups)


def _found(folder: Path, part: str, name: str) -> Path:
    for split in ("train", "val", "test"):
        if (path := folder / part / split / name).exists():
            return path
    raise OSError(f"cannot read {folder / part}/{{train,val,test}}/{name}: no such file")
