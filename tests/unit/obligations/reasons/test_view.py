import pytest

from ringfence.kernel.errors import NotFound
from ringfence.obligations import sheet
from ringfence.obligations.reasons.view import detail, document
from ringfence.testing.assurance import telling


@pytest.fixture(scope="module")
def lab():
    return telling()


def found(lab, control):
    tenant = lab.log.tenant
    board = lab.board(tenant)
    past = lab.history(tenant, control)
    return detail(board, lab.catalog, control, past, lab.beside(tenant, None).get(control, ())), board


def test_the_document_holds_what_status_says_of_the_control_to_the_letter(lab):
    view, board = found(lab, "DAT-01")
    status = sheet.document(board, control="DAT-01")
    shown = document(view, board)
    assert {name: shown[name] for name in status} == status


def test_what_people_say_stands_beside_and_changes_nothing(lab):
    view, board = found(lab, "DAT-01")
    kinds = [one["kind"] for one in document(view, board)["beside"]]
    assert kinds == ["opinion", "exception"]
    lab.remarks.clear()
    again, board = found(lab, "DAT-01")
    assert again.result == view.result


def test_threats_and_codes_that_name_it_are_there(lab):
    view, _ = found(lab, "DAT-01")
    assert [threat.id for threat in view.threats] == ["T01", "T16"]
    assert ("iso_27001_2022", ("A.8.24", "A.8.32")) in [(one.id, codes) for one, codes in view.codes]


def test_there_is_no_such_control(lab):
    board = lab.board(lab.log.tenant)
    with pytest.raises(NotFound):
        detail(board, lab.catalog, "DAT-99", lab.history(lab.log.tenant, "DAT-01"), ())
