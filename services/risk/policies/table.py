"""The shape of a policy's table in the configuration: it lives beside the policy that it belongs to."""

from __future__ import annotations

import msgspec


class PolicyTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table `[risk.<policy>]`; each field has a unit, a range and a default."""

    def problem(self) -> str:
        """Return which values contradict each other and why, empty when none do."""
        return ""

    def echo(self) -> dict[str, object]:
        """Return the values as they are understood; None where something is off."""
        return msgspec.structs.asdict(self)
