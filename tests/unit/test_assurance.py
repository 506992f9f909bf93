from ringfence.server import create_app
from ringfence.testing.routes import routes_of

PAGES = {
    "/obligations",
    "/obligations/{obligation}",
    "/controls/{domain}/{control}",
    "/frameworks",
    "/frameworks/{framework}",
    "/threats",
    "/proof",
    "/proof/{program}",
    "/approvals",
}
ROUTES = {
    "/api/v1/obligations",
    "/api/v1/obligations/{obligation}",
    "/api/v1/controls/{control}",
    "/api/v1/frameworks",
    "/api/v1/frameworks/{framework}",
    "/api/v1/threats",
    "/api/v1/proof",
    "/api/v1/approvals",
}


def test_all_of_it_is_in_the_app_and_only_reads(services):
    found = [route for route in routes_of(create_app(services)) if route.path in PAGES | ROUTES]
    assert {route.path for route in found} == PAGES | ROUTES
    assert {route.method for route in found} == {"GET"}


def test_other_rules_are_compared_before_any_name_is_taken_for_a_framework(services):
    found = [str(route) for route in routes_of(create_app(services)) if "/frameworks" in route.path]
    for place in ("", "/api/v1"):
        assert found.index(f"GET {place}/frameworks/changes") < found.index(f"GET {place}/frameworks/{{framework}}")
        assert f"POST {place}/frameworks/changes" in found
