"""Damaged files: one sentence that names the file, whoever stumbles over it, and no more time or memory than it is worth."""

import io
import json
import os
import struct
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from scipy import sparse

from inphase import config, graphs, initial, tables
from inphase.cli import main
from inphase.coupling import Hypergraph, Lattice
from inphase.coupling.catalog import named
from inphase.coupling.learnt.coupling import load_network, save_arrays
from inphase.stored import read_npy, read_npz, reading

LIBRARIES = (KeyError("k"), IndexError("x"), struct.error("y"), zipfile.BadZipFile("z"), OverflowError("o"), RecursionError(),
             UnicodeDecodeError("utf-8", b"\xff", 0, 1, "start"), AttributeError("a"), MemoryError(), SyntaxError("s"),
             EOFError(), OSError("no number"), OSError(22, "Invalid argument"), StopIteration())  # fmt: skip


@pytest.mark.parametrize("error", LIBRARIES, ids=lambda error: type(error).__name__)
def test_whatever_a_library_raises_is_a_sentence_about_the_file(error):
    with (
        pytest.raises(ValueError, match=r"^a\.npy is damaged: .") as caught,
        reading("a.npy", "is damaged: {}"),
    ):
        raise error
    assert "\n" not in str(caught.value) and type(caught.value) is ValueError


def test_errors_of_ours_and_of_the_disk_stay_what_they_are():
    with pytest.raises(ValueError, match=r"^a\.npy has shape"), reading("a.npy", "is damaged: {}"):
        raise ValueError("a.npy has shape (3,)")
    denied = pytest.raises(PermissionError, match=r"^cannot read a\.npy: Permission denied$")
    with denied, reading("a.npy", "is damaged: {}"):
        raise PermissionError(13, "Permission denied")


def npz(changes):
    """A sparse matrix as SciPy saves it, with other arrays or other bytes in its members."""
    out = io.BytesIO()
    sparse.save_npz(out, sparse.csr_array(np.array([[0, 1.0, 0], [2, 0, 0.5], [0, 1, 0]])))
    with zipfile.ZipFile(out) as archive:
        members = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
    for name, change in changes.items():
        if change is None:
            del members[name]
        elif isinstance(change, bytes):
            members[name] = change
        else:
            array = io.BytesIO()
            np.save(array, change)
            members[name] = array.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return out.getvalue()


def header(text, begin=b"\x93NUMPY\x01\x00"):
    text = f"{text:<117}\n".encode()
    return begin + struct.pack("<H", len(text)) + text


HUGE = header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}")
GRAPHS = {
    "empty": b"",
    "cut": npz({})[:400],
    "no checksum": npz({}).replace(b"\x93NUMPY", b"\x93NUMPX", 1),
    "no format": npz({"format": None}),
    "no data": npz({"data": None}),
    "no shape": npz({"shape": None}),
    "other format": npz({"format": np.array("find")}),
    "format is a number": npz({"format": np.array(3)}),
    "format is a list": npz({"format": np.array(["csr", "csc"])}),
    "objects": npz({"data": np.array([{}, 1, 2, 3], dtype=object)}),
    "texts": npz({"data": np.array(["a", "b", "c", "d"])}),
    "complex": npz({"data": np.ones(4) * 1j}),
    "dates": npz({"data": np.array(4 * ["2020-01-01"], dtype="M8[D]")}),
    "not finite": npz({"data": np.array([1, np.nan, 2, 3])}),
    "index too large": npz({"indices": np.array([1, 0, 7, 1])}),
    "index negative": npz({"indices": np.array([1, 0, -1, 1])}),
    "indices are floats": npz({"indices": np.array([1, 0, 2, 1.5])}),
    "indptr too short": npz({"indptr": np.array([0, 1])}),
    "indptr falls": npz({"indptr": np.array([0, 3, 1, 4])}),
    "indptr beyond": npz({"indptr": np.array([0, 1, 3, 9])}),
    "data too short": npz({"data": np.ones(2)}),
    "two axes of data": npz({"data": np.ones((2, 2))}),
    "shape of three": npz({"shape": np.array([3, 3, 3])}),
    "shape negative": npz({"shape": np.array([-3, 3])}),
    "shape of floats": npz({"shape": np.array([3.5, 3])}),
    "shape not square": npz({"shape": np.array([3, 4])}),
    "member is no array": npz({"data": b"text"}),
    "member is empty": npz({"data": b""}),
    "member declares 8 TB": npz({"data": HUGE}),
    "header of nonsense": npz({"data": header("{'descr': [], 'shape': 3")}),
    "header of brackets": npz({"data": header(100 * "(")}),
    "no archive": HUGE,
}


@pytest.mark.parametrize("name", GRAPHS)
def test_damaged_graphs_of_scipy(tmp_path, name, capsys):
    file = tmp_path / "a.npz"
    file.write_bytes(GRAPHS[name])
    with pytest.raises(ValueError, match=r"a\.npz") as caught:
        graphs.read(file)
    assert type(caught.value) is ValueError and "\n" not in str(caught.value)
    assert main(["simulate", "kuramoto", "--graph", str(file), "--t-end", "1", "--out", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def refuses(read, file):
    """Whether a file is refused, in a line that names it."""
    try:
        read(file)
    except Exception as error:
        told = str(error)
        if type(error) not in (ValueError, TypeError) or file.name not in told or "\n" in told:
            raise
        return True
    return False


def netcdf(folder, engine="h5netcdf", **made):
    import xarray as xr

    file = folder / "whole.nc"
    xr.Dataset(made or {"phase": ("oscillator", [0.5, 1.5, -2.0])}).to_netcdf(file, engine=engine)
    return file.read_bytes()


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_damaged_phases_of_netcdf(tmp_path, engine):
    whole, file = netcdf(tmp_path, engine), tmp_path / "a.nc"
    contents = [whole[: k * len(whole) // 24] for k in range(24)]  # no whole file among them
    contents += [
        whole[: k * len(whole) // 12] + b"\xff\xff\xff\xff" + whole[k * len(whole) // 12 + 4 :]
        for k in range(12)
    ]
    refused = 0
    for content in contents:
        file.write_bytes(content)
        refused += refuses(initial.from_file, file)
    assert refused >= 20


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"phase": (("a", "b", "c"), np.ones((2, 2, 2)))}, "must have shape"),
        ({"phase": ("oscillator", np.array([], dtype=float))}, "holds no values"),
        ({"phase": ((), 1.0)}, "must have shape"),
        ({"phase": ("oscillator", ["a", "b"])}, "must hold real numbers"),
        ({"phase": ("oscillator", [1.0, np.nan])}, "must be finite"),
        ({"phases": ("oscillator", [1.0])}, "must have the array 'phase'"),
    ],
)
def test_phases_of_netcdf_that_are_none(tmp_path, made, words):
    file = tmp_path / "a.nc"
    file.write_bytes(netcdf(tmp_path, **made))
    with pytest.raises((ValueError, TypeError), match=words) as caught:
        initial.from_file(file)
    assert "a.nc" in str(caught.value)


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


ARRAYS = {
    "empty": b"",
    "cut": npy(np.ones(9))[:-3],
    "cut header": npy(np.ones(9))[:40],
    "no values": npy(np.ones(0)),
    "complex": npy(np.ones(2) * 1j),
    "objects": npy(np.array([{}], dtype=object)),
    "texts that are none": npy(np.array(["a"])).replace(b"a\0\0\0", b"\xff\xff\xff\x7f"),
    "not finite": npy(np.array([1, np.inf])),
    "too large": npy(np.array([np.longdouble("1e4000")])),
    "three axes": npy(np.ones((2, 2, 2))),
    "no axis": npy(np.float64(3)),
    "8 TB": HUGE,
    "8 TB of nothing": HUGE.replace(b"<f8", b"|V0"),
    "negative": HUGE.replace(b"1000000000000,", b"-1,           "),
    "no descr": HUGE.replace(b"descr", b"desrc"),
    "no dtype": HUGE.replace(b"<f8", b"<x9"),
    "no version": HUGE.replace(b"Y\x01", b"Y\x09"),
    "brackets": header(100 * "["),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_damaged_phases_of_numpy(tmp_path, name, capsys):
    file = tmp_path / "a.npy"
    file.write_bytes(ARRAYS[name])
    with pytest.raises((ValueError, TypeError), match=r"a\.npy") as caught:
        initial.from_file(file)
    assert type(caught.value) in (ValueError, TypeError) and "\n" not in str(caught.value)
    assert main(["simulate", "kuramoto", "--phases", str(file), "--t-end", "1", "--out", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_labels_that_are_none(tmp_path):
    for name, words in (
        ("texts that are none", "holds texts that are none"),
        ("too large", "labels of"),
        ("complex", "complex128"),
    ):
        (tmp_path / "a.npy").write_bytes(ARRAYS[name])
        with pytest.raises(ValueError, match=words):
            tables.read_labels(tmp_path / "a.npy", 0)


def test_what_is_whole_is_read(tmp_path):
    for k, array in enumerate(
        (np.arange(6.0).reshape(2, 3).T, np.array(["a", "ω"]), np.zeros(0), np.array([(1, 2.0)], "i4,f8"))
    ):
        np.save(tmp_path / f"{k}.npy", array)
        assert np.array_equal(read_npy(tmp_path / f"{k}.npy"), array)
        np.savez_compressed(tmp_path / f"{k}.npz", a=array, b=np.zeros(10**6))  # as dense as deflate makes it
        assert np.array_equal(read_npz(tmp_path / f"{k}.npz")["a"], array)


# --------------------------------------------------------------------------------------------- other formats


def test_a_node_of_two_labels_is_refused_with_its_line(tmp_path):
    file = tmp_path / "a.gml"
    edge = "edge [ source 0 target 1 ]"
    file.write_text(f'graph [\n  node [ id 0 label "a"\n    label "b" ]\n  node [ id 1 ]\n  {edge}\n]')
    with pytest.raises(ValueError, match=r"a\.gml, line 2: node must have one label; got \['a', 'b'\]"):
        graphs.read(file)
    file.write_text(f"graph [\n  node [ id 0 id 2 ]\n  node [ id 1 ]\n  {edge}\n]")
    with pytest.raises(ValueError, match=r"a\.gml, line 2: node must have one id; got 2 of them"):
        graphs.read(file)
    file.write_text(
        f"graph [ node [ id 0 graphics [ x 1 x 2 ] x 3 x 4 graphics [ x 5 ] x 6 ] node [ id 1 ] {edge} ]"
    )
    assert graphs.read(file).n == 2


MTX = "%%MatrixMarket matrix coordinate real general\n3 3 2\n1 2 1.0\n"


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ("3 2 0.5\xe2\n", "line 4: weight must be a finite number; got '0.5â'"),
        ("3 2 0. x\n", "line 4: weight must be a finite number; got 'x'"),
        ("3 2 0,5\n", "line 4: weight must be a finite number; got '0,5'"),  # which it read as 0
        ("3 2 1.0.5\n", "line 4: weight must be a finite number; got '1.0.5'"),
        ("3 2 1.0 7\n", "line 4: expected 3 numbers; got 4"),
        ("3 2 1-2\n", "line 4: weight must be a finite number; got '1-2'"),
        ("3 2 0.5\0\n", "holds bytes that are no text"),
    ],
)
def test_lines_of_matrix_market_are_numbers_to_their_end(tmp_path, last, words):
    file = tmp_path / "a.mtx"
    file.write_text(MTX + last, encoding="latin-1")
    with pytest.raises(ValueError, match=words) as caught:
        graphs.read(file)
    assert "a.mtx" in str(caught.value)
    file.write_text(f"{MTX}\n 3\t2  -5E-1 ")
    assert graphs.read(file).matrix[2, 1] == -0.5


@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_ground_truths_end(tmp_path, compressed):
    """Some of these crashed SciPy's reader, or kept it for ever."""
    from scipy.io import savemat

    from inphase.data.bsds import bsds_labels

    cells = np.empty((1, 1), dtype=object)
    cells[0, 0] = {"Segmentation": np.array([[1, 2], [2, 1]], dtype=np.uint16)}
    file = tmp_path / "a.mat"
    savemat(file, {"groundTruth": cells}, do_compression=compressed)
    whole = file.read_bytes()
    assert bsds_labels(file).tolist() == [[0, 1], [1, 0]]
    for at in range(124, len(whole)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        refuses(bsds_labels, file)


@pytest.mark.parametrize("compressed", [False, True])
def test_matlab_files_are_read_as_scipy_reads_them(tmp_path, compressed):
    from scipy.io import loadmat, savemat

    from inphase.data.matlab import read_matlab

    kinds = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")
    arrays = {f"a_{kind}": np.arange(k, k + 6, dtype=kind).reshape(2, 3) for k, kind in enumerate(kinds)}
    arrays |= {"empty": np.zeros((0, 3)), "one": np.ones((1, 1)), "axes": np.arange(24.0).reshape(2, 3, 4)}
    savemat(tmp_path / "a.mat", arrays | {"text": "abc"}, do_compression=compressed)
    found, wanted = read_matlab((tmp_path / "a.mat").read_bytes()), loadmat(tmp_path / "a.mat")
    assert set(found) == {*arrays, "text"} and found["text"] is None
    for name in arrays:
        assert found[name].dtype == wanted[name].dtype and np.array_equal(found[name], wanted[name])


def test_networks_that_are_none(tmp_path):
    file = tmp_path / "net.npz"
    for about in ("[]", "3", 9999 * "[", "{", '"a"'):
        np.savez(file, about=np.array(about))
        with pytest.raises(ValueError, match=r"net\.npz is truncated, or no file of inphase"):
            load_network(file)
    zero, one = np.zeros(1), np.ones(1)
    arrays = {"own": one[:, None], "other": one[:, None], "out": one} | {
        f"{n}.0": one for n in ("scales", "variances")
    }
    arrays |= {f"{name}.0": zero for name in ("shifts", "means")}
    for changes in (
        {"normalization": []},
        {"normalization": {"kind": []}},
        {"activation": {}},
        {"normalization": {"degree": "x"}},
    ):
        save_arrays(
            file, arrays, {"format": 1, "activation": "relu", "normalization": {"kind": "degree"}} | changes
        )
        with pytest.raises(ValueError, match=r"net\.npz holds no network"):
            load_network(file)
    deeper = {f"{name}.1": one for name in ("scales", "shifts", "means", "variances")} | {
        "weights.0": np.float64(1)
    }
    save_arrays(
        file, arrays | deeper, {"format": 1, "activation": "relu", "normalization": {"kind": "degree"}}
    )
    with pytest.raises(ValueError, match=r"net\.npz holds no network: weights must have shapes"):
        load_network(file)


@pytest.mark.parametrize(
    "text",
    [
        2000 * "[",
        f"a = {3000 * '['}",
        f"n = {5000 * '9'}",
        "\xff",
        5000 * "a." + "b = 1",
        "\0",
        "interaction = 3",
    ],
)
def test_configurations_that_are_none(tmp_path, text):
    file = tmp_path / "a.toml"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=r"a\.toml") as caught:
        config.load(file)
    assert type(caught.value) is ValueError and len(str(caught.value)) < 1000


# ------------------------------------------------------------------------------------------ time and memory

CHILD = """
import resource, sys
from inphase import graphs, initial, tables
from inphase.learn.images import read_pixels
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (512 << 20),) * 2)
for path in sys.argv[1:]:
    doors = {"npy": initial.from_file, "nc": initial.from_file, "txt": graphs.read_columns}
    doors |= {"png": read_pixels, "csv": read_pixels}
    door = doors.get(path.rpartition(".")[2], graphs.read)
    try:
        print(door(path))
    except ValueError as error:
        print("refused", str(error)[:300])
    except OSError as error:
        print("refused", str(error)[:300])
"""


def test_small_files_that_declare_much_are_refused_before_it_is_allocated(tmp_path):
    """In a process that may take 512 MB: an allocation of what is declared would be a MemoryError, with other words."""
    import h5py
    from PIL import Image

    def written(name, content):
        (tmp_path / name).write_bytes(content)
        return name

    with h5py.File(tmp_path / "a.nc", "w") as file:
        file.create_dataset(
            "phase", shape=(10**9,), chunks=(10**4,), dtype="f8"
        )  # of which nothing is written
    Image.new("1", (12_000, 12_000)).save(tmp_path / "a.png")
    defaults = "".join(f'<key id="k{k}" for="node"><default>1</default></key>' for k in range(1000))
    nodes = "".join(f'<node id="{k}"/>' for k in range(5000))
    head = "%%MatrixMarket matrix coordinate real general\n"
    expected = {
        written("a.npy", HUGE): "declares the shape (1000000000000,)",
        written("b.npy", HUGE.replace(b"<f8", b"|V0")): "declares the shape",
        written("a.npz", npz({"data": HUGE})): "got another file, or a damaged one",
        written("b.npz", npz({"shape": np.array([99_000_000, 99_000_000])})): "must",
        written("a.mtx", f"{head}99000000 99000000 1\n1 2 1\n".encode()): "the header must fit the file",
        written("b.mtx", f"{head}9 9 99000000\n1 2 1\n".encode()): "the header must fit the file",
        "a.nc": "which the file cannot hold",
        "a.png": "exceeds limit",
        written("a.csv", (1_000_000 * "a" + 100_000 * ",b").encode()): "at most 100 characters",
        written("a.txt", ("name\n" + 1_000_000 * "a" + 100_000 * "\nb").encode()): "too long for a column",
        written("a.graphml", f"<graphml>{defaults}<graph edgedefault=''>{nodes}</graph></graphml>".encode()): "too many",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *expected], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=True,
        env=os.environ | {"NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == len(expected)
    for (name, words), line in zip(expected.items(), lines):
        assert line.startswith("refused") and name in line and words in line, line


def test_a_file_takes_time_in_proportion(tmp_path):
    """Each of these was quadratic: minutes for a megabyte."""
    nodes = "node [ id 1 ] edge [ source 0 target 1 ]"
    names = " ".join(f"k{k} 1" for k in range(20_000))
    texts = {
        "repeated.gml": f"graph [ node [ id 0 {100_000 * 'a 1 '} ] {nodes} ]",
        "attributes.gml": f"graph [ node [ id 0 {names} ] {' '.join(f'node [ id {k} ]' for k in range(2, 10_000))} {nodes} ]",
        "lines.graphml": "<graphml><graph edgedefault='directed'><node id='a'/><node id='b'/><edge source='a' target='b'/>"
        f"{2_000_000 * chr(10)}</graph></graphml>",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        begin = time.process_time()
        assert graphs.read(tmp_path / name).n >= 2
        assert time.process_time() - begin < 5, name
    assert graphs.Graph(sparse.coo_array(([1.0], ([0], [1])), shape=(3 * 10**6,) * 2)).n == 3 * 10**6


@pytest.mark.parametrize(
    "words", [["--n", 5000 * "9"], ["--n", 5000 * "x"], ["--beta", 5000 * "9"], ["--phases", 5000 * "9"]]
)
def test_long_input_is_cut_in_messages(words, capsys):
    try:
        status = main(["simulate", "kuramoto", "--t-end", "1", *words])
    except SystemExit as end:  # of argparse
        status = end.code
    told = capsys.readouterr().err
    assert status == 2 and len(told.splitlines()) == 1 and len(told) < 1300


def test_json_that_is_none(tmp_path):
    from inphase.stored import read_json

    file = tmp_path / "a.json"
    file.write_text(9999 * "[")
    with pytest.raises(ValueError, match=r"a\.json is truncated, or no JSON"):
        read_json(file)
    file.write_text(json.dumps({"a": 1}))
    assert read_json(file) == {"a": 1}


@pytest.mark.parametrize("shape", ["0 2", "2 0", "0 0"])
def test_a_matrix_without_rows_or_columns_is_refused(tmp_path, shape):
    path = tmp_path / "a.mtx"
    path.write_text(f"%%MatrixMarket matrix coordinate integer general\n{shape} 0\n")
    with pytest.raises(ValueError, match=r"a\.mtx: a matrix needs at least one row and one column"):
        graphs.read(path)


@pytest.mark.parametrize("kind", ["csr", "csc"])
@pytest.mark.parametrize("pointers", [[0, 2, 1, 4], [1, 2, 3, 4], [0, 1, 2, 3]])
def test_pointers_of_a_sparse_matrix_are_checked_before_scipy_follows_them(tmp_path, kind, pointers):
    path = tmp_path / "a.npz"
    indices, data = np.array([1, 0, 2, 1], dtype=np.int32), np.ones(4)
    np.savez(path, format=np.array(kind.encode()), shape=[3, 3], data=data, indices=indices, indptr=pointers)
    with pytest.raises(ValueError, match=r"a\.npz .*indptr must rise from 0 to the number of indices"):
        graphs.read(path)


def test_a_diagonal_outside_of_its_matrix_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    data, shape, kind = np.ones((2, 3)), [3, 3], np.array(b"dia")
    np.savez(path, format=kind, shape=shape, data=data, offsets=[1, 2])
    assert graphs.read(path).matrix.toarray().tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
    np.savez(path, format=kind, shape=shape, data=data, offsets=[1, -3])  # which SciPy drops
    with pytest.raises(ValueError, match=r"a\.npz .*a diagonal at offset -3 lies outside"):
        graphs.read(path)


def test_a_coupling_has_at_most_as_many_oscillators_as_a_graph(tmp_path):
    for make in (
        lambda: named("sparse", n=10**30, row=[0], column=[1], value=[1.0]),
        lambda: Lattice((99_999_999, 3)),
        lambda: Hypergraph([[0, 1, 2]], n=10**30),
    ):
        with pytest.raises(ValueError, match="at most 100,000,000"):
            make()
