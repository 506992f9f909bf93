import pytest

from ringfence.kernel.errors import UsageError
from ringfence.storage.location import DIVERTING, checked

LOCAL = "postgresql://ringfence@127.0.0.1:5432/evidence"


@pytest.mark.parametrize(
    "url",
    [
        LOCAL,
        "postgres://ringfence@localhost/evidence",
        "postgresql://ringfence@[::1]:5433/evidence",
        "postgresql://ringfence@/evidence?host=%2Frun%2Fpostgresql",
        "postgresql://ringfence@/evidence?host=/run/postgresql&passfile=/etc/ringfence/pass",
        "postgresql://ringfence@db.example/evidence?sslmode=verify-full",
        "postgresql://ringfence@db.example/evidence?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        "postgresql://ringfence@/evidence?host=a.example,127.0.0.1&sslmode=verify-full",
    ],
)
def test_an_address_is_taken_as_the_driver_wants_it(url):
    assert checked(url) == "postgresql+psycopg://" + url.partition("://")[2]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ringfence@db.example/evidence",
        "postgresql://ringfence@db.example/evidence?sslmode=require",
        "postgresql://ringfence@db.example/evidence?sslmode=verify-ca",
        "postgresql://ringfence@127.0.0.1/evidence?host=db.example",
        "postgresql://ringfence@/evidence?host=127.0.0.1,db.example&sslmode=prefer",
        "postgresql://ringfence@127.0.0.1.example/evidence",
        "postgresql://ringfence@/evidence",
        "postgresql:///evidence?host=db.example",
    ],
)
def test_nothing_leaves_this_machine_in_the_clear(url):
    with pytest.raises(UsageError, match=r"sslmode=verify-full|has the form"):
        checked(url)


@pytest.mark.parametrize("secret", ["postgresql://ringfence:hunter2@127.0.0.1/evidence", "postgresql://r:@localhost/e"])
def test_an_address_with_a_password_is_refused_without_showing_it(secret):
    with pytest.raises(UsageError, match="holds a password") as caught:
        checked(secret)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "more",
    ["options=-c%20fsync=off", "hostaddr=192.0.2.1", "service=other", "password=hunter2", "sslmode", "user=root"],
)
def test_only_what_is_listed_can_be_said(more):
    if more == "sslmode":
        assert checked(f"{LOCAL}?{more}")  # said without a value, it says nothing
        return
    with pytest.raises(UsageError, match="may not say") as caught:
        checked(f"{LOCAL}?{more}")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "sqlite:///x.db", "mysql://a@localhost/b", "postgresql://a@localhost", "x", LOCAL + "#a"]
)
def test_what_is_no_address_says_the_form(url):
    with pytest.raises(UsageError, match="has the form"):
        checked(url)


def test_a_port_that_is_none_is_one_sentence():
    with pytest.raises(UsageError, match="is none"):
        checked("postgresql://a@localhost:99999/b")


@pytest.mark.parametrize("name", DIVERTING)
def test_no_variable_of_the_environment_leads_elsewhere(name):
    with pytest.raises(UsageError, match=f"unset {name}"):
        checked(LOCAL, {name: "elsewhere"})
    assert checked(LOCAL, {name: "", "PGPASSFILE": "/p"})
