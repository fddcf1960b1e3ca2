"""The compose file, read, not run: that its services, variables and commands are ones that exist."""

from __future__ import annotations

import configparser
import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from seedqueue.backend import cli
from seedqueue.backend.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
OURS = ("backend", "worker")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (DOCKER / "Dockerfile").read_text()


def known_variables() -> set[str]:
    return {str(field.metadata["variable"]) for field in dataclasses.fields(Settings)}


def check_command(command: list[str]) -> None:
    """The command and its options are in the CLI."""
    program, name, *rest = command
    assert program == "seedqueue"
    commands = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    options = {option for parameter in commands[name].params for option in parameter.opts}
    assert {part for part in rest if part.startswith("--")} <= options


def test_the_four_services_are_there_and_wait_for_each_other(services: dict[str, Any]) -> None:
    assert set(services) == {"label-studio", "redis", "backend", "worker"}
    for name, service in services.items():
        for needed in service.get("depends_on", {}):
            assert "healthcheck" in services[needed], f"{name} waits for the health of {needed}, which has no check"


def test_label_studio_may_reach_a_private_address(services: dict[str, Any]) -> None:
    environment = services["label-studio"]["environment"]
    assert environment["ML_BLOCK_LOCAL_IP"] == "false"
    assert environment["SSRF_PROTECTION_ENABLED"] == "false"


def test_label_studio_is_the_version_the_tests_run_on(services: dict[str, Any]) -> None:
    pinned = re.search(r"^label-studio==(.+)$", (ROOT / "constraints-label-studio.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    assert services["label-studio"]["image"].endswith(f":{pinned[1]}")
    assert f"LABEL_STUDIO_VERSION := {pinned[1]}\n" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_and_points_to_a_service(services: dict[str, Any], name: str) -> None:
    environment = services[name]["environment"]
    assert set(environment) <= known_variables()
    for variable in ("LABEL_STUDIO_URL", "SEEDQUEUE_BACKEND_URL", "REDIS_URL"):
        host = re.match(r"\w+://([\w-]+)", environment[variable])
        assert host is not None
        assert host[1] in services
    assert environment["LABEL_STUDIO_PUBLIC_URL"] == services["label-studio"]["environment"]["LABEL_STUDIO_HOST"]


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_in_the_cli(services: dict[str, Any], name: str) -> None:
    check_command(services[name]["command"])


def test_the_backend_listens_where_label_studio_calls(services: dict[str, Any]) -> None:
    command, environment = services["backend"]["command"], services["backend"]["environment"]
    assert command[command.index("--host") + 1] == "0.0.0.0"
    assert environment["SEEDQUEUE_BACKEND_URL"].endswith(":" + command[command.index("--port") + 1])
    assert command[command.index("--workers") + 1] == "0"


def test_volumes_lie_where_the_image_keeps_its_state(services: dict[str, Any], dockerfile: str) -> None:
    folders = dict(volume.split(":") for volume in services["worker"]["volumes"])
    assert services["backend"]["volumes"] == services["worker"]["volumes"]
    assert f"SEEDQUEUE_HOME={folders['home']}" in dockerfile
    assert f"SEEDQUEUE_WEIGHTS={folders['weights']}" in dockerfile


def test_the_image_has_every_folder_of_the_package_and_runs_as_nobody_special(dockerfile: str) -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    mapped = [line.split("=")[1].strip() for line in parser["options"]["package_dir"].strip().splitlines()]
    let_through = (DOCKER / "Dockerfile.dockerignore").read_text().split()
    for folder in {name.split("/")[0] for name in mapped}:
        assert f"COPY {folder} {folder}\n" in dockerfile
        assert f"!{folder}" in let_through
    assert re.findall(r"^USER (\w+)$", dockerfile, re.MULTILINE) == ["seedqueue"]


def test_the_extras_that_the_image_names_exist(dockerfile: str) -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    texts = dockerfile + (DOCKER / "README.md").read_text()
    named = {extra for found in re.findall(r"EXTRAS=([a-z,]+)", texts) for extra in found.split(",")}
    assert named
    assert named <= set(parser["options.extras_require"])
