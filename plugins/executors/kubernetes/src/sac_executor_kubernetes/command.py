"""`sac-kubernetes`: prints objects for administrators, and calls no cluster."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sac_core.errors import InvalidError, SacError
from sac_core.models.base import parse
from sac_executor_kubernetes.administration import read_account, setup
from sac_executor_kubernetes.documents import DocumentError, read_document, written
from sac_executor_kubernetes.imagining import imagine
from sac_executor_kubernetes.settings import KubernetesSettings


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; 1 and one line when something given cannot be used."""
    given = _parser().parse_args(argv)
    try:
        objects = given.make(given)
    except SacError as error:
        print(f"sac-kubernetes: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    sys.stdout.write(written(objects))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("sac-kubernetes", description="Objects of a cluster, for its administrators.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    once = commands.add_parser("setup", help="What is applied once: namespace, accounts, role, bounds, policies.")
    once.add_argument("--namespace", default="sac-agents", help="Where agents run; sac-agents if not given.")
    once.add_argument(
        "--service-account",
        default="sac",
        metavar="[NAMESPACE/]NAME",
        help="The account of SAC; sac if not given. One of another namespace is there already.",
    )
    once.add_argument("--agents", type=int, default=50, help="For how many agents there is room; 50 if not given.")
    once.set_defaults(make=_setup)
    render = commands.add_parser("render", help="What an agent of a spec would become.")
    render.add_argument("spec", type=Path, metavar="SPEC", help="A file with an agent, or its spec, in YAML or JSON.")
    render.add_argument("--name", help="The agent's name, if the file has none; agent if not given.")
    render.add_argument("--settings", default="{}", help="The executor's settings, as JSON: plugins.kubernetes.")
    render.set_defaults(make=_render)
    return parser


def _setup(given: argparse.Namespace) -> list[dict[str, Any]]:
    return setup(given.namespace, read_account(given.service_account, given.namespace), given.agents)


def _render(given: argparse.Namespace) -> list[dict[str, Any]]:
    try:
        settings = json.loads(given.settings)
        document = read_document(given.spec.read_text())
    except OSError as error:
        raise InvalidError(f"{given.spec}: {error.strerror}", field="SPEC") from None
    except DocumentError:
        raise InvalidError(f"{given.spec} is no YAML without aliases", field="SPEC") from None
    except ValueError:
        raise InvalidError(
            "it is no JSON", field="--settings", hint="""for example '{"namespace": "agents"}'"""
        ) from None
    if not isinstance(settings, dict) or not isinstance(document, dict):
        raise InvalidError("it is no mapping", field="SPEC" if isinstance(settings, dict) else "--settings")
    return imagine(document, given.name, parse(KubernetesSettings, settings, field="--settings"))
