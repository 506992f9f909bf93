from ringfence.frontends import in_process


def test_the_last_factory_named_counts():
    before = list(in_process._factories)
    try:
        in_process.serve_with(lambda settings: ("first", settings))
        in_process.serve_with(lambda settings: ("second", settings))
        assert in_process.opened("s") == ("second", "s")
    finally:
        in_process._factories[:] = before
