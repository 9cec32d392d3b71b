"""The verbs, one file each: to add one, write its file, with a `VERB`, and name it in `VERBS`.

A file imports what it runs when it runs, so that `inphase --help` is quick.
"""

from importlib import import_module

from inphase.cli.options import Verb

VERBS: dict[str, Verb] = {
    name: import_module(f"{__name__}.{name}").VERB
    for name in (
        "study",
        "simulate",
        "coarsen",
        "equilibria",
        "certify",
        "check",
        "diagram",
        "train",
        "reproduce",
    )
}
