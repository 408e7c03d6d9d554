"""Feeding stages: every session's bytes, in order, to each stage that wants to see it.

Belongs here: seats and their loss, the place in the output where each stage is. Does not belong here: what a stage does
with what it sees, and anything of viewers, whom a stage never slows.
"""

from sac_core.service.stages.seating import Stages, open_stages

__all__ = ["Stages", "open_stages"]
