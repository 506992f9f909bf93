"""What is worth asking next: only what an answer depends on."""

from ringfence.obligations.scope.classify import classify
from ringfence.obligations.scope.organisation import parse
from ringfence.obligations.scope.wizard import turn
from ringfence.testing.organisations import ON, answer
from ringfence.testing.wizard import answered


def taken(**changes):
    return turn.take(answered(**changes), ON)


def further(**changes):
    return [one.name for one in taken(**changes).further]


def test_without_any_answer_there_is_a_result():
    found = turn.take({}, ON)
    assert found.document["nis2"]["category"] == "undetermined"
    assert found.document["undetermined"]


def test_every_answer_dont_know_is_the_same_as_none():
    sheet = {name: ["unknown"] for name in answered()}
    assert turn.take(sheet, ON).document["nis2"] == turn.take({}, ON).document["nis2"]


def test_the_file_says_the_same_to_the_command():
    found = taken()
    assert classify(parse(found.text.encode()), ON) == found.document


def test_the_two_year_rule_is_asked_only_where_it_can_matter():
    assert "earlier" in further(earlier="unknown")
    assert "earlier" not in further(earlier="unknown", services=["own_use_only"], s0__purpose=["other"])
    assert "earlier" not in further(earlier="unknown", staff="")  # first what there is now


def test_linked_enterprises_are_asked_about_only_where_they_can_matter():
    assert taken(group="yes").enterprises
    assert not taken(group="no").enterprises
    assert not taken(group="yes", services=["own_use_only"], s0__purpose=["other"]).enterprises


def test_a_representative_is_asked_for_only_outside_the_union():
    assert "representative" not in further()
    assert "representative" in further(country="US", serves=["DE"])
    assert "serves" in further(country="US")


def test_a_small_mid_cap_is_asked_for_only_where_a_fine_depends_on_it():
    assert "small_mid_cap" in further(staff="400")
    assert "small_mid_cap" not in further()


def test_the_condition_of_a_sector_is_asked():
    (asked,) = [one for one in taken(sector="waste_management").further if one.name == "condition"]
    assert "non-essential part" in asked.title


def test_a_card_asks_what_its_class_depends_on():
    def asked(**changes):
        return [one.name for one in taken(**changes).cards[0].deeper]

    assert asked() == ["union", "open", "assessed", "placed"]  # answered ones stay where they are
    assert "narrow" in asked(s0__purpose=["employment"])
    assert "modified" in asked(s0__basis="fine_tuned")
    assert "compute" not in asked(s0__basis="fine_tuned")
    assert "compute" in asked(s0__basis="fine_tuned", s0__modified="yes")


def test_the_product_card_comes_with_a_product():
    assert taken().cards[0].product == ()
    assert len(taken(s0__shipped="yes").cards[0].product) == 4


def test_what_is_shown_has_the_same_name_only_while_it_is_the_same():
    assert taken().shown == taken(staff="61").shown
    assert taken().shown != taken(s0__shipped="yes").shown
    assert taken().shown != taken(customers=["public"]).shown


def test_against_nothing_nothing_has_changed():
    assert turn.changed(None, answer()) == ()
    assert turn.changed(answer(), answer(size__staff=60))
