from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import Kind, Ref, Role
from ringfence.testing.lineage import Tale, digest_of, whole


def test_a_thing_is_found_by_name_and_by_the_beginning_of_its_digest():
    tale = whole()
    lineage = Lineage.of(tale.tenant, tale.statements)
    tuned = Ref(Kind.MODEL, digest_of("tuned"))
    for text in ("model/tuned", tuned.digest.hex, f"sha256:{tuned.digest.hex}", tuned.digest.hex[:8].upper()):
        assert lineage.find(Kind.MODEL, text) == [tuned]
    for text in ("tuned", tuned.digest.hex[:7], "", "sha256:", "zz" * 8):
        assert lineage.find(Kind.MODEL, text) == []


def test_what_only_others_name_is_a_thing_without_a_name():
    tale = Tale()
    tale.run("r", ["books"], "m")
    thing = Lineage.of(tale.tenant, tale.statements).thing(Ref(Kind.DATASET, digest_of("books")))
    assert (thing.name, thing.marks, len(thing.after)) == ("", (), 1)


def test_nothing_is_known_of_what_nobody_names():
    thing = Lineage.of(Tale().tenant, []).thing(Ref(Kind.RUN, digest_of("r")))
    assert (thing.marks, thing.before, thing.after) == ((), (), ())


def test_a_statement_given_twice_counts_once():
    tale = whole()
    once = Lineage.of(tale.tenant, tale.statements)
    assert once.extended(tale.statements) is once
    assert Lineage.of(tale.tenant, [*tale.statements, *tale.statements]) == once


def test_extending_leaves_the_earlier_one_as_it_was():
    tale = whole()
    before = Lineage.of(tale.tenant, tale.statements)
    things = dict(before.things)
    tale.sign("tuned")
    after = before.extended(tale.statements)
    assert before.things == things
    assert len(after.thing(Ref(Kind.MODEL, digest_of("tuned"))).marked(Role.SIGNED)) == 2
