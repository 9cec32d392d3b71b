"""Images with known segments: files, arrays, scikit-image's samples, the Berkeley set with human segments.

An image becomes nodes by `pixel_features`, one node a pixel, row by row: colors/255 and the place (x, y) in
[0, 1]. `LabeledImage.problem` gives the task: half of the pixels, drawn at random, to train (40%) and
validate (10%), half to test.
"""

from __future__ import annotations

import io
import logging
import os
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.checks import finite_array
from inphase.data.bsds import KURANET, Groups, Labels, bsds_folder, bsds_labels, file_of
from inphase.learn.problems import Problem, from_image, numbered
from inphase.stored import read_npy, reading

PICTURES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr")  # Pillow's modes that are read
MASKS = ("1", "L", "P", "I", "I;16")
ARRAYS = (".npy", ".csv")
LONGEST = 100  # characters of a field of a .csv file
SAMPLE = "skimage:"


@dataclass(frozen=True, eq=False)
class LabeledImage:
    """An image and the segment of each of its pixels.

    Parameters
    ----------
    pixels : array_like, shape (height, width, 3) or (height, width)
        0..255.
    labels : array_like of int or str, shape (height, width)
        0..k−1; −1: none. Texts are numbered in sorted order.
    name : str
    class_names : tuple of str
        What the classes 0..k−1 are called; the texts, where labels are texts.

    Raises
    ------
    ValueError, TypeError
        If labels are missing, shapes do not fit, values are outside 0..255 or floats within 0..1, or a class of 0..k−1 has no
        pixel.

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
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        pixels = _pixels(self.pixels)
        if self.labels is None:
            raise ValueError(
                f"labels must be given: {self.name} has no mask that says which segment a pixel is of"
            )
        labels, names = numbered(self.labels)
        if labels.dtype.kind not in "biu":
            raise TypeError(f"labels must be whole numbers; got {labels.dtype}")
        if labels.shape != pixels.shape[:2]:
            raise ValueError(
                f"labels must have the image's shape {pixels.shape[:2]}; got shape {labels.shape}"
            )
        labels = labels.astype(np.int64)
        if np.min(labels) < -1 or np.max(labels) < 0:
            raise ValueError(f"labels must be 0..k-1, or -1 for none; got {np.min(labels)}..{np.max(labels)}")
        counts = np.bincount(labels[labels >= 0])
        if not np.all(counts):
            raise ValueError(
                f"labels must be 0..k-1, all of them; no pixel is of class {int(np.argmin(counts))}"
            )
        object.__setattr__(self, "pixels", pixels)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "class_names", names or tuple(self.class_names))

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
        return _features(self.pixels)

    def problem(self, seed: int = 0, **changes: Any) -> Problem:
        """The task to segment it: graphs of 1000 pixels, half of all to train and validate, half to test."""
        task = from_image(self.pixels, self.labels, name=self.name, seed=seed, **changes)
        return replace(task, class_names=self.class_names)


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
    return _features(_pixels(pixels))


def _features(values: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = values.shape[:2]
    y, x = np.mgrid[:height, :width]
    place = np.stack([x.ravel() / max(width - 1, 1), y.ravel() / max(height - 1, 1)], axis=1)
    return np.concatenate([values.reshape(height * width, -1) / 255, place], axis=1)


def _pixels(pixels: ArrayLike) -> NDArray[np.float64]:
    values = finite_array("pixels", pixels)
    if values.ndim not in (2, 3) or not values.size or (values.ndim == 3 and values.shape[2] != 3):
        raise ValueError(
            f"pixels must have shape (height, width, 3) or (height, width); got shape {values.shape}"
        )
    if np.min(values) < 0 or np.max(values) > 255:
        raise ValueError(f"pixels must be within 0..255; got {np.min(values):g}..{np.max(values):g}")
    if np.asarray(pixels).dtype.kind == "f" and 0 < np.max(values) <= 1:
        raise ValueError(
            f"pixels must be within 0..255; got floats within {np.min(values):g}..{np.max(values):g}, which look like "
            "0..1: multiply them by 255 (an image that is so dark has whole numbers, as integers)"
        )
    return values


# ------------------------------------------------------------------------------------------------------ files


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
        PNG, JPEG, TIFF or another format that Pillow reads, 8 bits a color, transparency is dropped, turned as
        its EXIF orientation says; an
        array, .npy, or a gray image as rows of numbers, .csv, both 0..255; "skimage:NAME", a sample of
        scikit-image.
    mask : path
        An image of one channel, each value a class (gray or of a palette; PNG, TIFF: JPEG alters values); an
        array of whole numbers or texts, .npy, or rows of them, .csv; a ground truth of BSDS, .mat.
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
    if mask is None:
        raise ValueError(
            f"mask must be given: {path} has no mask; a PNG with a class for each pixel, or a .mat file of BSDS"
        )
    pixels = read_pixels(path)
    names: tuple[str, ...] = ()
    if Path(mask).suffix.lower() == ".mat":
        labels = bsds_labels(mask, annotator, groups)
    elif annotator is None and groups is None:
        labels, names = _mask(mask)
    else:
        raise ValueError(f"annotator and groups are for .mat files of BSDS; the mask is {mask}")
    return LabeledImage(pixels, labels, Path(str(path).removeprefix(SAMPLE)).stem, names)


def read_pixels(path: str | os.PathLike[str]) -> NDArray[Any]:
    """An image as (height, width, 3), gray (height, width), in 0..255; files as for `load_image`."""
    if str(path).startswith(SAMPLE):
        return sample_image(str(path).removeprefix(SAMPLE))
    if Path(path).suffix.lower() in ARRAYS:
        values = _array(path)
        if values.dtype.kind not in "iuf":
            raise ValueError(f"{path} must hold numbers 0..255; got {values.dtype}")
        return values
    picture = _opened(path)
    if picture.mode not in PICTURES:
        raise ValueError(f"{path} must have 8 bits a color; got the mode {picture.mode!r}")
    return np.asarray(picture if picture.mode == "L" else picture.convert("RGB"))


def _mask(path: str | os.PathLike[str]) -> tuple[Labels, tuple[str, ...]]:
    """A mask as classes (height, width), its values, ascending, being 0, 1, ... and −1 in arrays no class; and
    the names of its classes where it holds texts.
    """
    if Path(path).suffix.lower() in ARRAYS:
        values, names = numbered(_array(path))
        if values.dtype.kind not in "iu" or values.ndim != 2 or not values.size:
            raise ValueError(
                f"{path} must hold (height, width) whole numbers or texts; got {values.dtype} {values.shape}"
            )
    else:
        picture, names = _opened(path), ()
        if picture.mode not in MASKS:
            raise ValueError(
                f"{path} must have one channel, a class for each pixel; got the mode {picture.mode!r}"
            )
        values = np.asarray(picture)
    found, ranks = np.unique(values, return_inverse=True)
    if found[0] < -1:
        raise ValueError(f"{path} must hold classes >= 0, or -1 for none; got {found[0]}")
    return (ranks.reshape(values.shape) - int(found[0] == -1)).astype(np.int64), names


def _array(path: str | os.PathLike[str]) -> NDArray[Any]:
    """A .npy file, or the rows of a .csv file: whole numbers, numbers or texts."""
    what = "is truncated, or holds no array: {}"
    if Path(path).suffix.lower() == ".npy":
        return read_npy(path, what)
    with reading(path, what):
        text = Path(path).read_text(encoding="utf-8-sig")
        longest = max(map(len, text.replace("\n", ",").split(",")))
        if longest > LONGEST:  # each field takes the room of the longest
            raise ValueError(f"fields must have at most {LONGEST} characters; got one of {longest}")
        cells = np.loadtxt(io.StringIO(text), dtype=str, delimiter=",", ndmin=2)
    cells = np.char.strip(cells)
    for kind in (np.int64, np.float64):
        try:
            return cells.astype(kind)
        except (ValueError, OverflowError):
            continue
    return np.asarray(cells)


def _opened(path: str | os.PathLike[str]) -> Any:
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError:
        raise ImportError("images need Pillow: pip install 'inphase[learn]'") from None
    with reading(path, "cannot be read as an image: {}", raises=OSError):
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        logging.getLogger("PIL").addHandler(
            logging.NullHandler()
        )  # what it logs would be a line on standard error
        try:
            with Image.open(path) as picture:
                picture.load()
                # as it is looked at: a camera that was held upright says so in a tag
                return ImageOps.exif_transpose(picture)
        except UnidentifiedImageError:
            raise OSError(f"cannot read {path}: no image") from None
        except OSError as error:
            raise OSError(f"cannot read {path}: {error.strerror or error}") from None


def sample_image(name: str) -> NDArray[np.uint8]:
    """A sample of scikit-image, "astronaut" say; no mask: `LabeledImage(sample_image(name), labels)`.

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
    if (
        not isinstance(name, str)
        or name not in data.__all__
        or name in ("data_dir", "download_all", "file_hash")
    ):
        raise ValueError(
            f"name must be one of skimage.data's samples: {', '.join(data.__all__)}; got {name!r}"
        )
    try:
        values = np.asarray(getattr(data, name)())
    except (ImportError, OSError) as error:  # its downloader, or the net
        raise OSError(f"scikit-image does not ship {name!r}, and cannot download it: {error}") from None
    values = np.uint8(255) * values if values.dtype == bool else values
    values = values[..., :3] if values.ndim == 3 and values.shape[2] == 4 else values
    if values.dtype != np.uint8 or values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] != 3):
        raise ValueError(f"{name!r} is no image of 8 bits a color: shape {values.shape}, {values.dtype}")
    return values


# ------------------------------------------------------------------------------------------------------- BSDS


def bsds_image(
    folder: str | os.PathLike[str] | None,
    name: str | int,
    annotator: int | None = None,
    groups: Groups | None = None,
) -> LabeledImage:
    """An image of the Berkeley Segmentation Data Set with its segments.

    Parameters
    ----------
    folder : path or None
        With images/{train,val,test}/NAME.jpg and groundTruth/{train,val,test}/NAME.mat, as in the archive.
        None: that of `bsds_folder`.
    name : str or int
        The number of the image.
    annotator : int, optional
    groups : sequence of sequences of int, optional
        As `bsds_labels` takes them. If neither is given and the image is one of KuraNet's nine, its choice
        (`KURANET`).

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    ValueError
        As `bsds_labels`.
    """
    if annotator is None and groups is None and str(name) in KURANET:
        annotator, groups = KURANET[str(name)]
    root = bsds_folder() if folder is None else Path(folder)
    image, truth = (
        file_of(root, part, f"{name}.{ending}")
        for part, ending in (("images", "jpg"), ("groundTruth", "mat"))
    )
    return load_image(image, truth, annotator=annotator, groups=groups)
