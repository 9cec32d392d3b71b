"""The verbs, one file each: to add one, write its file and give it a line here.

A file imports what it runs when it runs, so that `inphase --help` is quick.
"""

from inphase.cli.options import Verb
from inphase.cli.verbs import (
    certify,
    check,
    coarsen,
    diagram,
    equilibria,
    reproduce,
    simulate,
    study,
    train,
)

VERBS: dict[str, Verb] = {
    module.VERB.name: module.VERB
    for module in (study, simulate, coarsen, equilibria, certify, check, diagram, train, reproduce)
}
