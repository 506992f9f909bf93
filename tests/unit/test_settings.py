from pathlib import Path

import pytest

from ringfence.kernel.errors import UsageError
from ringfence.settings import MAX_PASSPHRASE, Settings


def settings(**values):
    return Settings.from_environment({f"RINGFENCE_{name}": value for name, value in values.items()})


def test_the_home_is_in_the_users_directory_by_default():
    assert settings().home == Path("~/.ringfence").expanduser()
    assert settings(HOME="").home == Path("~/.ringfence").expanduser()


@pytest.mark.parametrize(
    "url", ["https://a.example", "https://a.example:8443/rf", "http://127.0.0.1:8400", "http://[::1]:1"]
)
def test_these_addresses_are_taken(url):
    assert settings(URL=url + "/").url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example",
        "http://127.0.0.1@a.example",
        "http://localhost.a.example",
        "ftp://127.0.0.1",
        "127.0.0.1:8400",
        "https://",
        "http://",
        "http://[",
        "https://[",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:x",
        "//127.0.0.1",
    ],
)
def test_these_are_not(url):
    with pytest.raises(UsageError, match="RINGFENCE_URL"):
        settings(URL=url)


@pytest.mark.parametrize("token", ["ä", "a\nb", "a\x00", "\x7f"])
def test_a_token_that_no_header_takes_is_refused(token):
    with pytest.raises(UsageError, match="RINGFENCE_TOKEN"):
        settings(TOKEN=token)


@pytest.mark.parametrize("name", ["HOME", "PASSPHRASE_FILE"])
def test_a_user_without_a_directory_is_refused(name):
    with pytest.raises(UsageError, match=f"RINGFENCE_{name}"):
        settings(**{name: "~nobody-has-this-name/x"})


def test_a_passphrase_is_read_without_its_line_end(tmp_path):
    file = tmp_path / "pass"
    file.write_bytes(b" correct horse \r\n")
    assert settings(PASSPHRASE_FILE=str(file)).passphrase() == b" correct horse "
    assert settings().passphrase() is None


@pytest.mark.parametrize("content", [b"", b"\n", b"x" * (MAX_PASSPHRASE + 1)])
def test_a_file_that_holds_none_is_refused(tmp_path, content):
    (tmp_path / "pass").write_bytes(content)
    with pytest.raises(UsageError, match="PASSPHRASE_FILE"):
        settings(PASSPHRASE_FILE=str(tmp_path / "pass")).passphrase()


@pytest.mark.parametrize("place", ["none", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, place):
    with pytest.raises(UsageError, match="cannot be read"):
        settings(PASSPHRASE_FILE=str(tmp_path / place)).passphrase()


def test_where_the_database_is_can_be_said():
    assert Settings.from_environment({}).database_url == ""
    url = "postgresql://ringfence@127.0.0.1/evidence"
    assert Settings.from_environment({"RINGFENCE_DATABASE_URL": url}).database_url == url
