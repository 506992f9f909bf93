"""Properties of the classification: monotone, indifferent to order, and honest about what is unknown."""

import json
from copy import deepcopy

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.scope import rules
from ringfence.obligations.scope.organisation import parse
from ringfence.testing.organisations import answer, customer, model, product, profile, system

ORDER = ["out_of_scope", "registration_only", "important", "essential"]
LAW = rules.load()
WORDS = sorted(LAW.activities)
STAFF = st.sampled_from([0, 9, 10, 49, 50, 249, 250, 5000])
MONEY = st.sampled_from([0, 2, 3, 10, 11, 43, 44, 50, 51, 900]).map(lambda millions: millions * 1_000_000)
TRUTH = st.booleans()
CODES = st.lists(st.sampled_from(["DE", "FR", "ES", "US"]), unique=True, max_size=3)
LESS = settings(max_examples=60, deadline=None)


@st.composite
def services(draw):
    def described(word):
        condition = LAW.activities[word].type.condition
        key = condition or ("qualified" if word == "trust_service_provider" else None)
        return {"type": word} | ({key: draw(TRUTH)} if key else {})

    return [described(word) for word in draw(st.lists(st.sampled_from(WORDS), max_size=2, unique=True))]


@st.composite
def organisations(draw):
    personal = draw(st.sampled_from(["none", "ordinary", "special"]))
    return profile(
        established_in=draw(CODES),
        serves=draw(CODES),
        size__staff=draw(STAFF),
        size__turnover=draw(MONEY),
        size__balance=draw(MONEY),
        services=draw(services()),
        designations__cer_critical_entity=draw(TRUTH),
        designations__identified_by_member_state=draw(st.sampled_from(["none", "essential", "important"])),
        designations__former_operator_of_essential_services=draw(TRUTH),
        designations__exclusion=draw(st.sampled_from(["none", "none", "public_security", "dora_exemption"])),
        personal_data=personal,
        customers=[draw(customers(str(i), personal=personal != "none")) for i in range(2)],
        ai_systems=[draw(systems()), draw(models())],
        products=[draw(products())],
    )


@st.composite
def customers(draw, name, *, personal):
    country, there = draw(st.sampled_from(["DE", "ES", "US"])), draw(TRUTH)
    given = {"country": country, "serves_union": there, "personal_data": personal and draw(TRUTH)}
    return customer(name=name, staff=draw(STAFF), services=draw(services()), **given)


def systems():
    words = st.lists(st.sampled_from(sorted(LAW.ai_act["purposes"])), max_size=2, unique=True)
    roles = [name for name in LAW.ai_act["activities"] if name != "modifies_model"]
    return st.builds(
        lambda purposes, role, section, flags: system(
            purposes=purposes, activities=[role], annex_i_product=section, **dict(zip(FLAGS, flags, strict=True))
        ),
        words,
        st.sampled_from(roles),
        st.sampled_from(["none", "a", "b"]),
        st.tuples(*[TRUTH] * 7),
    )


FLAGS = (
    "union_link",
    "research_only",
    "open_source",
    "product_or_safety_component",
    "third_party_assessment",
    "narrow_task_6_3",
    "profiling",
)


def models():
    return st.builds(
        lambda compute, general, impact, day: model(
            training_compute=compute, general_purpose=general, high_impact_capabilities=impact, placed_on_market=day
        ),
        st.sampled_from([10**22, 10**23, 10**24, 10**26]),
        st.sampled_from([True, False]),
        TRUTH,
        st.sampled_from(["not_yet", "2025-01-01", "2026-01-01"]),
    )


def products():
    return st.builds(
        lambda function, role, digital, commercial: product(
            core_function=function, role=role, digital_elements=digital, commercial=commercial
        ),
        st.sampled_from(sorted(LAW.cra["core_functions"])),
        st.sampled_from(sorted(LAW.cra["roles"])),
        TRUTH,
        TRUTH,
    )


@LESS
@given(organisations(), st.sampled_from(["staff", "turnover", "balance"]), st.data())
def test_growing_never_lowers_the_category(organisation, figure, data):
    grown = deepcopy(organisation)
    choices = STAFF if figure == "staff" else MONEY
    grown["size"][figure] = max(organisation["size"][figure], data.draw(choices))
    before, after = (ORDER.index(answer(one)["nis2"]["category"]) for one in (organisation, grown))
    assert before <= after


@LESS
@given(organisations())
def test_what_is_known_in_full_is_determined(organisation):
    found = answer(organisation)
    assert found["nis2"]["category"] in ORDER
    assert found["size"] != "undetermined"
    assert all(row["class"] != "undetermined" for row in found["ai_act"] + found["cra"])


@LESS
@given(organisations(), st.randoms())
def test_the_order_of_lists_does_not_matter(organisation, random):
    shuffled = deepcopy(organisation)
    for key in ("customers", "services", "ai_systems", "established_in", "serves"):
        random.shuffle(shuffled[key])
    first, second = answer(organisation), answer(shuffled)
    for key in first:
        assert _sorted(first[key]) == _sorted(second[key]), key


def _sorted(value):
    return sorted(json.dumps(one, sort_keys=True) for one in value) if isinstance(value, list) else value


# A name is no input; a service is its type; without `general_purpose` the Commission's criterion stands in for it.
RULED = ("name", "type", "general_purpose")


def _paths(value, path=()):
    """Yield the path of everything that may be unknown: every key but names and types."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in RULED:
                yield (*path, key)
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths(inner, (*path, index))


def _without(organisation, path, *, word):
    changed = deepcopy(organisation)
    place = changed
    for step in path[:-1]:
        place = place[step]
    if word:
        place[path[-1]] = "unknown"
    else:
        del place[path[-1]]
    return changed


def _claims(found):
    """Return everything that an answer claims; what it leaves open is not in it."""
    claims = {("category", found["nis2"]["category"]), ("size", found["size"]), ("place", found["jurisdiction"])}
    claims |= {("2690", found["binds_2690"]), ("contract", found["supply_chain_duty_only"])}
    claims |= {("dora", found["lex_specialis"]), ("personal data", found["personal_data"])}
    claims |= {("fine", row["provision"], row["infringement"]) for row in found["fines"]}
    claims |= {("how much", row["provision"], row["infringement"], row["amount_eur"]) for row in found["fines"]}
    claims |= {("touches", row["provision"], row["status"]) for row in found["gdpr"]}
    claims |= {("ai", row["system"], row["role"], row["class"], row["applies_from"]) for row in found["ai_act"]}
    claims |= {("cra", row["product"], row["role"], row["class"]) for row in found["cra"]}
    claims |= {
        ("duty", row["customer"], duty["provision"], duty["status"])
        for row in found["customers"]
        for duty in row["duties"]
    }
    return {claim for claim in claims if "undetermined" not in claim and None not in claim[-1:]}


@settings(max_examples=100, deadline=None)
@given(organisations(), st.data(), st.booleans())
def test_an_unknown_never_says_more_than_its_completion(organisation, data, word):
    path = data.draw(st.sampled_from(sorted(_paths(organisation), key=str)))
    known, unknown = answer(organisation), answer(_without(organisation, path, word=word))
    assert _claims(unknown) <= _claims(known)
    assert set(known["nis2"]["possible"]) <= set(unknown["nis2"]["possible"])


@LESS
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_untrusted_bytes_parse_or_are_refused(data):
    assert _refusal(data).startswith("x:")


def _refusal(data):
    """Return the words of the refusal; those of a file that is read begin alike."""
    try:
        parse(data, source="x")
    except MalformedInput as error:
        return str(error)
    return "x: nothing is refused"


@settings(max_examples=100, deadline=None)
@given(organisations(), st.data())
def test_a_damaged_file_parses_or_is_refused(organisation, data):
    text = json.dumps(organisation)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    damaged = text[:start] + data.draw(st.text(max_size=6)) + text[end:]
    assert _refusal(damaged.encode("utf-8", "surrogatepass")).startswith("x:")
