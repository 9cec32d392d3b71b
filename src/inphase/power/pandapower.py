"""A pandapower net, by what pandapower itself hands to its power flow: no import of it is needed.

`runpp` leaves its own model in ``net._ppc``: MATPOWER's tables in per unit of ``net.sn_mva``, with lines, transformers,
switches and shunts as pandapower understands them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from inphase.power.grid import PowerGrid, from_tables

CHARGING_G, MORE_R, MORE_X, MORE_G, MORE_B = 23, 21, 22, 24, 25  # its own columns of a branch
UNKNOWN = ("tcsc", "svc", "ssc", "vsc", "b2b_vsc", "bi_vsc")  # tables of elements that are no admittances


def from_pandapower(net: Any) -> PowerGrid:
    """A power grid from a net of pandapower that `runpp` has solved.

    Parameters
    ----------
    net : pandapowerNet
        After ``pandapower.runpp(net)``, so that ``net._ppc`` is there.

    Returns
    -------
    PowerGrid
        Buses by the net's own index, as text: buses that closed switches join are one, "3+4"; those that pandapower adds
        (ends of lines that are open, star points of transformers) are "added 0", ...; the frequency is ``net.f_hz``.

    Raises
    ------
    TypeError
        If it is no such net.
    ValueError
        If it has not been solved, or has elements or loads that are not known here.
    """
    try:
        ppc, lookup = net["_ppc"], net["_pd2ppc_lookups"]["bus"]
        hertz, loads, where = float(net["f_hz"]), net["load"], f"pandapower net {net['name'] or ''}".strip()
    except (TypeError, KeyError):
        raise TypeError(f"net must be a net of pandapower; got {type(net).__name__}") from None
    if not ppc or not net["converged"]:
        raise ValueError("the net has no solution yet: call pandapower.runpp(net) first")
    for name in UNKNOWN:
        if name in net and len(net[name]):
            raise ValueError(
                f"net.{name} has {len(net[name])} elements, which are not known here: take them out"
            )
    depends = [column for column in loads if column.startswith("const_") and np.any(loads[column] != 0)]
    if depends:
        raise ValueError(
            f"loads that depend on the voltage ({', '.join(depends)}) are not known here: set them to 0"
        )
    bus, gen, branch = (np.real(np.asarray(ppc[name])) for name in ("bus", "gen", "branch"))
    own: dict[int, list[str]] = {}
    for index in net["bus"].index:
        own.setdefault(int(lookup[index]), []).append(str(index))
    added = iter(range(len(bus)))
    names = ["+".join(own[int(k)]) if int(k) in own else f"added {next(added)}" for k in bus[:, 0]]
    sides = branch[:, CHARGING_G] + 1j * branch[:, 4]
    charging = np.stack([sides, sides + branch[:, MORE_G] + 1j * branch[:, MORE_B]], axis=1)
    asymmetry = branch[:, MORE_R] + 1j * branch[:, MORE_X]
    return from_tables(where, float(ppc["baseMVA"]), hertz, bus, gen, branch, names, charging, asymmetry)
