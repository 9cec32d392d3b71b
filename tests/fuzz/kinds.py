"""What is attacked: kinds of input, whole examples of each, how they are damaged, and what may come of it.

A kind is one entry of `KINDS`. Its input is a folder of files, one of which is damaged, and what is done with it
must end, within `SECONDS` of processor time, with a result or with one sentence that names the file.
"""

import contextlib
import functools
import io
import json
import os
import random as randomness
import resource
import signal
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from commands import drawn_command, using
from mutate import mutated, mutated_archive, mutated_json, repacked

BEFORE = Path(__file__).parent.parent / "before"
SECONDS = 5
PATIENCE = 60  # seconds on the clock, for what waits without working
MEMORY = 4 << 30  # bytes that an input may take beside what the process has
OUTCOMES = ("result", "refused", "no", "early end")


class Fault(Exception):
    """An outcome that is none of `OUTCOMES`."""


class TooLong(BaseException):
    """Raised by the alarm; nothing of the library catches it."""


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Parameters
    ----------
    examples : callable
        () -> {name of a file: content}: whole files, one of which is drawn and damaged.
    attempt : callable
        (path) -> an outcome; ValueError, TypeError and OSError are a refusal.
    damage : callable
        (content, random) -> content.
    named : bool
        Whether a refusal must name the file.
    """

    examples: Callable[[], dict[str, bytes]]
    attempt: Callable[[Path], str]
    damage: Callable[[bytes, randomness.Random], bytes] = mutated
    named: bool = True

    def draw(self, random):
        """(name, content) of an input."""
        name, content = random.choice(sorted(self.examples().items()))
        return name, self.damage(content, random)


def outcome(kind, path):
    """What comes of an input, one of `OUTCOMES`; Fault with a traceback otherwise."""
    found = KINDS[kind]
    with warnings.catch_warnings(record=True) as told, limits():
        warnings.simplefilter("always")
        try:
            answer = found.attempt(path)
        except (ValueError, TypeError, OSError) as error:
            answer = _refusal(error, path if found.named else None)
        except (Exception, TooLong, SystemExit):
            raise Fault(traceback.format_exc()) from None
    leaked = [
        f"{one.message} ({one.filename}, line {one.lineno})"
        for one in told
        if not issubclass(one.category, UserWarning)
    ]
    if leaked:
        raise Fault(f"a warning: {leaked[0]}\n")
    return answer


WARM = (
    "simulate model.toml --t-end 1", "simulate kuramoto --n 3 --t-end 1 --frequencies 1 --method heun --step 0.1 --noise 0.1",
    "simulate kuramoto --n 3 --t-end 1 --delays 0.1", "simulate kuramoto --n 3 --t-end 1 --graph graph.csv --inertia 1",
    "simulate kuramoto --n 3 --t-end 1 --step 0.5 --method euler", "simulate kuramoto --n 3 --t-end 1 --step 0.5 --method rk4",
    "coarsen attention --beta 2 --n 5 --t-end 10", "coarsen attention --beta 2 --n 2 --t-end 1",
    "coarsen attention --beta 2 --n 3 --t-end 1", "study attention --beta 2 --n 2 --t-end 0.5",
    "coarsen kuramoto --n 3 --t-end 10", "study kuramoto --n 3 --t-end 1",
    "equilibria kuramoto --n 3 --starts 1 --samples 1",
    "study attention --beta 2 --n 5 --t-end 1", "study kuramoto --n 3 --t-end 1 --graph graph.csv --frequencies normal(0,0.3)",
    "diagram --formula sin(x)+a*sin(2*x)+b*sin(3*x) --a 0 1 --b 0 1 --size 1", "certify kuramoto", "check proof.json",
)  # fmt: skip


def warm(folder):
    """Import and compile what inputs need, without limits, so that these are about the inputs."""
    for kind in KINDS.values():
        for name, content in kind.examples().items():
            (folder / name).write_bytes(content or json.dumps({"words": [""], "files": {}}).encode())
            with contextlib.suppress(ValueError, TypeError, OSError):
                kind.attempt(folder / name)
    for line in WARM:
        warm_command(folder, line)


def warm_command(folder, line):
    path = folder / "command.json"
    path.write_text(json.dumps({"words": [*line.split(), "--no-progress"], "files": {}}))
    with contextlib.suppress(Fault):
        command(path)


def _refusal(error, path):
    """ "refused", if that is one sentence of ours that names the file."""
    text = str(error)
    ours = type(error).__module__ == "builtins" and not isinstance(error, UnicodeError)
    if not ours or not text or "\n" in text or len(text) > 2000:
        raise Fault("".join(traceback.format_exception(error))) from None
    if path is not None and path.name not in text:
        raise Fault(f"the file is not named\n{''.join(traceback.format_exception(error))}") from None
    return "refused"


@contextlib.contextmanager
def limits():
    """An end to the time, on the processor and on the clock, and to the memory of one input."""

    def end(number, frame):
        raise TooLong(f"no end within {SECONDS} s of work or {PATIENCE} s")

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    before = [signal.signal(number, end) for number in (signal.SIGPROF, signal.SIGALRM)]
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, hard))
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        for number, handler in zip((signal.SIGPROF, signal.SIGALRM), before):
            signal.signal(number, handler)


# ---------------------------------------------------------------------------------------------- whole examples


def written(write, name="file"):
    """The bytes that `write(path)` puts into a file."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        write(path)
        return path.read_bytes()


@functools.cache
def graph_texts():
    gml = (
        'graph [\n  directed 0\n  node [\n    id 0\n    label "a"\n    omega 0.5\n    graphics [ x 1 y 2 ]\n  ]\n'
        '  node [ id 1 label "b" omega -1 ]\n  node [ id 2 label "c" omega 2e-1 ]\n'
        "  edge [\n    source 0\n    target 1\n    value 2.5\n  ]\n  edge [ source 1 target 2 value 1 ]\n]\n"
    )
    graphml = (
        '<?xml version="1.0" encoding="utf-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
        '<key id="w" for="edge" attr.name="weight" attr.type="double"><default>1</default></key>\n'
        '<key id="o" for="node" attr.name="omega" attr.type="double"/>\n<graph edgedefault="undirected">\n'
        '<node id="a"><data key="o">0.5</data></node>\n<node id="b"><data key="o">1</data></node>\n'
        '<edge source="a" target="b">\n<data key="w">1.5</data>\n</edge>\n</graph>\n</graphml>\n'
    )
    head = "%%MatrixMarket matrix"
    texts = {
        "a.gml": gml,
        "a.graphml": graphml,
        "a.mtx": f"{head} coordinate real general\n% a comment\n3 3 4\n1 2 1.0\n2 1 3.0\n2 3 0.5\n3 2 0.5\n",
        "b.mtx": f"{head} coordinate pattern symmetric\n3 3 2\n2 1\n3 2\n",
        "c.mtx": f"{head} array integer general\n2 2\n0\n1\n2\n0\n",
        "a.csv": "source,target,weight\na,b,1\nb,c,2\nc,a,-1\n",
        "b.csv": '0;1;1,5\n1;2;2,5\n"3";0;0,5\n',
        "a.tsv": "# edges\nfrom\tto\n0\t1\n1\t2\n",
        "a.txt": "0 1\n1 2\n2 0\n",
        "a.edges": "% konect\n1 2 1.0\n2 3 1.5\n",
        "a.edgelist": 'a b\nb "c d"\n',
        "b.edgelist": "0 1 {'weight': 2.5}\n1 2 {}\n",
        "c.csv": "Source,Target,Type,Id,Label,Weight\na,b,Directed,0,,2.0\nb,c,Directed,1,,1.0\n",
        "a.net": '*Vertices 3\n1 "a" 0.1 0.2\n2 "b c" 0.5 0.5\n3 "d" 0 1\n*Edges\n1 2 1.5\n2 3\n*Edgeslist\n3 1\n',
        "out.a": "% bip posweighted\n% 3 2 2\n1 1 2\n1 2 3\n2 2 1\n",
        "d.mtx": f"{head} coordinate real symmetric\n3 3 4\n2 1 1\n1 2 1\n3 2 5\n2 3 5\n",
        "a.json": '{"directed": true, "nodes": [{"id": "a", "omega": 1}, {"id": 2}], "links": [{"source": "a", "target": 2}]}',
        "b.json": '{"nodes": [{"node": 3}], "incidences": [{"edge": "e", "node": 1}, {"edge": "e", "node": 2, "weight": 4}]}',
        "b.graphml": '<graphml><key id="w" for="node" yfiles.type="nodegraphics"/><graph edgedefault="directed"><node id="a">'
        '<graph edgedefault="directed"><node id="b"><data key="w"><y:NodeLabel xmlns:y="y">B</y:NodeLabel></data></node>'
        '</graph></node><node id="c"/><edge source="b" target="c"/></graph><graph edgedefault="directed"><node id="d"/>'
        "</graph></graphml>",
    }
    return {name: text.encode() for name, text in texts.items()}


@functools.cache
def graph_archives():
    from scipy import sparse

    K = sparse.coo_array(np.array([[0, 1.0, 0], [2, 0, 0.5], [0, 1, 0]]))
    formats = ("csr", "csc", "coo", "bsr", "dia")
    return {
        f"{name}.npz": repacked(
            written(lambda path, name=name: sparse.save_npz(path, K.asformat(name)), "a.npz")
        )
        for name in formats
    }


@functools.cache
def tables():
    texts = {
        "a.csv": 'node,next,omega,name\n0,1,-1.5,"a, b"\n1,2,0.25,"two\nlines"\n2,0,0.75,""\n',
        "b.csv": "node;next;omega\n0;1;-1,5\n1;2;0,25\n2;0;0,75\n",
        "c.txt": "node next omega\n0 1 -1.5\n1 2 0.25\n2 0 0.75\n",
        "d.tsv": "# x\nnode\tomega\n0\t-15e-1\n1\t.25\n",
        "e.csv": "omega\n1\n2\n",
    }
    return {name: text.encode() for name, text in texts.items()}


@functools.cache
def phases():
    return {
        "a.csv": b"node,phase\n0,0.5\n1,1.5\n2,-2\n",
        "b.txt": b"# radians\n0.5\n1.5\n-2e0\n",
        "c.csv": b"node;phase\n0;0,5\n1;1,5\n",
    }


@functools.cache
def arrays():
    values = {
        "a": np.array([0.5, 1.5, -2.0]),
        "b": np.arange(3),
        "c": np.array([[0.5], [1.5]]),
        "d": np.array([1 + 1j, 2]),
        "e": np.array(["a", "b"]),
        "f": np.array([]),
        "g": np.array([True, False]),
        "h": np.array([(1, 2.0)], dtype=[("x", "i4"), ("y", "f8")]),
        "i": np.float64(3),
        "j": np.array([1.0, np.nan]),
        "k": np.array([1, 2], dtype=">f2"),
        "l": np.array(["2020-01-01"], dtype="M8[D]"),
        "m": np.array([1e4000, 1], dtype=np.longdouble),
        "n": np.asfortranarray(np.ones((2, 3))),
        "o": np.array([{"a": 1}], dtype=object),
        "p": np.array([2**64 - 1], dtype=np.uint64),
    }
    return {f"{name}.npy": written(lambda path, v=v: np.save(path, v), "a.npy") for name, v in values.items()}


@functools.cache
def archives():
    arrays = {"phase": [0.5, 1.5], "omega": np.ones((2, 2)), "features": np.ones((3, 2))}
    made = {"a.npz": arrays, "b.npz": {"phase": [1.0]}}
    return {
        name: repacked(written(lambda path, m=m: np.savez(path, **m), "a.npz")) for name, m in made.items()
    }


@functools.cache
def datasets():
    import xarray as xr

    rows = np.arange(6.0).reshape(2, 3)
    time = ("time", [0.0, 1.0], {"units": "seconds"})
    made = {
        "a.nc": (xr.Dataset({"phase": (("time", "oscillator"), rows)}, coords={"time": time}), "h5netcdf", {}),
        "b.nc": (xr.Dataset({"phase": ("oscillator", rows[0])}), "scipy", {}),
        "c.nc": (xr.Dataset({"phase": (("time", "oscillator"), rows)}), "h5netcdf", {"phase": {"zlib": True}}),
        "d.nc": (xr.Dataset({"phase": ("oscillator", ["a", "b"]), "omega": 1.0}), "h5netcdf", {}),
        "e.nc": (xr.Dataset({"phase": ("oscillator", np.float32([1, 2]))}), "h5netcdf",
                 {"phase": {"dtype": "i2", "scale_factor": 0.1, "_FillValue": -1}}),
    }  # fmt: skip
    return {
        name: written(lambda path, d=d, e=e, c=c: d.to_netcdf(path, engine=e, encoding=c))
        for name, (d, e, c) in made.items()
    }


@functools.cache
def models():
    texts = {
        "a.toml": (
            '[interaction]\nname = "attention"\nparameters = { beta = 2.0 }\n[coupling]\nkind = "all-to-all"\n'
            '[model]\ngain = "softmax"\nfrequencies = 0.5\n[run]\nn = 5\nseed = 0\ninitial = "uniform"\nt_end = 1.0\n'
        ),
        "b.toml": (
            '[interaction]\nformula = "sin(x) + a*sin(2*x)"\nparameters = { a = 0.2 }\nstrength = 1.5\n'
            '[coupling]\nkind = "graph"\ngenerator = "small_world"\noptions = { neighbors = 2, rewiring = 0.1 }\n'
            '[model]\nfrequencies = { distribution = "normal", width = 0.5 }\nnoise = 0.1\n'
            '[run]\nn = 8\nstep = 0.01\nmethod = "heun"\n'
        ),
        "c.toml": (
            '[interaction]\nname = "kuramoto"\n[[coupling]]\nkind = "ring"\nradius = 1\n[[coupling]]\n'
            'kind = "rank-one"\nrows = [1, 2, 3]\ncolumns = [1.0, 0.5, 0.25]\n[model]\nfield = [0.1, 0.2, 0.3]\n'
            "delays = 0.1\ninertia = 1.0\ndamping = 0.5\n[run]\nphases = [0.0, 1.0, 2.0]\nt_end = 2\n"
        ),
        "d.toml": (
            '[interaction]\nname = "harmonics"\nparameters = { sin = [1, 0.5], cos = [0.1] }\n[coupling]\n'
            'kind = "sparse"\nn = 3\nrow = [0, 1]\ncolumn = [1, 2]\nvalue = [1.0, 0.5]\n'
        ),
        "e.toml": (
            '[interaction]\nname = "sakaguchi"\nparameters = { lag = 0.2 }\n[coupling]\nkind = "lattice"\nshape = [2, 3]\n'
        ),
    }  # fmt: skip
    return {name: text.encode() for name, text in texts.items()}


@functools.cache
def trainings():
    texts = {
        "a.toml": (
            '[problem]\nname = "case-1"\n[network]\nhidden = [4, 4]\nactivation = "tanh"\n[training]\nnodes = 5\n'
            'samples = 20\nepochs = 1\nburn_in = 2\nwindow = 2\nloss = { name = "target-order", r = 0.5 }\n'
            'optimizer = "adam"\n[run]\nstarts = 1\nseed = 0\nevaluate_n = [10]\n'
        ),
        "b.toml": (
            '[problem]\nname = "moons"\ninteraction = { name = "sakaguchi", parameters = { lag = 0.2 } }\n'
            '[network]\nnormalization = "row-l2"\n[training]\nsamples = 100\nrate = 5e-4\nclip = 1.0\n'
        ),
    }  # fmt: skip
    return {name: text.encode() for name, text in texts.items()}


def before(*names):
    """Files of an earlier version, which are whole."""
    return {name: (BEFORE / name).read_bytes() for name in names}


@functools.cache
def images():
    from PIL import Image

    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    found = {
        f"a.{ending}": written(lambda path, e=ending: Image.fromarray(pixels).save(path, format=e), "a")
        for ending in ("png", "jpeg", "tiff", "gif", "bmp")
    }
    palette = Image.fromarray(pixels[..., 0]).convert("P")
    return found | {
        "b.png": written(lambda path: palette.save(path, format="png")),
        "c.csv": b"0,1,2\n3,4,255\n",
        "d.csv": b"sky,sky,tree\ntree,sky,tree\n",
        "e.npy": written(lambda path: np.save(path, pixels), "a.npy"),
    }


@functools.cache
def segments():
    from scipy.io import savemat

    inner = np.empty((1, 2), dtype=object)
    for k in range(2):
        inner[0, k] = {"Segmentation": np.arange(1, 7, dtype=np.uint16).reshape(2, 3)}
    head = f"{'MATLAB 5.0':116}".encode()  # without the time at which it was made
    return {
        f"{name}.mat": head
        + written(lambda path, c=c: savemat(path, {"groundTruth": inner}, do_compression=c), "a.mat")[116:]
        for name, c in (("a", False), ("b", True))
    }


@functools.cache
def distilled():
    from dataclasses import asdict

    from inphase.coupling.learnt.normalization import Normalization

    normalization = asdict(Normalization("row-l2"))
    model = {"constant": 0.5, "constant_error": 0.1, "coefficients": [], "errors": [], "terms": []}
    path = {
        name: [0.5]
        for name in ("r_squared", "r_squared_error", "loss", "loss_error", "variance", "variance_error")
    }
    found = {
        "format": 1, "kind": "symbolic", "count": 0, "target": "score", "columns": ["x"], "models": [model],
        "normalization": normalization, "path": path, "about": {"held_out": 3},
    }  # fmt: skip
    return {"a.json": json.dumps(found).encode()}


# -------------------------------------------------------------------------------------------- what is done


def read_graph(path):
    from inphase import graphs

    graphs.read(path)
    return "result"


def read_table(path):
    from inphase import graphs, tables

    graphs.read_columns(path)
    tables.read_labels(path, "omega" if path.stem > "c" else "node")
    tables.read_column(path, "omega")
    return "result"


def read_phases(path):
    from inphase import initial

    initial.from_file(path)
    return "result"


def read_labels(path):
    from inphase import tables

    tables.read_labels(path, "phase" if path.suffix != ".npy" else 0)
    return "result"


def build_model(path):
    from inphase import config

    found = config.load(path)
    if (found.run.n or 0) <= 10**5:  # what takes memory because it was asked to is no fault
        with contextlib.suppress(ValueError, TypeError, OSError, MemoryError):
            found.build()
    return "result"


def build_training(path):
    from inphase.learn import configuration

    found = configuration.load(path)
    if max(found.training.samples or 0, found.training.nodes or 0) <= 10**5:
        with contextlib.suppress(ValueError, TypeError, OSError, MemoryError):
            found.build()
    return "result"


def load_network(path):
    from inphase.coupling.learnt.coupling import Learnt, load_network

    network, _, _ = load_network(path)
    Learnt.load(path, np.zeros((3, network.features)))
    return "result"


def load_trained(path):
    from inphase.learn import Trained

    Trained.load(path)
    return "result"


def load_distilled(path):
    from inphase.learn.distillation import Distilled

    Distilled.load(path)
    return "result"


def read_image(path):
    from inphase.learn import images

    images.read_pixels(path)
    with contextlib.suppress(ValueError, TypeError, OSError):
        images.load_image(path, path)
    return "result"


def read_segments(path):
    from inphase.data.bsds import bsds_labels

    bsds_labels(path, 0)
    return "result"


def check(path):
    from inphase.certify import checker

    verified, reason = checker.explain(str(path))
    if not isinstance(verified, bool) or not reason or "\n" in reason:
        raise Fault(f"the checker says {verified!r}: {reason!r:.2000}\n")
    return "result" if verified else "no"


def command(path):
    """A command line, run in its folder, where the files lie that it may name."""
    from inphase.cli import main

    asked = json.loads(path.read_text())
    for name, content in (
        beside() | {n: text.encode("latin-1") for n, text in asked["files"].items()}
    ).items():
        (path.parent / name).write_bytes(content)
    words, out, err, here = asked["words"], io.StringIO(), io.StringIO(), os.getcwd()
    os.chdir(path.parent)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = main(words)
            except SystemExit as end:  # argparse
                status = end.code or 0
    finally:
        os.chdir(here)
    told = err.getvalue()
    answer = {0: "result", 1: "no", 2: "refused", 3: "early end"}.get(status)
    lines = len(told.splitlines())
    right = {
        "result": True,
        "no": words[0] == "check",
        "refused": lines == 1 or words[0] == "",
        "early end": lines > 0,
    }
    if not right.get(answer) or "Traceback" in told or len(told) > 2000:
        raise Fault(f"exit status {status}\n{told}")
    return answer


@functools.cache
def beside():
    """The files that command lines name."""
    made = {
        "graph.csv": graph_texts()["a.csv"],
        "graph.gml": graph_texts()["a.gml"],
        "graph.mtx": graph_texts()["a.mtx"],
        "graph.npz": graph_archives()["csr.npz"],
        "omega.csv": tables()["a.csv"],
        "omega.npy": arrays()["a.npy"],
        "phases.csv": b"phase\n0.5\n1.5\n-2\n",
        "phase.nc": datasets()["a.nc"],
        "model.toml": models()["a.toml"],
        "training.toml": b'[problem]\nname = "none"\n',  # a training takes minutes
    }
    return made | {"proof.json": before("proof-graph.json")["proof-graph.json"]}


def draw_command(_, random):
    """A command line, and one of its files damaged."""
    words, files = drawn_command(random), {}
    if random.random() < 0.5:
        name, content = random.choice(sorted(beside().items()))
        files = {name: mutated(content, random).decode("latin-1")}
        if random.random() < 0.7:
            words = using(name, random)
    return json.dumps({"words": words, "files": files}).encode()


KINDS = {
    "graph": Kind(graph_texts, read_graph),
    "graph.npz": Kind(graph_archives, read_graph, mutated_archive),
    "table": Kind(tables, read_table),
    "phases.csv": Kind(phases, read_phases),
    "phases.npy": Kind(arrays, read_phases),
    "phases.npz": Kind(archives, read_phases, mutated_archive),
    "phases.nc": Kind(datasets, read_phases),
    "labels.npy": Kind(arrays, read_labels),
    "model.toml": Kind(models, build_model),
    "training.toml": Kind(trainings, build_training),
    "network": Kind(lambda: before("coupling.npz"), load_network, mutated_archive),
    "trained": Kind(lambda: before("trained.npz"), load_trained, mutated_archive),
    "distilled": Kind(distilled, load_distilled, mutated_json),
    "image": Kind(images, read_image),
    "segments": Kind(segments, read_segments),
    "certificate": Kind(
        lambda: before("proof-attention.json", "proof-graph.json", "proof-refuted.json"), check, mutated_json
    ),
    "command": Kind(lambda: {"command.json": b""}, command, draw_command, named=False),
}
