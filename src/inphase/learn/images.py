"""Images with known segments: files of images and arrays, scikit-image's samples, the Berkeley data set with human segments.

An image becomes nodes by `pixel_features`, one node a pixel, row by row: colors/255 and the place (x, y) in [0, 1].
`LabeledImage.problem` gives the task: half of the pixels, drawn at random, to train (40%) and validate (10%), half to test.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import tarfile
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase.errors import finite_array, integer
from inphase.graphs.datasets import SECONDS
from inphase.graphs.datasets import _folder as data_folder
from inphase.learn.problems import Problem, from_image, numbered

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
ARRAYS = (".npy", ".csv")
SAMPLE = "skimage:"

BSDS = "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz"
INSIDE = "BSR/BSDS500/data/"  # of the archive
HASHES = {  # SHA-256 of KuraNet's nine images and their segments, by which a download is known
    "images/test/247003.jpg": "a2cd96da4a2ac152771f68b3cb8e0e0ef2103893576c28f9bda99858d393802e",
    "images/test/296028.jpg": "8606729e41788f88f970b302d9981660b1f2aea7bcbb8a23b4c2feb6f16e555e",
    "images/train/118020.jpg": "da00f706075bda5d4a4fb9482ac7454980ceb56aa177578b8edd58af045bd676",
    "images/train/124084.jpg": "db2fd9ed255d3d9125637b15ffe60779bb01e135cbb6ccd56bcb54be74653d61",
    "images/train/189011.jpg": "33f96f0bfcb6d4bbb09555789ee73194c7c30f62f2af824b603f8c04ad684452",
    "images/train/317080.jpg": "5ff96228e4bb947da0901f617c4492d6ecadef81729fee603e8c0fbda142f716",
    "images/train/90076.jpg": "bd9f9463f273b26cbd0a39e653e13a48f3884c41db03ce7fadd75313e6479230",
    "images/val/229036.jpg": "3ed19e58c2c7c2b67d8624ce7a1b1a929daec59e5fc7b4217f966f00853fa9b7",
    "images/val/361010.jpg": "fe806b64c91cff4d3c4755d84d6e449581ec064be0593d8c7b483e76dcbf7cb1",
    "groundTruth/test/247003.mat": "ca6a33a29457508ea1d848b2dfe0daac65c2fdca472b6a59a8c8137888b068f1",
    "groundTruth/test/296028.mat": "ea2281aad4ce249fb08a8a57a65e10b3ea75f033c58bbea56feba2fe44475831",
    "groundTruth/train/118020.mat": "bae6b6896769d3101d064401af96e18ab19b86fb7e708901e865b87f8213e60a",
    "groundTruth/train/124084.mat": "8918d7e1da8a53c8406db7f278b6fb1efa4fd6136f58c877e1c7ece99126c843",
    "groundTruth/train/189011.mat": "249acdb3951554724039041cb335cef8ab2f8add8e065c37d719c81a8f5b4969",
    "groundTruth/train/317080.mat": "41a75780ff291028c3ca7371e98a940252182c526a0e18096eaff2aa04800b39",
    "groundTruth/train/90076.mat": "21df4ee2d46fa6546566e4841e34c4bd8a81de5e5fa57adc62abaf14503a1f8e",
    "groundTruth/val/229036.mat": "16df9904984a76697aada7837800d99bd0ea49dbbf0a717e30516840d0f102d8",
    "groundTruth/val/361010.mat": "0686277a18c8fe34bb891abad5128ef75b362adb62c4c1b3169bee03549a4de6",
}


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
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        pixels = _pixels(self.pixels)
        if self.labels is None:
            raise ValueError(f"labels must be given: {self.name} has no mask that says which segment a pixel is of")
        labels, names = numbered(self.labels)
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
        return pixel_features(self.pixels)

    def problem(self, seed: int = 0, **changes: Any) -> Problem:
        """The task to segment it: graphs of 1000 pixels, half of all pixels to train and validate, the others to test."""
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
        PNG, JPEG, TIFF or another format that Pillow reads, 8 bits a color, transparency is dropped; an array, .npy, or a gray
        image as rows of numbers, .csv, both 0..255; "skimage:NAME", a sample of scikit-image.
    mask : path
        An image of one channel, each value a class (gray or of a palette; PNG, TIFF: JPEG alters values); an array of whole
        numbers or texts, .npy, or rows of them, .csv; a ground truth of BSDS, .mat.
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
        raise ValueError(f"mask must be given: {path} has no mask; a PNG with a class for each pixel, or a .mat file of BSDS")
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
    """An image as (height, width, 3), or (height, width) if it is gray; 0..255. Files are those of `load_image`."""
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


def read_mask(path: str | os.PathLike[str]) -> Labels:
    """A mask as classes (height, width): its values, ascending, are 0, 1, ...; in arrays and .csv −1 is no class."""
    return _mask(path)[0]


def _mask(path: str | os.PathLike[str]) -> tuple[Labels, tuple[str, ...]]:
    """The mask, and the names of its classes where it holds texts."""
    if Path(path).suffix.lower() in ARRAYS:
        values, names = numbered(_array(path))
        if values.dtype.kind not in "iu" or values.ndim != 2 or not values.size:
            raise ValueError(f"{path} must hold (height, width) whole numbers or texts; got {values.dtype} {values.shape}")
    else:
        picture, names = _opened(path), ()
        if picture.mode not in MASKS:
            raise ValueError(f"{path} must have one channel, a class for each pixel; got the mode {picture.mode!r}")
        values = np.asarray(picture)
    found, ranks = np.unique(values, return_inverse=True)
    if found[0] < -1:
        raise ValueError(f"{path} must hold classes >= 0, or -1 for none; got {found[0]}")
    return (ranks.reshape(values.shape) - int(found[0] == -1)).astype(np.int64), names


def _array(path: str | os.PathLike[str]) -> NDArray[Any]:
    """A .npy file, or the rows of a .csv file: whole numbers, numbers or texts."""
    try:
        if Path(path).suffix.lower() == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        cells = np.loadtxt(path, dtype=str, delimiter=",", ndmin=2, encoding="utf-8")
    except OSError as error:
        raise OSError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} is truncated, or holds no array: {error}") from None
    cells = np.char.strip(cells)
    for kind in (np.int64, np.float64):
        try:
            return cells.astype(kind)
        except ValueError:
            continue
    return np.asarray(cells)


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
    except (ImportError, OSError) as error:  # its downloader, or the net
        raise OSError(f"scikit-image does not ship {name!r}, and cannot download it: {error}") from None
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
    folder: str | os.PathLike[str] | None, name: str | int, annotator: int | None = None, groups: Groups | None = None
) -> LabeledImage:
    """An image of the Berkeley Segmentation Data Set with its segments.

    Parameters
    ----------
    folder : path or None
        With images/{train,val,test}/NAME.jpg and groundTruth/{train,val,test}/NAME.mat, as in the archive. None: that of
        `bsds_folder`.
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
    root = bsds_folder() if folder is None else Path(folder)
    image, truth = (_found(root, part, f"{name}.{ending}") for part, ending in (("images", "jpg"), ("groundTruth", "mat")))
    return load_image(image, truth, annotator=annotator, groups=groups)


def _found(folder: Path, part: str, name: str) -> Path:
    for split in ("train", "val", "test"):
        if (path := folder / part / split / name).exists():
            return path
    raise OSError(f"cannot read {folder / part}/{{train,val,test}}/{name}: no such file")


def bsds_folder() -> Path:
    """The folder of the whole Berkeley Segmentation Data Set (BSDS500), downloaded once, 71 MB.

    It is the folder ``bsds500`` in the one that the environment variable INPHASE_DATA names, or in the user's cache folder. A
    download is known by the SHA-256 of KuraNet's nine images and their segments. The set is offered for non-commercial research
    and education.

    Raises
    ------
    OSError
        If it is not there and cannot be downloaded (the message says where to put it by hand).
    ValueError
        If what came is another set.
    """
    folder = data_folder() / "bsds500"
    if all((folder / part).is_dir() for part in ("images", "groundTruth")):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".bsds500-") as beside:
        try:
            _download(Path(beside))
        except (OSError, EOFError, http.client.HTTPException, tarfile.TarError) as error:
            raise OSError(
                f"{BSDS} cannot be downloaded ({error}); get it by hand, and put its {INSIDE}images and {INSIDE}groundTruth "
                f"into {folder}, or set INPHASE_DATA to a folder that holds bsds500"
            ) from None
        for name, wanted in HASHES.items():
            file = Path(beside, name)
            found = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "no such file"
            if found != wanted:
                raise ValueError(f"{BSDS} must hold the known {INSIDE}{name}, SHA-256 {wanted}; got {found}")
        for part in ("images", "groundTruth"):
            (folder / part).parent.mkdir(exist_ok=True)
            shutil.rmtree(folder / part, ignore_errors=True)
            os.replace(Path(beside, part), folder / part)
    return folder


def _download(folder: Path) -> None:
    """The images and segments of the archive, as they come, into `folder`."""
    request = urllib.request.Request(BSDS, headers={"User-Agent": "inphase"})
    with urllib.request.urlopen(request, timeout=SECONDS) as answer, tarfile.open(fileobj=answer, mode="r|gz") as archive:
        for member, name in _members(archive):
            content = archive.extractfile(member)
            if content is not None:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())


def _members(archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, str]]:
    """Files such as images/train/118020.jpg, and no others: names out of the folder are not taken."""
    for member in archive:
        name = member.name.removeprefix(INSIDE)
        parts = name.split("/")
        known = len(parts) == 3 and parts[0] in ("images", "groundTruth") and parts[1] in ("train", "val", "test")
        if member.isfile() and known and parts[2].rpartition(".")[2] in ("jpg", "mat") and parts[2][0] != ".":
            yield member, name
