"""The landscape of equilibria: which states exist, which are stable, and how large their basins are.

`find` searches from many starts; `stability` gives the spectrum of one state with its error; `classify` names
a state; `basins` estimates the shares of phase space that lead to each, `node_basins` and `survivability` how much
one node can be pushed, `critical_clearing_time` how long a fault may last; `nearest` is the one next to a given
state, where `can_polish`. `all_equilibria` proves which there are on small graphs, `continue_equilibrium` follows one in a
parameter, `critical_coupling` to where it is lost, and `lyapunov_exponents` says how fast neighbors
part where nothing rests. Every search solves the
equations in `locked.py`.
"""

from inphase.equilibria.basins import basins
from inphase.equilibria.clearing import ClearingTime, critical_clearing_time
from inphase.equilibria.continuation import continue_equilibrium, switch_branch
from inphase.equilibria.critical import CriticalCoupling, critical_coupling
from inphase.equilibria.locked import locked_velocity
from inphase.equilibria.lyapunov import lyapunov_exponents
from inphase.equilibria.nearest import can_polish, nearest
from inphase.equilibria.polynomial import Census, all_equilibria, complex_solutions
from inphase.equilibria.search import Landscape, find
from inphase.equilibria.single_nodes import node_basins, survivability
from inphase.equilibria.stability import Spectrum, stability
from inphase.equilibria.states import Equilibrium, classify

__all__ = [
    "Census",
    "ClearingTime",
    "CriticalCoupling",
    "Equilibrium",
    "Landscape",
    "Spectrum",
    "all_equilibria",
    "basins",
    "can_polish",
    "classify",
    "complex_solutions",
    "continue_equilibrium",
    "critical_clearing_time",
    "critical_coupling",
    "find",
    "locked_velocity",
    "lyapunov_exponents",
    "nearest",
    "node_basins",
    "stability",
    "survivability",
    "switch_branch",
]
