"""Ctrl-C and SIGTERM, sent for real: what is written, what it says of how it ended, and who is left."""

import ctypes
import importlib
import inspect
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import inphase as ip
from inphase import files, signals, simulation, studies
from inphase.cli import main
from inphase.equilibria import search
from inphase.files import MANIFEST, OutputFolder, manifest, replace_file, write_text
from inphase.signals import Terminated, heeded, held
from inphase.simulation import coarsening
from inphase.status import Status

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signals between processes")


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """While kernels are compiled there is no run yet that could keep anything."""
    ip.simulate(
        ip.PhaseModel(ip.kuramoto(), frequencies=np.linspace(0, 1, 40)), np.linspace(0, 6, 40), t_end=1.0
    )
    ip.coarsen(ip.PhaseModel(ip.attention(300.0)), ip.initial.phases("uniform", 4000), t_end=1e-9)
    ip.coarsen(ip.PhaseModel(ip.attention(9.0)), [0.0, 1e-7, 2.0], t_end=1e2)


CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
ENDLESS = ["--n", "40", "--frequencies", "uniform(0, 1)", "--t-end", "1e9"]
PROVABLE = ["study", "--formula", "tanh(30*sin(x))", "--n", "6", "--t-end", "1"]


def send(number, after=0.0):
    """Send this process a signal, if something heeds it."""

    def sent():
        if signal.getsignal(number) not in (signal.SIG_DFL, signal.default_int_handler):
            os.kill(os.getpid(), number)

    threading.Timer(after, sent).start()


def sent_at(monkeypatch, where, name, number, after=0.1):
    """Send a signal shortly after a function begins, and let it do its work."""
    usual = getattr(where, name)

    def begun(*given, **how):
        send(number, after)
        return usual(*given, **how)

    monkeypatch.setattr(where, name, begun)


def told(capsys):
    """What is printed as JSON, and the one line beside it."""
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1 and printed.err.startswith("inphase: interrupted")
    return json.loads(printed.out) if printed.out else None


def names(folder):
    return {path.name for path in folder.iterdir()}


# ------------------------------------------------------------------------------------- in each part of each verb


@pytest.mark.parametrize("number", CODES)
def test_simulate(number, tmp_path, capsys, monkeypatch):
    sent_at(monkeypatch, simulation, "simulate", number)
    assert main(["simulate", "kuramoto", *ENDLESS, "--out", str(tmp_path), "--json"]) == CODES[number]
    assert told(capsys)["status"] == manifest(tmp_path)["status"] == "interrupted"
    assert names(tmp_path) == {"trajectory.nc", "manifest.json"}
    with xr.open_dataset(tmp_path / "trajectory.nc", engine="h5netcdf") as run:
        assert run.attrs["status"] == "interrupted" and 0 < float(run.time[-1]) == float(run.end_time) < 1e9
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL  # as it was


@pytest.mark.parametrize("number", CODES)
def test_coarsen(number, tmp_path, capsys, monkeypatch):
    sent_at(monkeypatch, simulation, "coarsen", number)
    given = ["attention", "--beta", "300", "--n", "4000"]
    assert main(["coarsen", *given, "--out", str(tmp_path), "--json"]) == CODES[number]
    assert told(capsys)["status"] == manifest(tmp_path)["status"] == "interrupted"
    with xr.open_dataset(tmp_path / "tree.nc", engine="h5netcdf") as tree:
        assert 1 < tree.attrs["clusters_left"] == tree.sizes["cluster"]


@pytest.mark.parametrize(
    ("where", "name", "arguments", "written", "says"),
    [
        (
            studies, "simulate", ["kuramoto", *ENDLESS], {"trajectory.nc", "study.json", "report.html", "parts.npz"},
            "Interrupted at t = ",
        ),
        (
            studies, "coarsen", ["attention", "--beta", "36", "--n", "300", "--t-end", "1"],
            {"trajectory.nc", "tree.nc", "study.json", "report.html"}, "",
        ),
        (studies, "certificate", PROVABLE[1:], {"trajectory.nc", "tree.nc", "study.json", "report.html"}, "Not by t = 1e+14"),
        ("inphase.report.page", "plates", PROVABLE[1:], {"trajectory.nc", "tree.nc", "study.json"}, None),
    ],
    ids=["run", "tree", "proof", "report"],
)  # fmt: skip
def test_study(where, name, arguments, written, says, tmp_path, capsys, monkeypatch):
    where = importlib.import_module(where) if isinstance(where, str) else where
    sent_at(monkeypatch, where, name, signal.SIGTERM)
    assert main(["study", *arguments, "--out", str(tmp_path), "--json"]) == 143
    found = told(capsys)
    assert names(tmp_path) == written | {"manifest.json"}
    assert manifest(tmp_path)["status"] == "interrupted" and set(manifest(tmp_path)["files"]) == written
    told_of = json.loads((tmp_path / "study.json").read_text(encoding="utf-8"))
    if says is None:  # between study.json and the report
        assert found is None and told_of["numbers"]["proof_status"] == "pending"
        return
    status = "interrupted" if name == "certificate" else "not sought"
    assert told_of["answer"] == found["answer"] and found["answer"].startswith(says)
    assert told_of["numbers"]["proof_status"] == status
    assert status in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_reproduce_and_diagram(tmp_path, capsys, monkeypatch):
    from inphase.report import style

    sent_at(monkeypatch, style, "png", signal.SIGTERM, after=0.02)
    assert main(["reproduce", "fig1", "--out", str(tmp_path / "figures")]) == 143
    assert told(capsys) is None and manifest(tmp_path / "figures")["status"] == "interrupted"
    assert not [name for name in names(tmp_path / "figures") if name.startswith(".")]


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_train_in_processes_of_its_own(number, tmp_path):
    """Sent to all of them, as a batch system or a terminal does."""
    (tmp_path / "case.toml").write_text(
        '[problem]\nname = "case-1"\n[network]\nhidden = [16]\n[training]\nnodes = 20\nsamples = 200\nepochs = 4000\n'
        "validate_every = 10\nburn_in = 30\nwindow = 10\n[run]\nstarts = 2\nworkers = 2\n"
    )
    out = tmp_path / "out"
    process = started("train", str(tmp_path / "case.toml"), "--out", str(out), "--json")
    waited(lambda: len(list(out.glob("checkpoints/start-00?.npz"))) == 2)
    os.killpg(process.pid, number)
    printed, line = process.communicate(timeout=120)
    assert process.returncode == CODES[number], line
    assert json.loads(printed)["status"] == "interrupted" == manifest(out)["status"]
    assert line.splitlines()[-1].startswith("inphase: interrupted; the same command goes on")
    assert "Traceback" not in line and alone(process)


# ------------------------------------------------------------------------------------------------------ processes


def started(*arguments):
    """A command in a process group of its own."""
    code = "import sys\nfrom inphase.cli import main\nsys.exit(main(sys.argv[1:]))"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env=os.environ | {"JAX_PLATFORMS": "cpu", "MPLBACKEND": "Agg"},
    )  # fmt: skip


def waited(condition, seconds=120.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


def members(process):
    """The processes of its group, by number."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z" and int(fields[2]) == process.pid:
            found.append(int(entry.name))
    return found


def alone(process):
    """Whether nothing of its group is left, after some seconds at most."""
    waited(lambda: not members(process), 20.0)
    return True


DIAGRAM = [
    "diagram",
    "--formula",
    "sin(x) + a*sin(2*x) + b*sin(3*x)",
    "--a",
    "0",
    "0.6",
    "--b",
    "-0.3",
    "0.3",
]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are listed there")
@pytest.mark.parametrize(
    ("number", "whom"),
    [
        (signal.SIGTERM, os.kill),
        pytest.param(signal.SIGINT, os.killpg, marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, os.killpg, marks=pytest.mark.long),
        pytest.param(signal.SIGKILL, os.kill, marks=pytest.mark.long),
    ],
    ids=["TERM", "INT to all", "TERM to all", "KILL"],
)
def test_the_processes_of_a_pool_end_with_their_parent(number, whom, tmp_path):
    process = started(*DIAGRAM, "--size", "400", "--workers", "2", "--out", str(tmp_path))
    try:
        waited(lambda: len(members(process)) == 3)
        time.sleep(0.3)
        whom(process.pid, number)
        out, err = process.communicate(timeout=60)
        assert alone(process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == CODES.get(number, -number) and not out
    assert err == ("" if number == signal.SIGKILL else "inphase: interrupted\n")
    assert (
        main(["simulate", "kuramoto", "--n", "2", "--t-end", "1", "--overwrite", "--out", str(tmp_path)]) == 0
    )


# -------------------------------------------------------------------------------------------- wholly or not at all


@pytest.mark.parametrize("number", CODES)
def test_a_file_that_is_being_written_is_finished_first(number, tmp_path):
    def slow(beside):
        beside.write_text("half ")
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)  # pressed twice
        time.sleep(0.05)
        beside.write_text("half and half")

    with heeded() as came, pytest.raises(KeyboardInterrupt) as end:
        replace_file(tmp_path / "file.txt", slow)
    assert (tmp_path / "file.txt").read_text() == "half and half" and names(tmp_path) == {"file.txt"}
    assert came == [number] and (end.type is Terminated) == (number == signal.SIGTERM)


def test_a_dataset_is_made_before_an_interruption_is_heard(tmp_path):
    """In the middle of it HDF5 makes an error of its own of one, or prints it."""
    run = ip.simulate(ip.PhaseModel(ip.kuramoto()), [0.0, 1.0], t_end=1.0)
    followed = Tracer([xr.Dataset.to_netcdf], 1)
    with pytest.raises(KeyboardInterrupt):
        followed.run(lambda: files.write_dataset(tmp_path / "run.nc", run))
    assert followed.seen
    with xr.open_dataset(tmp_path / "run.nc") as written:
        assert written.phase.equals(run.phase)


def test_held_leaves_the_handlers_as_they_were():
    before = [signal.getsignal(number) for number in CODES]
    with pytest.raises(KeyboardInterrupt), held():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        reached = True
    assert reached and [signal.getsignal(number) for number in CODES] == before
    with pytest.raises(ZeroDivisionError), held():
        raise ZeroDivisionError
    assert [signal.getsignal(number) for number in CODES] == before
    at_work = threading.Thread(target=lambda: held().__enter__())
    at_work.start()
    at_work.join()
    assert [signal.getsignal(number) for number in CODES] == before


@pytest.mark.parametrize("number", CODES)
def test_a_signal_in_a_callback_from_c_is_not_lost(number):
    """Python drops the exception there, as within the compiler's callbacks."""
    inside = []

    @ctypes.CFUNCTYPE(None)
    def callback():
        os.kill(os.getpid(), number)
        inside.append(True)
        for _ in range(10**5):
            pass
        inside.append(False)

    with heeded() as came, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        callback()
        inside.append("went on")
        time.sleep(5)
    assert "went on" in inside and False not in inside and came == [number, number]


def test_what_fails_after_a_signal_is_an_interruption(tmp_path, capsys, monkeypatch):
    """A worker that got the signal, too, may break its pool before this process has heard of it."""

    def breaks(*_, **__):
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise RuntimeError("a process of the pool ended") from None

    monkeypatch.setattr(simulation, "simulate", breaks)
    given = ["simulate", "kuramoto", "--n", "2", "--t-end", "1", "--out", str(tmp_path)]
    assert main(given) == 143 and told(capsys) is None
    monkeypatch.setattr(simulation, "simulate", lambda *_, **__: [][0])
    with pytest.raises(IndexError):
        main(given)


def test_signals_that_are_ignored_stay_so():
    """A shell's background job does not hear Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with heeded() as came:
            signal.raise_signal(signal.SIGINT)
        assert came == []
    finally:
        signal.signal(signal.SIGINT, before)


SOURCE = Path(inspect.getfile(coarsening)).read_text(encoding="utf-8").splitlines()


class Tracer:
    """Sends Ctrl-C at the k-th line that functions run."""

    def __init__(self, functions, line):
        self.codes = {inspect.unwrap(one).__code__ for one in functions}
        self.line, self.seen = line, []

    def __call__(self, frame, event, argument):
        if frame.f_code not in self.codes:
            return None
        if event == "line":
            self.seen.append(frame.f_lineno)
            if len(self.seen) == self.line:
                sys.settrace(None)
                signal.raise_signal(signal.SIGINT)
        return self

    def run(self, work):
        before = sys.gettrace()
        sys.settrace(self)
        try:
            return work()
        finally:
            sys.settrace(before)


def test_ctrl_c_between_any_two_lines_leaves_a_whole_tree():
    """What has merged is merged in all that the tree says."""
    phases, model = np.array([0.0, 0.02, 0.5, 3.0]), ip.PhaseModel(ip.attention(9.0))
    followed = [
        getattr(coarsening._Tree, name) for name in ("advance", "merge", "recut", "_cut", "keep_path")
    ]
    lines = Tracer(followed, -1)
    whole = lines.run(lambda: ip.coarsen(model, phases, 1e3))
    merges = [k for k, line in enumerate(lines.seen) if "merging.join(" in SOURCE[line - 1]][::2]
    assert len(merges) == whole.sizes["event"] > 0
    for line in (one for k in merges for one in range(k - 3, k + 20)):
        tree = Tracer(followed, line).run(lambda: ip.coarsen(model, phases, 1e3))
        left, events = tree.sizes["cluster"], tree.sizes["event"]
        assert tree.attrs["status"] == "interrupted" and left == 4 - events == tree.attrs["clusters_left"]
        assert float(tree.final_mass.sum()) == pytest.approx(1.0)
        assert set(tree.final_cluster.values.tolist()) == set(range(left))
        assert np.array_equal(tree.time, whole.time[:events]) and np.array_equal(
            tree.merged, whole.merged[:events]
        )


def test_ctrl_c_between_any_two_lines_leaves_no_file_of_another_run(tmp_path):
    """What the manifest tells of holds for each file beside it, the lock is free, and the next run is not refused."""

    def run(folder, text, *written):
        with OutputFolder(folder, "study", ["a.txt", "b.txt", "c.txt"]) as owned:
            owned.about = {"text": text}
            for name in written:
                write_text(owned.file(name), text)

    methods = ("__enter__", "__exit__", "file", "begin", "_save")
    followed = [*(getattr(OutputFolder, name) for name in methods), files.locked, files._locked]
    followed += [files.output_folder, files.replace_file]
    every = Tracer(followed, -1)
    every.run(lambda: run(tmp_path / "whole", "new", "a.txt", "c.txt"))
    for line in range(1, len(every.seen) + 1):
        folder = tmp_path / f"{line}"
        run(folder, "old", "a.txt", "b.txt")
        with pytest.raises(KeyboardInterrupt):
            Tracer(followed, line).run(lambda folder=folder: run(folder, "new", "a.txt", "c.txt"))
        text, there = manifest(folder)["about"]["text"], names(folder) - {MANIFEST}
        assert all((folder / name).read_text() == text for name in there), (every.seen[line - 1], there)
        assert there == {"a.txt", "b.txt"} if text == "old" else there <= {"a.txt", "c.txt"}
        run(folder, "next", "c.txt")
        assert names(folder) == {"c.txt", MANIFEST}


def test_ctrl_c_between_any_two_lines_leaves_each_root_counted_once():
    model = ip.PhaseModel(ip.kuramoto(), ip.Ring(1))
    followed = [search.DistinctStates.enter]
    lines = Tracer(followed, -1)
    lines.run(lambda: ip.equilibria.find(model, 3, starts=0))
    for line in range(1, len(lines.seen) + 1):
        found = Tracer(followed, line).run(lambda: ip.equilibria.find(model, 3, starts=0))
        assert found.interrupted and len(found.hits) == len(found.equilibria) and 0 not in found.hits


# ----------------------------------------------------------------------------------------- the report and the proof


def test_the_report_is_there_before_the_proof_is_looked_for(tmp_path, monkeypatch):
    seen, usual = [], studies.certificate

    def looked(model, n, seconds):
        data = json.loads((tmp_path / "study.json").read_text(encoding="utf-8"))
        seen.append(
            (
                seconds,
                data,
                (tmp_path / "report.html").read_text(encoding="utf-8"),
                manifest(tmp_path)["status"],
            )
        )
        return usual(model, n, seconds)

    monkeypatch.setattr(studies, "certificate", looked)
    found = ip.study(ip.PhaseModel(ip.attention(2.0)), n=3, out=tmp_path, proof_time=20)
    (seconds, data, report, status), after = (
        seen[0],
        json.loads((tmp_path / "study.json").read_text(encoding="utf-8")),
    )
    assert seconds == 20 and data["numbers"]["proof_status"] == "pending" and status == "unfinished"
    assert not [item for item in data["evidence"] if item["proof"]] and "Proved" not in data["answer"]
    assert "</html>" in report and "pending" in report
    assert (
        after["numbers"]["proof_status"] == "proved"
        and after["answer"] == "Proved: almost every start synchronizes. " + data["answer"]
    )
    final = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Proved" in final and "pending" not in final and final.count("<figure") == report.count("<figure")
    assert "proof_time=20" in final and found.chosen["proof_time"] == 20
    assert manifest(tmp_path)["status"] == "finished" and "proof.json" in manifest(tmp_path)["files"]


def test_no_time_for_a_proof(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(studies, "certificate", lambda *_: pytest.fail("looked for"))
    (tmp_path / "model.toml").write_text(
        "[interaction]\nname = 'kuramoto'\n[run]\nn = 3\nt_end = 1\nproof_time = 0\n"
    )
    for arguments in (
        ["kuramoto", "--n", "3", "--t-end", "1", "--proof-time", "0"],
        [str(tmp_path / "model.toml")],
    ):
        assert main(["study", *arguments, "--out", str(tmp_path / "out"), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["numbers"]["proof_status"] == "not sought" and "proof" not in found["files"]
    for bad in ("-1", "nan"):
        assert (
            main(["study", "kuramoto", "--n", "3", "--proof-time", bad, "--out", str(tmp_path / "bad")]) == 2
        )
        assert "proof_time" in capsys.readouterr().err and not (tmp_path / "bad").exists()
    with pytest.raises(ValueError, match="proof_time"):
        ip.study(ip.PhaseModel(ip.kuramoto()), n=3, proof_time=-1.0)


# --------------------------------------------------------------------------------- what ended early looks like it


@pytest.mark.parametrize("how", [{}, {"step": 0.01}], ids=["adaptive", "constant steps"])
def test_the_last_frame_of_a_run_that_ended_early_is_its_end(how):
    model, phases = ip.PhaseModel(ip.kuramoto(), frequencies=np.arange(4.0)), np.array([0.0, 1.0, 2.5, 4.0])
    run = ip.simulate(model, phases, times=[0.0, 1e3], max_steps=20, **how)
    assert run.attrs["status"] == "max_steps" and run.time.values.tolist() == [0.0, float(run.end_time)]
    assert float(run.order_parameter[-1]) == pytest.approx(
        abs(ip.order_parameter(run.end_phase.values)), rel=1e-14
    )
    assert float(run.order_parameter[-1]) != float(run.order_parameter[0])
    late = ip.simulate(model, phases, times=[500.0, 1e3], max_steps=20, **how)  # no frame was reached
    assert np.array_equal(late.phase[-1], run.end_phase) and late.sizes["time"] == 1
    several = ip.simulate(model, [phases, 1e-3 * phases], times=[0.0, 1e3], max_steps=20, **how)
    ends, last = several.end_time.values, several.order_parameter.values[-1]
    for end, value, state in zip(ends, last, several.end_phase.values):
        assert (
            np.isnan(value)
            if end < max(ends)
            else value == pytest.approx(abs(ip.order_parameter(state)), rel=1e-14)
        )
    assert np.isfinite(last).any() and float(several.time[-1]) == max(ends) > 0


@pytest.mark.long  # it compiles
def test_status_3_of_a_training_of_which_a_start_ended_early(tmp_path, capsys, monkeypatch):
    job = pytest.importorskip("inphase.learn.job")
    (tmp_path / "case.toml").write_text(
        '[problem]\nname = "case-1"\n[network]\nhidden = [4]\n[training]\nnodes = 10\nsamples = 20\nepochs = 1\n'
        "burn_in = 5\nwindow = 5\nvalidation_graphs = 2\n[run]\nstarts = 1\nevaluate_graphs = 2\nevaluate_burn_in = 5\n"
    )
    usual = job.train

    def early(*given, **how):
        trained = usual(*given, **how)
        trained.starts[0].status = Status.NOT_FINITE
        return trained

    monkeypatch.setattr(job, "train", early)
    out = tmp_path / "out"
    assert main(["train", str(tmp_path / "case.toml"), "--out", str(out), "--no-progress", "--json"]) == 3
    printed = capsys.readouterr()
    assert (
        printed.err
        == f"inphase: the run ended early ({Status.NOT_FINITE.text}); what there is was written to {out}\n"
    )
    assert json.loads(printed.out)["status"] == manifest(out)["status"] == "not finite"
    assert set(manifest(out)["files"]) == {"coupling.npz", "model.toml", "nodes.csv", "training.json"}


def test_an_error_that_a_library_makes_of_a_signal_is_an_interruption(monkeypatch, capsys, tmp_path):
    """As FreeType does, which took one for an invalid matrix."""

    def drawn(*_):
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise ValueError("Invalid affine transformation matrix") from None

    monkeypatch.setattr(importlib.import_module("inphase.report.page"), "plates", drawn)
    arguments = ["study", "kuramoto", "--n", "3", "--t-end", "1", "--proof-time", "0", "--out", str(tmp_path)]
    assert main(arguments) == 143 and capsys.readouterr().err == "inphase: interrupted\n"


def fails(folder, with_signal):
    """What a library in C does that is interrupted: it raises an error of its own."""
    with OutputFolder(folder, "study", ["study.json"]) as owned:
        owned.begin()
        try:
            if with_signal:
                signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            pass
        raise RuntimeError("an error of a library's own")


def test_what_a_library_makes_of_a_signal_is_an_interruption_for_the_folder(tmp_path):
    for with_signal, status in ((True, "interrupted"), (False, "unfinished")):
        with signals.heeded(), pytest.raises(RuntimeError):
            fails(tmp_path, with_signal)
        assert manifest(tmp_path)["status"] == status and not signals.have_come()
