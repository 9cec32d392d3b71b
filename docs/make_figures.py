"""The figures of docs/ and README.md: `make figures`."""

from pathlib import Path

import inphase as ip
from inphase.report import figures, style

HERE = Path(__file__).parent / "figures"


def main() -> None:
    """Draw and write them all."""
    HERE.mkdir(exist_ok=True)
    f = ip.attention(beta=9.0)
    model = ip.PhaseModel(f)
    phases = ip.initial.phases("uniform", n=20_000, seed=0)
    drawn = {
        "tree": figures.tree_figure(ip.coarsen(model, phases, t_end=1e14)),
        "trajectory": figures.trajectory_figure(ip.simulate(model, phases, t_end=120.0)),
        "interaction": figures.interaction_figure(f),
        "ratio": figures.ratio_figure(f),
    }
    for name, figure in drawn.items():
        (HERE / f"{name}.png").write_bytes(style.png(figure, dpi=130))


if __name__ == "__main__":
    main()
