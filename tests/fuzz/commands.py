# ruff: noqa: E501
"""Command lines: a verb, options that it has and some that it has not, with values that fit or do not."""

NUMBERS = ["0", "1", "2", "3", "-1", "0.5", "1/3", "1/0", "nan", "inf", "-inf", "1e-300", "1e300", "1e400", "0x10", "1_0", "",
           "x", "1,2", "é", "10000000000000", 40 * "9", 5000 * "9"]  # fmt: skip
TAME = [
    word for word in NUMBERS if word not in ("1e300", "10000000000000", 40 * "9")
]  # which ask for long runs
SIZES = ["1", "2", "3", "5", "0", "-1", "2.5", "10000000000000", 40 * "9", 5000 * "9", "x", "", "nan"]
TIMES = [
    "0.5",
    "1",
    "0",
    "-1",
    "nan",
    "inf",
    "1e-300",
    "1e400",
    "x",
    "",
]  # a run of 1e300 is asked for, and is long
FORMULAS = ["sin(x)", "sin(x) + a*sin(2*x)", "sin(x)*exp(2*(cos(x) - 1))", "cos(x)", "0*x", "x", "sin(", "", "1/0", "sin(x)/0",
            "sin(y)", "__import__('os')", "sin(x", "a.b", "sin(x)(x)", "[x]", "lambda: x", "1e400*sin(x)", "nan*sin(x)",
            "sin(1e9*x)", "tan(x)", "1/(2 + cos(x))", "tanh(30*sin(x))", "sin(2000*x)", "abs(x)", " + ".join(f"sin({k}*x)" for k in range(1, 400)),
            "sin(x)**2", "sin(x)**1e9", "sin(x)**0.5", "sqrt(sin(x))", "log(cos(x))", "ω*sin(x)", "sin(x)\0",
            300 * "(" + "x" + 300 * ")", 5000 * "9" + "*sin(x)"]  # fmt: skip
SYSTEMS = ["kuramoto", "kuramoto", "attention", "sakaguchi", "harmonics", "model.toml", "graph.csv", "proof.json", "nothing.toml",
           "none", "", "é", ".", "graph.gml", 300 * "a", "\0"]  # fmt: skip
CALLS = ["normal(0, 0.3)", "normal(width=0)", "normal(", "normal)", "normal()", "normal(nan)", "normal(1,2,3)", "lorentzian(0, 1)",
         "uniform(0, -1)", "bimodal(0, 1, separation=4)", "omega.csv", "omega.csv:omega", "omega.csv:none", "omega.npy", "phase.nc",
         "nothing.csv", "normal", "point(1)", "quantiles", "", "(", "é(1)", "a=b", "omega", "graph.csv", ":", "."]  # fmt: skip
GRAPHS = ["graph.csv", "graph.gml", "graph.mtx", "graph.npz", "nothing.gml", "small_world(neighbors=1, rewiring=0.1)", "path", "star",
          "erdos_renyi(0.5)", "erdos_renyi(2)", "complete", "lattice([2, 3])", "lattice([])", "none", "", "(", "path()", "omega.csv",
          "random_regular(degree=2)", "random_regular(degree=99)", "."]  # fmt: skip
INITIAL = ["uniform", "splay", "twisted(1)", "twisted(winding=2)", "twisted(1e9)", "synchronized", "von_mises(2)", "von_mises(-1)",
           "clusters([1, 2])", "clusters([0, 0])", "clusters([])", "quantiles", "file", "none", "", "uniform(3)", "twisted(x)"]  # fmt: skip
FILES = [
    "phases.csv",
    "omega.npy",
    "phase.nc",
    "omega.csv",
    "nothing.npy",
    "graph.npz",
    "proof.json",
    "",
    ".",
    "\0",
]
VALUES = {
    "system": SYSTEMS,
    "--formula": FORMULAS,
    "--strength": [
        "1",
        "2",
        "-1",
        "0",
        "1/3",
        "nan",
        "inf",
        "1e-300",
        "1e400",
        "x",
        "",
        40 * "9",
        5000 * "9",
    ],  # 1e9 is asked for, and is stiff
    "--gain": ["softmax", "none", ""],
    "--graph": GRAPHS,
    "--directed": None,
    "--weight": ["weight", "none", ""],
    "--normalized": ["in-degree", "strength", "mean-degree", "n", "none", ""],
    **{
        f"--{part}": [*TAME, *CALLS]
        for part in ("frequencies", "field", "delays", "noise", "inertia", "damping")
    },
    "--n": SIZES,
    "--seed": ["0", "7", "-1", "x", "1.5", 40 * "9"],
    "--initial": INITIAL,
    "--phases": FILES,
    "--t-end": TIMES,
    # runs and proofs must end where they are told to, whatever the numbers
    "--max-steps": ["500", "20", "1", "0", "-1", "2.5", "x"],
    "--seconds": ["1", "0.5", "2", "0", "-1", "nan", "x"],
    "--proof-time": ["1", "0", "0.5", "-1", "nan", "x"],
    "--tolerance": ["1e-6", "1e-9", "0", "-1", "nan", "inf", "x", ""],
    "--step": ["0.1", "0.01", "0", "-1", "nan", "inf", "x", "1e9"],
    "--method": ["euler", "heun", "none", ""],
    "--out": ["out", "omega.csv", "omega.csv/out", "\0", 300 * "a"],
    "--no-progress": None,
    "--json": None,
    "--help": None,
    "--starts": ["1", "3", "0", "-1", "x"],
    "--all": None,
    "--samples": ["1", "3", "0", "-1", "x"],
    "--theorem": ["l1", "none", ""],
    "--no-refutation": None,
    "--save": ["saved.json", "none/saved.json", ".", "\0"],
    "--size": ["1", "2", "0", "-1", "x"],
    "--workers": ["1", "0", "-1", "x"],
    "--resume": None,
    "--quick": None,
    "--data": ["none"],
    "file": ["proof.json", "model.toml", "training.toml", "omega.npy", "nothing.json", "", ".", "\0"],
    "name": ["none", "", "é"],
    "--beta": NUMBERS,
    "--a": NUMBERS,
    "--lag": NUMBERS,
    "--unknown": ["1", None],
}
SYSTEM = ["--formula", "--strength", "--gain", "--graph", "--directed", "--weight", "--normalized", "--frequencies", "--field",
          "--delays", "--noise", "--inertia", "--damping", "--seed", "--initial", "--phases", "--tolerance", "--step",
          "--method", "--no-progress", "--json"]  # fmt: skip
VERBS = {  # (share, what is given first, what may follow)
    "simulate": (5, ["system", "--n", "--t-end", "--max-steps"], SYSTEM),
    "study": (1, ["system", "--n", "--t-end", "--max-steps", "--proof-time"], SYSTEM),
    "coarsen": (3, ["system", "--n", "--t-end", "--max-steps"], ["--formula", "--strength", "--gain", "--frequencies", "--seed", "--initial",
                                                  "--phases", "--tolerance", "--json"]),
    "equilibria": (3, ["system", "--n", "--starts"], ["--formula", "--strength", "--gain", "--graph", "--frequencies", "--field",
                                                      "--delays", "--inertia", "--damping", "--seed", "--all", "--samples", "--json"]),
    "certify": (2, ["system", "--seconds"], ["--formula", "--n", "--theorem", "--no-refutation", "--save", "--json"]),
    "check": (3, ["file"], ["--json"]),
    "diagram": (1, ["system", "--size"], ["--formula", "--workers", "--json", "--out"]),
    "train": (2, ["file"], ["--resume", "--json", "--no-progress"]),
    "reproduce": (1, ["name"], ["--quick", "--data", "--seed", "--workers", "--json"]),
    "none": (1, [], ["--json", "--help"]),
    "": (1, [], ["--json", "--help"]),
}  # fmt: skip
OF_SYSTEMS = {"attention": ["--beta", "2"], "sakaguchi": ["--lag", "0.2"], "harmonics": ["--sin", "1"]}


def drawn_command(random):
    """The words of a command line."""
    verb = random.choices(list(VERBS), [share for share, _, _ in VERBS.values()])[0]
    _, first, more = VERBS[verb]
    options = [*first, *random.sample(more, min(len(more), random.choice((0, 0, 1, 1, 2, 3))))]
    if random.random() < 0.3:
        options.append(
            random.choice(("--out", "--help", "--unknown", "--beta", "--a", "--samples", "--t-end", "--n"))
        )
    if "--formula" in options and "system" in options and random.random() < 0.9:
        options.remove("system")
    words = [verb]
    for option in options:
        fits = random.random() < 0.6  # else any of its values
        words += _given(option, random, fits)
    return words


STEPS = "--t-end 1 --step 0.5 --method euler"  # whatever numbers the file has, a run has two steps
USES = {
    "graph": [f"simulate kuramoto {STEPS} --graph", "equilibria kuramoto --starts 1 --graph", "certify"],
    "omega": [
        f"simulate kuramoto --n 3 {STEPS} --frequencies",
        "coarsen kuramoto --n 3 --t-end 1 --frequencies",
    ],
    "phase": [f"simulate kuramoto {STEPS} --phases", "coarsen attention --beta 2 --t-end 1 --phases"],
    "model": [f"simulate --n 3 {STEPS}", "coarsen --n 3 --t-end 1", "certify"],
    "proof": ["check"],
    "train": ["train"],
}  # of the files beside a command line, by the begin of their names


def using(name, random):
    """The words of a command line that reads this file."""
    column = random.choice(("", ":omega")) if name == "omega.csv" else ""
    return [*random.choice(USES[name[:5]]).split(), name + column]


def _given(option, random, fits):
    """The words of an option; the first of its values are those that fit."""
    values = VALUES[option]
    if values is None:
        return [option]
    value = random.choice(values[:3] if fits else values)
    if not option.startswith("--"):
        return [value, *(OF_SYSTEMS.get(value, []) if fits or random.random() < 0.7 else [])]
    if value is None:
        return [option]
    return [f"{option}={value}"] if value.startswith("-") or random.random() < 0.2 else [option, value]
