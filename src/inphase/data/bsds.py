"""The Berkeley Segmentation Data Set: its folder, downloaded once, and its files of segments.

Source: Arbeláez, Maire, Fowlkes, Malik, *Contour detection and hierarchical image segmentation*, IEEE TPAMI
33(5) (2011).
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inphase.checks import integer
from inphase.data.cache import check_content, data_folder, download
from inphase.data.matlab import read_matlab
from inphase.stored import reading

Labels = NDArray[np.int64]
Groups = Sequence[Sequence[int]]

# The annotator (from 0) and the segments (as the files number them, from 1) that KuraNet's image experiments
# join to classes 1, 2, ...; pixels of no group are class 0. From the settings of its public repository.
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


def bsds_labels(
    path: str | os.PathLike[str], annotator: int | None = None, groups: Groups | None = None
) -> Labels:
    """Classes from a ground truth of the Berkeley data set, a .mat file of several annotators' segments.

    Parameters
    ----------
    path : path
    annotator : int, optional
        From 0. If not given: the one with the fewest segments (of several, the first), as the circle has
        place for few.
    groups : sequence of sequences of int, optional
        Segments, numbered from 1 as in the file, that become classes 1, 2, ...; pixels of no group are class
        0. If not given, segment s is class s − 1.

    Returns
    -------
    ndarray of int, shape (height, width)

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no ground truth of BSDS, there is no such annotator, or a segment is not there or in two
        groups.

    References
    ----------
    Arbeláez, Maire, Fowlkes, Malik, *Contour detection and hierarchical image segmentation*, IEEE TPAMI 33(5)
    (2011).
    """
    segments = _annotations(path)
    if annotator is None:
        annotator = int(np.argmin([len(np.unique(s)) for s in segments]))
    if integer("annotator", annotator, least=0) >= len(segments):
        raise ValueError(
            f"annotator must be below {len(segments)}, of whom {path} has segments; got {annotator}"
        )
    chosen = segments[annotator]
    if groups is None:
        return np.unique(chosen, return_inverse=True)[1].reshape(chosen.shape).astype(np.int64)
    labels, seen = np.zeros(chosen.shape, dtype=np.int64), set()
    for number, group in enumerate(groups, 1):
        for segment in group:
            if segment in seen:
                raise ValueError(f"groups must not share segments; segment {segment} is in two")
            if not np.any(chosen == segment):
                raise ValueError(
                    f"annotator {annotator} of {path} has no segment {segment}; there are 1..{np.max(chosen)}"
                )
            seen.add(segment)
            labels[chosen == segment] = number
    return labels if np.any(labels == 0) else labels - 1


def _annotations(path: str | os.PathLike[str]) -> list[Labels]:
    """The segments of each annotator, (height, width), from 1."""
    with reading(path, "is truncated, or no .mat file: {}"):
        content = read_matlab(Path(path).read_bytes())
    with reading(path, "is no ground truth of BSDS: it lacks groundTruth{1, k}.Segmentation"):
        found = [cell["Segmentation"].astype(np.int64) for cell in content["groundTruth"]]
    if not found or any(s.ndim != 2 for s in found):
        raise ValueError(f"{path} is no ground truth of BSDS: its segments are no matrices")
    return found


def file_of(folder: Path, part: str, name: str) -> Path:
    """FOLDER/PART/{train,val,test}/NAME, wherever it is; OSError where it is not."""
    for split in ("train", "val", "test"):
        if (path := folder / part / split / name).exists():
            return path
    raise OSError(f"cannot read {folder / part}/{{train,val,test}}/{name}: no such file")


def bsds_folder() -> Path:
    """The folder of the whole Berkeley Segmentation Data Set (BSDS500), downloaded once, 71 MB.

    It is the folder ``bsds500`` in the one that the environment variable INPHASE_DATA names, or in the user's
    cache folder. A download is known by the SHA-256 of KuraNet's nine images and their segments. The set is
    offered for non-commercial research and education.

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
        _download(Path(beside), folder)
        for name, wanted in HASHES.items():
            file = Path(beside, name)
            check_content(file.read_bytes() if file.is_file() else None, (wanted,), BSDS, f"{INSIDE}{name}")
        for part in ("images", "groundTruth"):
            (folder / part).parent.mkdir(exist_ok=True)
            shutil.rmtree(folder / part, ignore_errors=True)
            os.replace(Path(beside, part), folder / part)
    return folder


def _download(beside: Path, folder: Path) -> None:
    """The images and segments of the archive, as they come, `beside` the folder where they belong."""
    with (
        download(BSDS, f"{INSIDE}images and {INSIDE}groundTruth into {folder}", folder.name) as answer,
        tarfile.open(fileobj=answer, mode="r|gz") as archive,
    ):
        for member, name in _members(archive):
            content = archive.extractfile(member)
            if content is not None:
                target = beside / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())


def _members(archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, str]]:
    """Files such as images/train/118020.jpg, and no others: names out of the folder are not taken."""
    for member in archive:
        name = member.name.removeprefix(INSIDE)
        parts = name.split("/")
        known = (
            len(parts) == 3 and parts[0] in ("images", "groundTruth") and parts[1] in ("train", "val", "test")
        )
        if member.isfile() and known and parts[2].rpartition(".")[2] in ("jpg", "mat") and parts[2][0] != ".":
            yield member, name
