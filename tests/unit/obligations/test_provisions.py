import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import catalog
from ringfence.obligations.provisions import listed, served, token, written

CASES = {
    ("nis2", "21(2)(g)"): ["nis2-21.2.g"],
    ("nis2", "21(2)(c),(e)"): ["nis2-21.2.c", "nis2-21.2.e"],
    ("nis2", "23(1)-(2)"): ["nis2-23.1-2"],
    ("ir_2024_2690", "1.1.1(k)"): ["ir2690-1.1.1.k"],
    ("ir_2024_2690", "3.2.1-3.2.4"): ["ir2690-3.2.1-3.2.4"],
    ("ai_act", "9(6)-(8)"): ["ai-9.6-8"],
    ("ai_act", "13(3)(b)(ii)"): ["ai-13.3.b.ii"],
    ("ai_act", "Annex IV(2)"): ["ai-annex-iv.2"],
    ("ai_act", "XII"): ["ai-annex-xii"],
    ("cra", "I.II(2),(7)-(8)"): ["cra-i.ii.2", "cra-i.ii.7-8"],
    ("gdpr", "44-49"): ["gdpr-44-49"],
    ("dora", "2024/1772 8(2)"): ["dora-2024-1772-8.2"],
}


@pytest.mark.parametrize(("act", "text"), CASES)
def test_a_provision_is_a_token(act, text):
    assert [token(act, one) for one in listed(text)] == CASES[act, text]


def test_a_bare_number_of_the_ai_act_is_an_annex():
    assert (written("ai_act", "XI"), written("ai_act", "11"), written("cra", "I.I")) == ("Annex XI", "11", "I.I")


def test_what_is_no_provision_is_refused():
    for text in ("", "21(2)(g)!", "see above: 21", "Artikel ä"):
        with pytest.raises(MalformedInput, match="is not how a provision is written"):
            token("nis2", text)


def test_each_provision_is_served_once_in_the_order_of_the_acts():
    maps = {"gdpr": ["32"], "nis2": ["21(2)(h)", "21(2)(h)"], "iso_27001_2022": ["A.8.24"]}
    assert served(maps) == ("nis2-21.2.h", "gdpr-32")


def test_no_two_provisions_of_the_catalogue_have_one_token():
    names: dict[str, tuple[str, str]] = {}
    for control in catalog.load().controls:
        for act, texts in control.maps.items():
            for one in (one for text in texts for one in listed(text)) if act not in FOREIGN else ():
                assert names.setdefault(token(act, one), (act, written(act, one))) == (act, written(act, one))


FOREIGN = {"iso_27001_2022", "bsi_c5_2020", "secnumcloud_3_2", "eucs_draft_family"}
