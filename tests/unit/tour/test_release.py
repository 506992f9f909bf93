"""The tour's step says honestly what cannot be played."""

from ringfence.tour import release


class Nowhere:
    def quietly(self, *_arguments):
        return {"offers": [{"class": "namespace", "available": False, "because": "bubblewrap is missing"}]}


def test_where_no_node_can_run_the_step_says_so():
    found = release.release(Nowhere())
    assert found == {"release": "not played: no namespace node can run here: bubblewrap is missing"}


def test_where_no_measured_machine_can_run_it_says_which_part_is_missing():
    assert release._missing(Nowhere()) == "this Ringfence has no measured machines"
