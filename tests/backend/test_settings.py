"""Settings: what the environment says, what it leaves out, and what it says wrongly."""

import ast
from dataclasses import fields
from pathlib import Path

import pytest

from seedqueue.backend.errors import InvalidSetting
from seedqueue.backend.settings import Settings, child_environment, environment_of, load, variables

ROOT = Path(__file__).parents[2]


def test_defaults() -> None:
    settings = load({})
    assert settings.label_studio_url == "http://localhost:8080"
    assert settings.home == Path.home() / ".seedqueue"
    assert settings.weights == Path.home() / ".seedqueue" / "weights"
    assert (settings.embedder, settings.selector, settings.budget, settings.random_seed) == ("txrv", "kmeans", 40, 0)
    assert (settings.redis_url, settings.label_studio_api_key, settings.basic_auth_user) == ("", "", "")


def test_empty_counts_as_unset() -> None:
    assert load({variable: "  " for variable, _, _ in variables()}) == load({})


def test_values_are_read_and_trimmed() -> None:
    settings = load({"SEEDQUEUE_BUDGET": " 12 ", "SEEDQUEUE_RANDOM_SEED": "0", "REDIS_URL": " redis://r:1 "})
    assert (settings.budget, settings.random_seed, settings.redis_url) == (12, 0, "redis://r:1")


@pytest.mark.parametrize("variable", ["LABEL_STUDIO_URL", "LABEL_STUDIO_PUBLIC_URL", "SEEDQUEUE_BACKEND_URL"])
def test_an_address_that_is_shown_holds_no_password(variable: str) -> None:
    with pytest.raises(InvalidSetting, match=f"{variable}='...' cannot be used: give it without a user and password"):
        load({variable: "https://admin:hunter2@ls.lab/studio"})
    assert load({variable: "https://ls.lab/a@b"})


def test_secrets_are_not_in_the_settings_repr() -> None:
    secrets = ("REDIS_URL", "LABEL_STUDIO_API_KEY", "BASIC_AUTH_PASS", "HF_TOKEN")
    assert "hunter2" not in repr(load({"BASIC_AUTH_USER": "u", **dict.fromkeys(secrets, "redis://:hunter2@r:1")}))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SEEDQUEUE_BUDGET", "forty"),
        ("SEEDQUEUE_BUDGET", "0"),
        ("SEEDQUEUE_BUDGET", "-3"),
        ("SEEDQUEUE_BUDGET", "4.5"),
        ("SEEDQUEUE_MAX_IMAGE_BYTES", "10MB"),
        ("SEEDQUEUE_SHARD_IMAGES", "0"),
        ("SEEDQUEUE_THREADS", "-1"),
        ("SEEDQUEUE_RANDOM_SEED", "-1"),
        ("SEEDQUEUE_PRECISION", "bfloat16"),
        ("SEEDQUEUE_AUDIT", "-1"),
        ("SEEDQUEUE_AUDIT", "all"),
        ("SEEDQUEUE_TRAIN_EVERY", "0"),
        ("SEEDQUEUE_EPOCHS", "-1"),
        ("SEEDQUEUE_EPOCHS", "2.5"),
        ("SEEDQUEUE_HEADS", "resnet"),
        ("SEEDQUEUE_HEADS", "linear,VGG11"),
        ("LABEL_STUDIO_URL", "localhost:8080"),
        ("SEEDQUEUE_BACKEND_URL", "ftp://backend"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(variable: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=f"^{variable}='{value}' cannot be used: "):
        load({variable: value})


def test_what_is_learnt_and_when() -> None:
    settings = load({})
    assert (settings.audit, settings.train_every, settings.epochs) == (0, 10, 0)
    assert settings.auto_heads == ("linear", "unet-vgg11")
    given = load({"SEEDQUEUE_AUDIT": "150", "SEEDQUEUE_TRAIN_EVERY": "1", "SEEDQUEUE_EPOCHS": "3"})
    assert (given.audit, given.train_every, given.epochs) == (150, 1, 3)


@pytest.mark.parametrize(
    ("heads", "expected"),
    [
        ("vgg11 , linear", ("vgg11", "linear")),
        ("linear,,linear,", ("linear",)),
        (",", ()),
        ("", ("linear", "unet-vgg11")),
    ],
)
def test_the_heads_that_train_of_themselves(heads: str, expected: tuple[str, ...]) -> None:
    assert load({"SEEDQUEUE_HEADS": heads}).auto_heads == expected


def test_no_threads_means_as_many_as_fit() -> None:
    assert load({"SEEDQUEUE_THREADS": "0"}).threads == 0


@pytest.mark.parametrize("half", ["BASIC_AUTH_USER", "BASIC_AUTH_PASS"])
def test_basic_auth_needs_both(half: str) -> None:
    with pytest.raises(InvalidSetting, match="BASIC_AUTH"):
        load({half: "x"})
    assert load({"BASIC_AUTH_USER": "u", "BASIC_AUTH_PASS": "p"}).basic_auth_pass == "p"


@pytest.mark.parametrize(("user", "password"), [("ü", "p"), ("u", "pä"), ("a:b", "p")])
def test_credentials_that_no_client_can_send(user: str, password: str) -> None:
    with pytest.raises(InvalidSetting, match="ASCII only"):
        load({"BASIC_AUTH_USER": user, "BASIC_AUTH_PASS": password})


@pytest.mark.parametrize(
    "environment", [{"BASIC_AUTH_PASS": "hunter2"}, {"BASIC_AUTH_PASS": "hunter2", "BASIC_AUTH_USER": "ü"}]
)
def test_the_password_is_not_in_the_message(environment: dict[str, str]) -> None:
    with pytest.raises(InvalidSetting) as caught:
        load(environment)
    assert "hunter2" not in str(caught.value)


def test_urls_lose_their_trailing_slash() -> None:
    settings = load({"LABEL_STUDIO_URL": "https://ls.example.org/", "SEEDQUEUE_BACKEND_URL": "http://b:1//"})
    assert settings.label_studio_url == "https://ls.example.org"
    assert settings.backend_url == "http://b:1"


def test_one_label_studio_is_one_namespace_however_its_url_is_written() -> None:
    first, second = (load({"LABEL_STUDIO_URL": url}) for url in ("http://a:1/", "http://a:1"))
    assert first.namespace == second.namespace
    assert first.namespace != load({"LABEL_STUDIO_URL": "http://a:2"}).namespace


def test_folders_are_absolute_and_know_the_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load({"SEEDQUEUE_HOME": "~/state", "SEEDQUEUE_WEIGHTS": "w"})
    assert settings.home == Path.home() / "state"
    assert settings.weights == tmp_path / "w"


@pytest.mark.parametrize("url", ["s3://bucket/prefix", "s3://bucket", "gs://b/p/q", "az://container/p"])
def test_a_home_may_be_an_object_store(url: str) -> None:
    assert load({"SEEDQUEUE_HOME": f" {url}/ "}).home == url
    assert environment_of(load({"SEEDQUEUE_HOME": url}))["SEEDQUEUE_HOME"] == url


@pytest.mark.parametrize("url", ["http://bucket/p", "s3://", "s3:///", "file:///tmp/home", "S4://b"])
def test_other_urls_are_no_home(url: str) -> None:
    with pytest.raises(InvalidSetting, match=f"^SEEDQUEUE_HOME='{url}' cannot be used: .*s3://bucket/prefix"):
        load({"SEEDQUEUE_HOME": url})


def test_every_field_is_documented() -> None:
    assert [v for v, _, _ in variables()] == [f.metadata["variable"] for f in fields(Settings)]
    assert len({v for v, _, _ in variables()}) == len(fields(Settings))
    assert all(shown and meaning for _, shown, meaning in variables())


def test_a_child_gets_our_environment_with_the_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "1")
    assert {"KEPT": "1", "REDIS_URL": "r"}.items() <= child_environment(REDIS_URL="r").items()


def _environment_readers(file: Path) -> set[str]:
    names = {"environ", "environb", "getenv", "getenvb", "putenv"}
    found = {node.attr for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)}
    found |= {node.id for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Name)}
    return found & names


def test_only_settings_reads_the_environment() -> None:
    sources = [
        file for folder in ("backend", "experiments", "models", "selectors") for file in (ROOT / folder).rglob("*.py")
    ]
    assert len(sources) > 30
    readers = {file.relative_to(ROOT).as_posix() for file in sources if _environment_readers(file)}
    # One sets a variable that TensorFlow takes from nowhere else, one runs where seedqueue is not installed yet.
    assert readers == {"backend/settings.py", "models/saved_model.py", "backend/offline/installing.py"}
