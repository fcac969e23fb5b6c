"""What a limit of losses or rates does once it is broken: a stop or a freeze for a while, or a sticky halt.

A stop ends quoting and lets reductions work: what limits a loss must not suspend the stop-loss.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from services.risk.policies.policy import Action, Decision
from shared.clock import seconds_to_ns

Response = Literal["stop", "freeze", "halt"]
_ACTIONS = {"stop": Action.STOP, "freeze": Action.FREEZE}
CoolDown = Annotated[float, Meta(ge=0.1, le=86_400)]


def respond(response: str, cool_down_s: float, reason: str) -> Decision:
    """Return the decision: in force while it lasts and `cool_down_s` more, or until a person resumes."""
    if response == "halt":
        return Decision(Action.HALT, reason)
    return Decision(_ACTIONS[response], f"{reason}: cool-down", hold_ns=seconds_to_ns(cool_down_s))
