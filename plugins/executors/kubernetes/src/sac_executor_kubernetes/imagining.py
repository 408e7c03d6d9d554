"""What an agent would become, told without a cluster: the objects that `rendering` makes, with names for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sac_core.errors import InvalidError
from sac_core.models.agent import Agent, AgentSpec
from sac_core.models.base import parse
from sac_core.models.body import Key
from sac_core.models.launch import Binding, Launch
from sac_executor_kubernetes.naming import LIFE_MARK, STATE_MARK
from sac_executor_kubernetes.refusals import check_launch
from sac_executor_kubernetes.rendering import Plan, claim, deployment, service
from sac_executor_kubernetes.settings import KubernetesSettings

UID, OWNER = "00000000000000000000000000", "installation"
"""Stand for what SAC chooses."""


def imagine(document: Mapping[str, Any], name: str | None, settings: KubernetesSettings) -> list[dict[str, Any]]:
    """The Deployment, the Service and the volume claim of an agent, or of a spec; raises what creating it would raise.

    It is the agent of a runtime that passes the spec on, as ``shell`` does.
    """
    from sac_executor_kubernetes.holder_files import holder_name, programs  # with it comes the library of clusters

    plan = _plan(document, name, settings, holder_name(programs()))
    made = [deployment(plan, version="", state="up"), service(plan, "")]
    if plan.options.storage is not None:
        made.append(claim(plan))
    return [_placed(each, settings.namespace) for each in made]


def _plan(document: Mapping[str, Any], name: str | None, settings: KubernetesSettings, holder: str) -> Plan:
    whole = {"kind", "metadata", "spec"} & document.keys()
    metadata = document.get("metadata") or {} if whole else {}
    if not isinstance(metadata, Mapping):
        raise InvalidError("it is no mapping", field="metadata")
    wanted = {"metadata": {"name": name or "agent", **metadata}, "spec": document.get("spec") or {}}
    agent = parse(Agent, wanted) if whole else None
    spec = agent.spec if agent else parse(AgentSpec, dict(document), field="spec")
    called, labels = (agent.metadata.name, agent.metadata.labels) if agent else (name or "agent", {})
    launch = Launch(template=spec.template(), binding=Binding(labels=labels))
    return Plan(Key("default", called, UID), OWNER, launch, check_launch(launch, settings), holder, settings)


def _placed(made: dict[str, Any], namespace: str | None) -> dict[str, Any]:
    """Without what is a lock, a mark of the moment, or of an object that there is not."""
    gone = ("resourceVersion", "ownerReferences")
    metadata = {field: value for field, value in made["metadata"].items() if field not in gone}
    marks = {mark: value for mark, value in metadata.pop("annotations", {}).items() if mark not in _MARKS}
    place = {"namespace": namespace} if namespace else {}
    return {**made, "metadata": {**metadata, **place, **({"annotations": marks} if marks else {})}}


_MARKS = (STATE_MARK, LIFE_MARK)
