"""Five questions about a system; deeper ones by the input that decides; four about a product."""

from ringfence.obligations.scope import rules
from ringfence.obligations.scope.wizard import about_systems
from ringfence.obligations.scope.wizard.model import UNKNOWN


def test_every_purpose_that_the_act_lists_can_be_ticked():
    shown = [option.value for option in about_systems.purposes()]
    assert set(rules.load().ai_act["purposes"]) <= set(shown)
    assert len(shown) == len(set(shown))
    assert shown.index(UNKNOWN) < shown.index("manipulative_techniques")


def test_every_core_function_can_be_picked():
    function = about_systems.product()[0]
    assert set(rules.load().cra["core_functions"]) <= {option.value for option in function.options}


def test_how_many_there_are():
    assert (len(about_systems.system()), len(about_systems.product())) == (5, 4)
    assert len({one.name for one in about_systems.deeper().values()}) == len(about_systems.deeper())
