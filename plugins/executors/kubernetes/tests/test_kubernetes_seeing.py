"""From what a cluster lists to what SAC says of a body. Needs no cluster."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from sac_core.models.agent import FAILED_REASONS
from sac_core.models.body import Observed
from sac_executor_kubernetes.naming import ADDRESS_MARK, LIFE_MARK, STATE_MARK
from sac_executor_kubernetes.pods import read_pod
from sac_executor_kubernetes.seeing import observed, read_workload

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUNNING: dict[str, Any] = {
    "phase": "Running",
    "containerStatuses": [{"name": "agent", "state": {"running": {}}, "restartCount": 0}],
}


def deployment(state: str = "up", life: str = "", **status: Any) -> dict[str, Any]:
    labels = {"sac/uid": "u", "sac/tenant": "t", "sac/agent": "a", "sac/hash": "h", "sac/generation": "3"}
    about = {"name": "sac-u", "uid": "d", "resourceVersion": "7", "generation": 2, "labels": labels}
    return {
        "metadata": {**about, "annotations": {STATE_MARK: state, LIFE_MARK: life}},
        "spec": {
            "replicas": 1 if state in ("new", "up") else 0,
            "template": {"spec": {"containers": [{"name": "side"}, {"name": "agent", "command": ["python3"]}]}},
        },
        "status": {"observedGeneration": 2, **status},
    }


def pod(uid: str = "p", *, leaving: bool = False, **status: Any) -> dict[str, Any]:
    about: dict[str, Any] = {"name": f"sac-u-{uid}", "uid": uid, "labels": {}}
    if leaving:
        about |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30}
    return {"metadata": about, "status": status or RUNNING}


def container(restarts: int = 0, last: dict[str, Any] | None = None, **state: Any) -> dict[str, Any]:
    """The status of a pod whose container does this."""
    about = {
        "name": "agent",
        "restartCount": restarts,
        "state": state,
        "lastState": {"terminated": last} if last else {},
    }
    return {"phase": "Running", "containerStatuses": [about]}


def waits(reason: str, message: str = "") -> dict[str, Any]:
    return {**container(waiting={"reason": reason, "message": message}), "phase": "Pending"}


def seen(found: dict[str, Any], *pods: dict[str, Any]) -> Observed:
    return observed(read_workload(found, [read_pod(each) for each in pods]), NOW)


def test_one_pod_that_runs_is_a_body_with_a_holder() -> None:
    found = seen(deployment(), pod())
    assert (found.phase, found.holder, found.hash, found.generation) == ("running", True, "h", 3)


@pytest.mark.parametrize(
    ("status", "phase", "reason", "words"),
    [
        (waits("ContainerCreating"), "pending", "", ""),
        (waits("ErrImagePull", "manifest for x not found"), "failed", "ImageNotFound", "check the name"),
        (waits("ErrImagePull", "pull access denied for x"), "failed", "ImageNotFound", "image_pull_secrets"),
        (waits("ErrImagePull", "dial tcp: connection refused"), "pending", "ImageNotPulled", "refused"),
        (waits("ImagePullBackOff", "Back-off pulling image"), "pending", "ImageNotPulled", "Back-off"),
        (waits("InvalidImageName", "couldn't parse"), "failed", "ImageNotFound", "parse"),
        (waits("CreateContainerConfigError", "configmap missing"), "failed", "InvalidSpec", "configmap"),
        (waits("RunContainerError", 'exec: "python3": executable file not found'), "failed", "Unsupported", "Python"),
        (container(1, {"exitCode": 137, "reason": "OOMKilled"}, running={}), "failed", "OutOfMemory", "memory"),
        (container(1, {"exitCode": 1}, running={}), "failed", "Lost", "code 1"),
        (
            container(4, {"exitCode": 1, "message": "a\nthe volume"}, waiting={"reason": "CrashLoopBackOff"}),
            "failed",
            "CrashLoop",
            "the volume",
        ),
        (container(0, terminated={"exitCode": 143}), "failed", "Lost", "TERM"),
        ({"phase": "Running", "reason": "NodeLost"}, "unknown", "NodeLost", "node"),
    ],
)
def test_a_pod_says_why(status: dict[str, Any], phase: str, reason: str, words: str) -> None:
    found = seen(deployment(), pod(**status))
    assert (found.phase, found.reason) == (phase, reason)
    assert words in found.message
    assert found.phase != "failed" or found.reason in FAILED_REASONS


def first(last: dict[str, Any] | None = None, name: str = "seed", **state: Any) -> dict[str, Any]:
    """The status of a pod whose init container does this."""
    found = {"name": name, "state": state, "lastState": {"terminated": last} if last else {}}
    return {**waits("PodInitializing"), "initContainerStatuses": [found]}


ENDED = {"exitCode": 3, "message": "tar: no space\nseed: gave up"}


@pytest.mark.parametrize(
    ("status", "phase", "reason", "words"),
    [
        (first(terminated=ENDED), "pending", "CrashLoop", "seed ended (code 3: seed: gave up)"),
        (first(ENDED, waiting={"reason": "CrashLoopBackOff"}), "pending", "CrashLoop", "init container seed"),
        (first(terminated={"exitCode": 137, "reason": "OOMKilled"}), "pending", "OutOfMemory", "seed"),
        (first(waiting={"reason": "ErrImagePull", "message": "x not found"}), "failed", "ImageNotFound", "seed: x"),
        (first(waiting={"reason": "ErrImagePull", "message": "refused"}), "pending", "ImageNotPulled", "seed: refused"),
        (first(waiting={"reason": "RunContainerError", "message": "no sh"}), "failed", "InvalidSpec", "seed.*no sh"),
        (first(waiting={"reason": "PodInitializing"}), "pending", "", ""),
        (first(ENDED, running={}), "pending", "", ""),
        (first(terminated={"exitCode": 0}), "pending", "", ""),
    ],
)
def test_an_init_container_says_why_the_agent_s_is_not_started(
    status: dict[str, Any], phase: str, reason: str, words: str
) -> None:
    found = seen(deployment(), pod(**status))
    assert (found.phase, found.reason) == (phase, reason)
    assert re.search(re.escape(words).replace(r"\.\*", ".*"), found.message), found.message


def test_an_init_container_that_runs_is_what_is_waited_for() -> None:
    assert seen(deployment(), pod(**first(running={}))).progress == "its init container seed runs"


def test_the_agent_s_container_is_known_by_its_name() -> None:
    """The cluster lists them by their names: another may be the first."""
    waiting = {"name": "a-side", "restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    status = {**RUNNING, "containerStatuses": [waiting, *RUNNING["containerStatuses"]]}
    assert seen(deployment(life="p/0"), pod(**status)).phase == "running"
    workload = read_workload(deployment(), [read_pod(pod(**status))])
    assert (workload.python, workload.alive[0].life) == ("python3", "p/0")


def test_it_says_where_it_is_and_what_beside_it_does_not_run() -> None:
    """For people who look for it in the cluster."""
    found, running = deployment(life="p/2"), pod(**container(2, running={}))
    found["metadata"]["namespace"] = "agents"
    found["metadata"]["annotations"][ADDRESS_MARK] = "10.96.0.7"
    running["spec"] = {"nodeName": "n1"}
    crashing = {"name": "log", "restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    running["status"]["containerStatuses"] += [crashing, {"name": "ok", "state": {"running": {}}}]
    assert seen(found, running).details == {
        "pod": "sac-u-p",
        "node": "n1",
        "service": "sac-u.agents.svc",
        "address": "10.96.0.7",
        "containerRestarts": "2",
        "sideContainers": "log: CrashLoopBackOff, 7 restarts",
    }
    assert seen(deployment("stopped")).details == {}


def test_no_node_takes_it() -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: Insufficient cpu"}
    found = seen(deployment(), pod(phase="Pending", conditions=[condition]))
    assert (found.phase, found.reason) == ("pending", "Unschedulable")
    assert "Insufficient cpu" in found.message


@pytest.mark.parametrize(
    ("said", "phase", "reason"),
    [
        ('pods "x" is forbidden: exceeded quota: q', "pending", "QuotaExceeded"),
        ('pods "x" is forbidden: error looking up service account', "failed", "Forbidden"),
        ("pods is invalid: spec", "failed", "InvalidSpec"),
        ("admission webhook denied", "failed", "ExecutorError"),
    ],
)
def test_a_cluster_that_makes_no_pod_says_why(said: str, phase: str, reason: str) -> None:
    found = seen(deployment(conditions=[{"type": "ReplicaFailure", "status": "True", "message": said}]))
    assert (found.phase, found.reason) == (phase, reason)
    assert said in found.message


def test_another_pod_than_the_one_that_was_entered_is_a_body_that_ended() -> None:
    found = seen(deployment(life="old/0"), pod("new"))
    assert (found.phase, found.reason) == ("failed", "Lost")


def test_an_evicted_pod_says_so_though_another_is_made() -> None:
    evicted = pod("old", phase="Failed", reason="Evicted", message="The node was low on resource: memory.")
    found = seen(deployment(life="old/0"), evicted, pod("new"))
    assert (found.phase, found.reason) == ("failed", "Evicted")
    assert "low on resource" in found.message


def test_another_start_of_its_container_is_a_body_once_it_was_let_in() -> None:
    again = pod(**container(1, {"exitCode": 1}, running={}))
    assert seen(deployment(life="p/0"), again).phase == "failed"
    assert seen(deployment(life="p/1"), again).phase == "running"


def test_a_start_to_come_is_waited_for() -> None:
    between = pod(**container(0, terminated={"exitCode": 1}))
    assert seen(deployment(life="p/1"), between).phase == "pending"


def test_two_pods_that_live_are_neither_of_them_the_body() -> None:
    found = seen(deployment(life="old/0"), pod("old", leaving=True), pod("new"))
    assert (found.phase, found.reason) == ("unknown", "MultiplePods")
    assert "sac-u-new, sac-u-old" in found.message


def test_a_pod_that_was_told_to_leave_and_has_ended_is_none() -> None:
    ended = pod("old", leaving=True, **container(terminated={"exitCode": 0}))
    assert seen(deployment("stopped"), ended).phase == "stopped"
    assert seen(deployment("stopped"), pod(leaving=True)).phase == "terminating"


def test_the_cluster_has_to_hear_of_a_stop_before_it_is_one() -> None:
    assert seen(deployment("stopped", observedGeneration=1)).phase == "terminating"
    assert seen(deployment("stopped", replicas=1)).phase == "terminating"


@pytest.mark.parametrize("state", ["ending", "new"])
def test_a_deployment_that_somebody_was_stopped_at_is_to_be_gone_on_with(state: str) -> None:
    found = deployment(state)
    found["spec"]["replicas"] = 0
    assert (seen(found).phase, seen(found).hash) == ("stopped", "")


def test_nobody_is_let_in_before_the_files_are_there() -> None:
    workload = read_workload(deployment("new"), [read_pod(pod())])
    assert observed(workload, NOW, delivering=True).phase == "pending"
    assert (observed(workload, NOW).phase, observed(workload, NOW).hash) == ("stopped", "")


def test_a_pod_is_over_when_no_side_container_of_it_runs_either() -> None:
    status = container(terminated={"exitCode": 0})
    for beside, over in (({"running": {}}, False), ({"terminated": {"exitCode": 0}}, True), ({"waiting": {}}, True)):
        found = {**status, "containerStatuses": [*status["containerStatuses"], {"name": "side", "state": beside}]}
        assert read_pod(pod(leaving=True, **found)).over is over
    assert not read_pod(pod(**status)).over
