"""How a run ended, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Status(StrEnum):
    """How a run ended: a string, as in `attrs["status"]` of a result, that knows what it means.

    Attributes
    ----------
    advice : str
        What was met, or what to do next.
    complete : bool
        Whether the run came to an end of its own, not to a limit, a failure or Ctrl-C.

    Examples
    --------
    >>> import inphase as ip
    >>> run = ip.simulate(ip.PhaseModel(ip.kuramoto()), [0.0, 1.0], t_end=10.0, max_steps=3)
    >>> print(Status(run.attrs["status"]).text)
    max_steps: raise max_steps or the tolerance
    >>> Status.MAX_STEPS == "max_steps", Status.MAX_STEPS.complete, Status.FINISHED.exit_code
    (True, False, 0)
    """

    advice: str
    complete: bool

    def __new__(cls, value: str, advice: str = "", complete: bool = False) -> Status:  # noqa: D102
        member = str.__new__(cls, value)
        member._value_, member.advice, member.complete = value, advice, complete
        return member

    # any run
    FINISHED = "finished", "it came to the end that was asked for", True
    INTERRUPTED = "interrupted", "what was reached is kept; go on from its last state or its checkpoint"
    NOT_FINITE = "not finite", "take a smaller step; in a training, a smaller rate or clip"

    # trajectories and merger trees
    STOPPED = "stopped", "a condition of stop held; stopped_by names it", True
    SYNCHRONIZED = "synchronized", "one cluster is left", True
    STATIONARY = "stationary", "an equilibrium to rounding; ask equilibria.stability if it is stable", True
    MAX_STEPS = "max_steps", "raise max_steps or the tolerance"
    STEP_UNDERFLOW = "step underflow", "raise the tolerance, or look for where the velocity is not smooth"

    # densities
    UNRESOLVED = "unresolved", "raise max_modes or tolerance, or follow particles"
    FAILED = "failed", "the step size underflowed; raise the tolerance"

    # branches of equilibria
    RANGE = "range", "the branch left the range; widen it to follow further", True
    CLOSED = "closed", "the branch came back to its start", True
    BRANCH_POINT = "branch point", "here the branch parted from another", True
    MAX_POINTS = "max_points", "raise max_points or step"

    # trainings
    STOPPED_EARLY = (
        "stopped early",
        "no judgment was better for as many as patience says; raise it to go on",
        True,
    )
    UNTRAINED = "untrained", "a network as it is drawn; train it", True
    GIVEN = "given", "a network that was trained elsewhere", True

    @property
    def text(self) -> str:
        """The status and what to do next, in one line."""
        return f"{self.value}: {self.advice}"

    @property
    def exit_code(self) -> int:
        """What a command ends with: 0; 130 after Ctrl-C; 3 where a run ended before its end."""
        return 0 if self.complete else 130 if self is Status.INTERRUPTED else 3

    def __repr__(self) -> str:
        return repr(self.value)


def worst(statuses: Iterable[str]) -> Status:
    """The status that matters of several runs: interrupted before ended early before complete; "finished" of none.

    Examples
    --------
    >>> worst(["finished", "interrupted", "max_steps"])
    'interrupted'
    """
    return max(map(Status, statuses), key=lambda status: status.exit_code, default=Status.FINISHED)
