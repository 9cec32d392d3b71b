"""Power grids: MATPOWER's case files and pandapower's nets, their AC power flow, and their swing equation.

`read` takes a case file, `from_pandapower` a net; both give a `PowerGrid`, whose `swing` is the classical model of
its machines as a `PhaseModel`: loads as constant admittances, all buses eliminated (Kron).
"""

from inphase.power.grid import PowerFlow, PowerGrid
from inphase.power.matpower import read
from inphase.power.pandapower import from_pandapower

__all__ = ["PowerFlow", "PowerGrid", "from_pandapower", "read"]
