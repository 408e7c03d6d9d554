"""What a cluster offers and what SAC may do there: each right that it needs is asked for by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sac_core.errors import UnavailableError
from sac_core.models.body import Finding, Probe
from sac_executor_kubernetes.cluster import Cluster
from sac_executor_kubernetes.rights import GRANTED, NEEDED
from sac_executor_kubernetes.troubles import Refusal

CAPABILITIES = ("holder", "stop", "watch", "limits", "replace", "files")
OLDEST = (1, 20)
_LIMITS = {"memory": "of the container", "cpu": "cores", "disk": "of the node: the container's root and its volumes"}
_NAMED = 3
_CLOCKS_AGREE = 30
"""Seconds."""
_FRESH = timedelta(minutes=5)
"""How long it is believed that SAC has the rights it had."""


class Prober:
    """Asks; remembers for a while that all rights were there."""

    def __init__(self, cluster: Cluster, now: Callable[[], datetime]) -> None:
        self._cluster, self._now = cluster, now
        self._allowed_until: datetime | None = None
        self._excess: list[str] = []

    async def probe(self) -> Probe:
        """One that does not answer is a finding with advice; that nobody has named one is no error."""
        if not self._cluster.server:
            finding = _finding("warning", "cluster", "no cluster is named", "set plugins.kubernetes.kubeconfig")
            return Probe(reachable=False, findings=(finding,))
        try:
            version = await self._cluster.raw("/version")
            clocks = clock(self._cluster.date, self._now())
            findings = [_version(version), *clocks, *await self._rights(), *await self._quotas()]
        except UnavailableError as error:
            finding = _finding("error", "cluster", error.message, error.hint or "")
            return Probe(reachable=False, findings=(finding,))
        return Probe(
            reachable=all(finding.level != "error" for finding in findings),
            capabilities=CAPABILITIES,
            limits=_LIMITS,
            findings=(*findings, _policies()),
        )

    async def _rights(self) -> list[Finding]:
        now = self._now()
        missing: list[Finding] = []
        if self._allowed_until is None or now > self._allowed_until:
            missing = await self._missing()
            self._excess = excess(await self._rules())
            self._allowed_until = None if missing else now + _FRESH
        place = f"namespace {self._cluster.namespace}"
        has_all = _finding("ok", "rights", f"SAC has all rights that it needs in the {place}")
        return [*(missing or [has_all]), *_too_much(self._excess)]

    async def _missing(self) -> list[Finding]:
        """Each right that SAC does not have."""
        found: list[Finding] = []

        async def ask(group: str, resource: str, verb: str) -> None:
            if not await self._allowed(group, resource, verb):
                message = f"SAC may not {verb} {resource} in the namespace {self._cluster.namespace}"
                found.append(_finding("error", "rights", message, "apply what `sac-kubernetes setup` prints"))

        for (group, resource), verbs in NEEDED.items():
            for verb in verbs:
                await ask(group, resource, verb)
        return found

    async def _rules(self) -> list[dict[str, Any]]:
        """All that SAC's account may do in the namespace, as far as the cluster can list it."""
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": self._cluster.namespace},
        }
        answer = await self._cluster.review("selfsubjectrulesreviews", review)
        return list((answer.get("status") or {}).get("resourceRules") or ())

    async def _allowed(self, group: str, resource: str, verb: str) -> bool:
        name, _, part = resource.partition("/")
        asked = {"namespace": self._cluster.namespace, "group": group, "resource": name, "verb": verb}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {**asked, **({"subresource": part} if part else {})}},
        }
        answer = await self._cluster.review("selfsubjectaccessreviews", review)
        return bool(answer.get("status", {}).get("allowed"))

    async def _quotas(self) -> list[Finding]:
        """Quotas of the namespace that are used up; who may not read them is not told."""
        try:
            quotas = await self._cluster.list("resourcequotas", "")
        except Refusal as error:
            if error.status == 403:
                return []
            raise
        return [finding for quota in quotas for finding in _used_up(quota)]


def excess(rules: Iterable[Mapping[str, Any]]) -> list[str]:
    """What rules allow beyond the role, as ``VERB RESOURCE``; asking what one may do oneself is everybody's right."""
    found = {
        f"{verb} {resource}"
        for rule in rules
        for group in rule.get("apiGroups") or ()
        for resource in rule.get("resources") or ()
        for verb in rule.get("verbs") or ()
        if verb not in GRANTED.get((group, resource), ()) and group != "authorization.k8s.io"
    }
    return sorted(found, key=lambda each: ("*" not in each, "secrets" not in each, each))


def _too_much(found: list[str]) -> list[Finding]:
    if not found:
        return []
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    message = f"SAC's account may do more than it needs: {', '.join(found[:_NAMED])}{more}"
    return [_finding("warning", "rights", message, "use an account with the role of the guide Kubernetes alone")]


def clock(date: str, now: datetime) -> list[Finding]:
    """A cluster whose clock is another than ours, by the date of its answer."""
    try:
        ahead = round((parsedate_to_datetime(date) - now).total_seconds())
    except (TypeError, ValueError):  # it has no date, or one without a zone
        return []
    if abs(ahead) <= _CLOCKS_AGREE:
        return []
    message = f"the cluster's clock is {abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} SAC's"
    return [_finding("warning", "clock", message, "set both by NTP: tokens and certificates depend on them")]


def _used_up(quota: dict[str, Any]) -> list[Finding]:
    status, name = quota.get("status") or {}, quota["metadata"]["name"]
    used = status.get("used") or {}
    full = [each for each, most in (status.get("hard") or {}).items() if used.get(each) == most]
    advice = "delete agents, or ask for more"
    return [_finding("warning", "quota", f"the quota {name} is used up: {', '.join(full)}", advice)] if full else []


def _version(version: dict[str, Any]) -> Finding:
    name = f"Kubernetes {version.get('gitVersion')}"
    numbers = tuple(int("".join(filter(str.isdecimal, str(version.get(part)))) or 0) for part in ("major", "minor"))
    if numbers < OLDEST:
        return _finding("error", "cluster", f"{name} is too old", "use Kubernetes 1.20 or later")
    return _finding("ok", "cluster", name)


def _policies() -> Finding:
    message = "SAC does not know whether this cluster enforces network policies: agents may reach all that pods reach"
    return _finding("warning", "egress", message, "give the namespace a policy, and see that the cluster enforces it")


def _finding(level: Any, check: str, message: str, advice: str = "") -> Finding:
    return Finding(level=level, check=check, message=message, advice=advice)
