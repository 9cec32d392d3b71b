"""The command line: what it prints, what it writes, its exit status, and what it says of bad input."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import xarray as xr

from inphase.cli import main
from inphase.files import manifest


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict]:
    status = main([*arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_study_answers_and_writes_the_report(tmp_path, capsys):
    status, found = run_json(
        capsys, "study", "attention", "--beta", "4", "--n", "300", "--seed", "3", "--out", str(tmp_path)
    )
    assert status == 0
    assert found["answer"].startswith(
        "Proved: almost every start synchronizes. Yes, in this run: the 300 oscillators became"
    )
    assert {"proof", "theory", "spectrum", "experiment"} == {item["kind"] for item in found["evidence"]}
    assert [item["kind"] for item in found["evidence"] if item["proof"]] == ["proof"]
    assert main(["check", found["files"]["proof"]]) == 0
    assert all(
        "not a proof" in item["statement"] for item in found["evidence"] if "criterion" in item["statement"]
    )
    assert set(found["files"]) == {"trajectory", "tree", "proof", "study", "report"}
    assert all(Path(path).stat().st_size > 1000 for path in found["files"].values())
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    with xr.open_dataset(found["files"]["trajectory"], engine="h5netcdf") as run:
        assert run.phase.dims == ("time", "oscillator") and run.sizes["oscillator"] == 300
        assert json.loads(run.attrs["model"])["interaction"]["parameters"] == {"beta": 4.0}


@pytest.mark.parametrize(
    ("arguments", "begins"),
    [
        (["kuramoto", "--strength", "-1", "--n", "40"], "Not in this run"),
        (
            ["THREE_CLUSTERS"],
            "Proved: not from every start. Not by t = 1e+14, in this run: 3 clusters are left",
        ),
        (["kuramoto", "--n", "1"], "Trivially"),
        (["kuramoto", "--strength", "2", "--frequencies", "FREQUENCIES"], "Partly, in this run"),
    ],
)
def test_study_says_no_where_the_answer_is_no(tmp_path, capsys, arguments, begins):
    frequencies = tmp_path / "omega.csv"
    frequencies.write_text("\n".join(str(0.1 * i**2) for i in range(-5, 15)))
    three = tmp_path / "three.toml"  # stable for β < −2/3 (Polyanskiy, Rigollet, Yao 2025, Corollary 2.6)
    three.write_text(
        '[interaction]\nname = "attention"\nparameters = {beta = -2}\n'
        '[run]\nn = 30\ninitial = "clusters"\noptions = {masses = [1, 1, 1], spread = 0.2}\n'
    )
    arguments = [{"FREQUENCIES": str(frequencies), "THREE_CLUSTERS": str(three)}.get(a, a) for a in arguments]
    status, found = run_json(capsys, "study", *arguments, "--out", str(tmp_path / "out"))
    assert status == 0
    assert found["answer"].startswith(begins)


def test_a_file_and_the_arguments_describe_the_same_run(tmp_path, capsys):
    path = tmp_path / "model.toml"
    path.write_text(
        '[interaction]\nformula = "sin(x) + a*sin(2*x)"\nparameters = {a = 0.25}\n'
        '[model]\ngain = "softmax"\n[run]\nn = 20\nseed = 5\nt_end = 7.0\n'
    )
    out = ["--out", str(tmp_path / "out")]
    _, from_file = run_json(capsys, "simulate", str(path), *out)
    _, from_arguments = run_json(
        capsys, "simulate", "--formula", "sin(x) + a*sin(2*x)", "--a", "0.25", "--gain", "softmax",
        "--n", "20", "--seed", "5", "--t-end", "7", *out,
    )  # fmt: skip
    assert from_file == from_arguments
    _, other_seed = run_json(capsys, "simulate", str(path), "--seed", "6", *out)
    assert other_seed["order_parameter"] != from_file["order_parameter"]


def test_coarsen_prints_the_last_mergers(tmp_path, capsys):
    status, found = run_json(
        capsys, "coarsen", "attention", "--beta", "9", "--n", "64", "--out", str(tmp_path)
    )
    assert status == 0 and found["status"] == "synchronized"
    times = [time for time, _ in found["last_mergers"]]
    assert times == sorted(times) and found["last_mergers"][-1][1] == 1
    with xr.open_dataset(found["file"], engine="h5netcdf") as tree:
        assert tree.sizes["event"] == 63


def test_certify_proves_and_check_verifies(tmp_path, capsys):
    path = tmp_path / "proof.json"
    status, found = run_json(capsys, "certify", "attention", "--beta=-0.66", "inf", "--save", str(path))
    assert status == 0 and found["verdict"] == "proved" and "beta in [-33/50, inf)" in found["statement"]
    assert main(["check", str(path)]) == 0
    assert "accepted" in capsys.readouterr().out
    path.write_text(path.read_text().replace('"attention-count"', '"l1"'))
    assert main(["check", str(path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["accepted"] is False


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        (["attention", "--beta=-0.7", "--n", "3"], "refuted"),
        (["--formula", "sin(x) + a*sin(2*x)", "--a", "0", "0.2"], "proved"),
        (["--formula", "sin(x + 0.1)"], "undecided"),
        (["RING"], "refuted"),
    ],
)
def test_certify_has_three_verdicts(arguments, verdict, tmp_path, capsys):
    ring = tmp_path / "ring.edges"
    ring.write_text("".join(f"{i} {(i + 1) % 7}\n" for i in range(7)))
    status, found = run_json(capsys, "certify", *(str(ring) if a == "RING" else a for a in arguments))
    assert (status, found["verdict"]) == (0, verdict)


def test_diagram_writes_a_table_and_a_figure(tmp_path, capsys):
    formula = "sin(x) + a*sin(2*x) + b*sin(3*x)"
    arguments = ["--formula", formula, "--a", "0", "0.25", "--b", "0", "0.125", "--size", "2"]
    status, found = run_json(capsys, "diagram", *arguments, "--out", str(tmp_path))
    assert (
        status == 0 and found["proved"] + found["refuted"] + found["undecided"] == 4 and found["proved"] >= 1
    )
    assert Path(found["table"]).read_text().count("\n") == 5 and Path(found["figure"]).stat().st_size > 1000


def test_reproduce_lists_and_draws(tmp_path, capsys):
    status, listing = run_json(capsys, "reproduce")
    assert status == 0 and {"fig1", "fig2"} <= set(listing)
    status, found = run_json(capsys, "reproduce", "fig2", "--out", str(tmp_path))
    assert status == 0 and all(Path(path).exists() for path in found["files"])


BAD = [
    (["study"], "name one system"),
    (["study", "attention"], "needs the parameter 'beta'"),
    (["study", "attention", "--beta", "abc"], "'abc'"),
    (["study", "attention", "--beta", "nan"], "beta must be a finite number"),
    (["study", "attention", "--bate", "2"], "no parameter 'bate'"),
    (["study", "attentoin", "--beta", "2"], "unknown interaction 'attentoin'"),
    (["study", "attention", "--beta", "2", "--n", "0"], "n: Input should be greater than or equal to 1"),
    (["study", "attention", "--beta", "2", "--out", "/proc/nowhere"], "/proc/nowhere cannot be written"),
    (["study", "attention", "--beta", "2", "--initial", "unifrom"], "unifrom"),
    (["study", "attention", "--beta", "2", "--phases", "missing.npy"], "missing.npy"),
    (["study", "missing.toml"], "missing.toml"),
    (["study", "--formula", "sin(y)"], "unknown name 'y'"),
    (["study", "--formula", "__import__('os').system('true')"], "refused"),
    (["study", "--formula", "abs(sin(x))"], "not analytic"),
    (["study", "--formula", "x"], "not 2π-periodic"),
    (["study", "sakaguchi", "--lag", "0.1", "--gain", "softmax"], "softmax"),
    (["simulate", "kuramoto", "--n", "5"], "--t-end"),
    (["coarsen", "kuramoto", "--n", "5", "--frequencies", "OMEGA"], "equal frequencies"),
    (["certify", "attention", "--beta", "2", "1"], "the range of beta is empty"),
    (["certify", "attention", "--beta", "nan"], "beta"),
    (["certify", "nothing"], "neither a name"),
    (["check", "missing.json"], "no such file: missing.json"),
    (["diagram", "attention", "--beta", "0", "1"], "exactly two parameters"),
    (["reproduce", "fig9"], "fig9"),
    (["reproduce", "fig1", "--beta", "2"], "unknown argument '--beta=2'"),
]


@pytest.mark.parametrize(("arguments", "says"), BAD, ids=[" ".join(a) for a, _ in BAD])
def test_bad_input_ends_with_status_2_and_one_line(arguments, says, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("omega.csv").write_text("1\n2\n3\n4\n5\n")
    status = main(["omega.csv" if a == "OMEGA" else a for a in arguments])
    captured = capsys.readouterr()
    assert status == 2 and captured.out == ""
    assert says in captured.err and captured.err.startswith("inphase: ") and captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "[interaction]\nname = 'kuramoto'\nbta = 2\n",
            "unknown key 'interaction.bta'; known: name, formula",
        ),
        (
            "[interactoin]\nname = 'kuramoto'\n",
            "unknown key 'interactoin'; known: interaction, coupling, model, drive, run",
        ),
        ("[interaction]\nname = 'kuramoto'\nformula = 'sin(x)'\n", "either name or formula"),
        (
            "[interaction]\nname = 'kuramoto'\n[coupling]\nweights = [1, -1]\n[run]\nt_end = 1\n",
            "weights must be non-negative",
        ),
        (
            "[interaction]\nname = 'kuramoto'\n[run]\nphases = [1, nan]\nt_end = 1\n",
            "phases must be finite; got nan at index 1",
        ),
        (
            "[interaction]\nname = 'kuramoto'\n[model]\nfrequencies = [1, 2]\n[run]\nphases = [1]\nt_end = 1\n",
            "n = 1",
        ),
        ("[interaction\n", "is not TOML"),
    ],
)
def test_a_bad_file_is_refused_with_the_name_of_the_key(text, says, tmp_path, capsys):
    path = tmp_path / "model.toml"
    path.write_text(text)
    assert main(["simulate", str(path), "--out", str(tmp_path / "out")]) == 2
    assert says in capsys.readouterr().err


def test_every_verb_has_help_with_an_example(capsys):
    for verb in ("study", "simulate", "coarsen", "certify", "check", "diagram", "reproduce"):
        with pytest.raises(SystemExit) as end:
            main([verb, "--help"])
        assert end.value.code == 0
        assert f"example: inphase {verb}" in capsys.readouterr().out


def start(*arguments: str, before: str = "") -> subprocess.Popen:
    code = f"{before}\nimport sys\nfrom inphase.cli import main\nsys.exit(main(sys.argv[1:]))"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"MPLBACKEND": "Agg"},
    )  # fmt: skip


def test_interruption_keeps_what_there_is(tmp_path):
    # on a busy machine the interruption may come before the run begins: then nothing is there
    for patience in (6, 15, 40):
        process = start(
            "study",
            "attention",
            "--beta",
            "4",
            "--n",
            "200000",
            "--t-end",
            "1e5",
            "--json",
            "--out",
            str(tmp_path),
        )
        time.sleep(patience)
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=30)
        # it came within a callback of the compiler, where Python drops it: press again
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
        assert process.returncode == 130, err
        if out:
            break
    assert "Interrupted at t = " in json.loads(out)["answer"]
    with xr.open_dataset(tmp_path / "trajectory.nc", engine="h5netcdf") as run:
        assert run.attrs["status"] == "interrupted" and run.sizes["time"] > 0
    assert (tmp_path / "report.html").exists()


def test_a_full_disk_names_the_file_and_leaves_nothing_of_another_run(tmp_path):
    """The operating system refuses files beyond 300 kB, as a full disk would; the old run's file went first."""
    limit = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))"
    )
    old = tmp_path / "trajectory.nc"
    old.write_text("the last good state")
    given = ["--n", "5000", "--t-end", "5", "--out", str(tmp_path), "--overwrite"]
    process = start("simulate", "kuramoto", *given, before=limit)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2 and out == ""
    assert f"cannot write {old}" in err
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]
    assert manifest(tmp_path)["status"] == "unfinished"
