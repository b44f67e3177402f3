from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import DEFAULT_HOME, Settings
from pki.errors import KeyStoreError
from pki.keys.passphrase import PassphraseError


def test_arguments_win_over_the_environment() -> None:
    environment = {"EDUSEAL_HOME": "/srv/a", "EDUSEAL_DATABASE_URL": "postgresql://db/a"}
    settings = Settings.from_environment(environment, home=Path("/srv/b"), database_url="postgresql://db/b")
    assert (settings.home, settings.database_url, settings.explicit_home) == (Path("/srv/b"), "postgresql://db/b", True)


def test_the_environment_names_home_and_database() -> None:
    settings = Settings.from_environment({"EDUSEAL_HOME": "/srv/a", "EDUSEAL_DATABASE_URL": "postgresql://db/a"})
    assert (settings.home, settings.database_url, settings.explicit_home) == (Path("/srv/a"), "postgresql://db/a", True)


def test_without_a_word_the_home_is_var_and_lends_no_trust() -> None:
    settings = Settings.from_environment({"EDUSEAL_HOME": ""})
    assert (settings.home, settings.explicit_home) == (DEFAULT_HOME, False)


def test_the_database_lies_in_the_home() -> None:
    assert Settings.from_environment({}, home=Path("/srv/a b")).database_url == "sqlite:////srv/a b/eduseal.sqlite"


def test_the_passphrase_shows_in_no_repr() -> None:
    assert "correct horse" not in repr(Settings.from_environment({"EDUSEAL_PASSPHRASE": "correct horse"}))


def test_the_passphrase_comes_from_file_environment_or_prompt_in_that_order(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("from a file\n")
    file.chmod(0o600)
    named = {"EDUSEAL_PASSPHRASE_FILE": str(file), "EDUSEAL_PASSPHRASE": "from environment"}
    assert Settings.from_environment(named).find_passphrase() == "from a file"
    assert Settings.from_environment({"EDUSEAL_PASSPHRASE": "from environment"}).find_passphrase() == "from environment"
    assert Settings.from_environment({}).find_passphrase(prompt=lambda _: "from a prompt") == "from a prompt"


def test_no_passphrase_at_all_is_refused_with_what_to_do() -> None:
    with pytest.raises(PassphraseError, match="name a passphrase file, or set EDUSEAL_PASSPHRASE"):
        Settings.from_environment({}).find_passphrase()


def test_a_passphrase_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("from a file\n")
    file.chmod(0o644)
    with pytest.raises(KeyStoreError):
        Settings.from_environment({"EDUSEAL_PASSPHRASE_FILE": str(file)}).find_passphrase()


def test_a_key_store_is_named_by_argument_or_environment_and_shows_in_no_repr() -> None:
    environment = {"EDUSEAL_KEY_STORE": "file:/srv/a"}
    assert Settings.from_environment(environment, key_store="file:/srv/b").key_store == "file:/srv/b"
    assert Settings.from_environment(environment).key_store == "file:/srv/a"
    assert Settings.from_environment({"EDUSEAL_KEY_STORE": ""}).key_store is None
    assert "/srv/a" not in repr(Settings.from_environment(environment))  # somebody may have put a PIN into it
