"""What a limit of losses or rates does once it is broken: a freeze for a while, or a sticky halt."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from services.risk.policies.policy import Action, Decision
from shared.clock import seconds_to_ns

Response = Literal["freeze", "halt"]
CoolDown = Annotated[float, Meta(ge=0.1, le=86_400)]


def respond(response: str, cool_down_s: float, reason: str) -> Decision:
    """Return the decision: frozen while it lasts and `cool_down_s` more, or halted until a person resumes."""
    if response == "halt":
        return Decision(Action.HALT, reason)
    return Decision(Action.FREEZE, f"{reason}: cool-down", hold_ns=seconds_to_ns(cool_down_s))
