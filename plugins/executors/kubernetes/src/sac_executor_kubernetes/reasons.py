"""Why a body is as it is, from the cluster's words to the closed list of reasons, with what a person can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sac_core.models.process import Exit
from sac_executor_kubernetes.pods import Pod

Change = dict[str, Any]
"""Fields of `Observed`."""

_UNPULLED = ("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable")
_NO_IMAGE = ("InvalidImageName", "ErrImageNeverPull")
_NOT_STARTED = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError")
_MISSING = ("not found", "manifest unknown", "does not exist", "no matching manifest")
_DENIED = ("denied", "unauthorized", "authentication required", "forbidden", "no basic auth")
_NO_PROGRAM = ("executable file not found", "no such file or directory")
_NOT_MADE = {"exceeded quota": "QuotaExceeded", "forbidden": "Forbidden", "is invalid": "InvalidSpec"}


def not_made(conditions: Mapping[str, Mapping[str, Any]]) -> Change:
    """A Deployment that has no pod: it comes, or the cluster says why it does not."""
    failure = conditions.get("ReplicaFailure") or {}
    if failure.get("status") != "True":
        return {"phase": "pending", "progress": "waiting for a pod"}
    said = str(failure.get("message") or "")
    reason = next((reason for words, reason in _NOT_MADE.items() if words in said), "ExecutorError")
    if reason == "QuotaExceeded":  # the cluster goes on trying, and somebody may make room
        return {"phase": "pending", "reason": reason, "message": f"{said} (ask for less, or delete something)"}
    return _failed(reason, f"the cluster makes no pod: {said}")


def not_running(pod: Pod) -> Change:
    """A pod whose container has not been started, or not again."""
    if pod.scheduling.get("status") == "False":
        said = str(pod.scheduling.get("message") or "no node takes it")
        return {"phase": "pending", "reason": "Unschedulable", "message": f"{said} (ask for less, or add a node)"}
    for each in pod.first:
        if (trouble := _init_trouble(each)) is not None:
            return trouble
    reason, said = pod.waiting
    trouble = _image_trouble(reason, said)
    if trouble is not None:
        return trouble
    if reason in _NOT_STARTED:
        return not_started(said or reason)
    progress = "pulling the image, or starting the container" if reason == "ContainerCreating" else reason
    return {"phase": "pending", "progress": _init_progress(pod) or progress or "waiting for its node"}


def _image_trouble(reason: str, said: str) -> Change | None:
    """A container that waits for its image."""
    if reason in _NO_IMAGE or (reason in _UNPULLED and _absent(said)):
        return _failed("ImageNotFound", f"{said or reason} (check the name and the tag, and image_pull_secrets)")
    if reason in _UNPULLED:
        return {"phase": "pending", "reason": "ImageNotPulled", "message": said, "progress": "pulling the image"}
    return None


def _init_trouble(found: Mapping[str, Any]) -> Change | None:
    """An init container that does not end well: the cluster starts it again and again, so it may yet."""
    state, name = found.get("state") or {}, f"init container {found.get('name')}"
    waiting = state.get("waiting") or {}
    reason, said = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
    if (trouble := _image_trouble(reason, f"{name}: {said or reason}")) is not None:
        return trouble
    if reason in _NOT_STARTED:
        return _failed("InvalidSpec", f"the {name} cannot be started: {said or reason}")
    ended = state.get("terminated") or (found.get("lastState") or {}).get("terminated") or {}
    if "running" in state or not ended or ended.get("exitCode") == 0:
        return None
    memory = ended.get("reason") == "OOMKilled"
    words = "it used more memory than it may" if memory else _last_words(_exit(ended), str(ended.get("message")))
    told = f"its {name} ended ({words}); the cluster starts it again"
    return {"phase": "pending", "reason": "OutOfMemory" if memory else "CrashLoop", "message": told}


def _init_progress(pod: Pod) -> str:
    """What is done before the agent's container is started."""
    running = [str(each.get("name")) for each in pod.first if "running" in (each.get("state") or {})]
    return f"its init container {running[-1]} runs" if running else ""


def not_started(said: str) -> Change:
    """A container that the node could not start."""
    if any(words in said for words in _NO_PROGRAM):
        advice = "use an image with Python 3.8 or later, or name its Python: options.python"
        return _failed("Unsupported", f"the image has no Python where SAC looks for one: {said} ({advice})")
    return _failed("InvalidSpec", f"the container cannot be started: {said}")


def died(pod: Pod) -> Change:
    """A container that ended without being asked to."""
    ended = pod.ended or pod.last.get("terminated") or {}
    exit, said = _exit(ended), str(ended.get("message") or "")
    if ended.get("reason") == "OOMKilled":
        message = "the kernel killed it: it used more memory than it may"
        return {**_failed("OutOfMemory", message), "exit": exit}
    if ended.get("reason") == "ContainerCannotRun" or any(words in said for words in _NO_PROGRAM):
        return {**not_started(said), "exit": exit}
    words = _last_words(exit, said)
    if pod.restarts and not pod.runs:
        return {**_failed("CrashLoop", f"its container ends again and again ({words})"), "exit": exit}
    return {**_failed("Lost", f"its container ended ({words})"), "exit": exit}


def _last_words(exit: Exit, said: str) -> str:
    how = f"signal {exit.signal}" if exit.signal else f"code {exit.code}"
    last = said.strip().splitlines()[-1:]
    return f"{how}: {last[0]}" if last else f"{how}: it was killed, or its node was restarted"


def gone(pod: Pod | None) -> Change:
    """A body whose pod is no more, or is another one by now."""
    if pod is None or not pod.over:
        return _failed("Lost", "its pod was deleted, or its node is gone")
    if pod.reason == "Evicted":
        return _failed("Evicted", f"its node gave it up: {pod.message}")
    if pod.ended is not None and pod.ended.get("reason") == "OOMKilled":
        return died(pod)
    return _failed("Lost", f"its pod ended: {pod.message or pod.reason or pod.phase}")


def _absent(said: str) -> bool:
    return any(word in said.lower() for word in (*_MISSING, *_DENIED))


def _failed(reason: str, message: str) -> Change:
    return {"phase": "failed", "reason": reason, "message": message[:1000]}


def _exit(ended: Mapping[str, Any]) -> Exit:
    return Exit.from_status(int(ended.get("exitCode") or 0))
