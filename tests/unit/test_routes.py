"""What the API says about routes that are joined here, and nowhere else."""

from ringfence.kernel.actor import Role


def test_a_collector_that_nobody_has_is_named_with_those_that_there_are(services, home):
    with home.http(services) as http:
        answer = http.post("/api/v1/records/weather.report")
    assert answer.status_code == 404
    assert "log.heartbeat" in answer.json()["detail"]
    assert "tenant.isolation_test" in answer.json()["detail"]


def test_a_collector_runs_for_who_may_collect_and_for_nobody_else(services, home):
    with home.http(services, Role.AUDITOR) as http:
        assert http.post("/api/v1/records/log.heartbeat").status_code == 403
    with home.http(services) as http:
        answer = http.post("/api/v1/records/log.heartbeat")
    assert answer.status_code == 201
    assert answer.json()["type"] == "log.heartbeat"
