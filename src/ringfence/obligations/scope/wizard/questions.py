"""The questions. At most ten are about the organisation; some of their parts come only where they can matter."""

from ringfence.obligations.scope import rules
from ringfence.obligations.scope.countries import COUNTRIES
from ringfence.obligations.scope.wizard.model import Kind, Option, Question

DONT_KNOW = Option("unknown", "don't know")
YES_NO = (Option("yes", "yes"), Option("no", "no"), DONT_KNOW)
NONE = "none"
MAX_SYSTEMS = 20
MAX_ENTERPRISES = 5

_SERVICES = (
    ("hosted_inference_api", "hosted inference: models that others call over a network"),
    ("gpu_cloud", "GPU or virtual machines for others"),
    ("operation_of_customers_clusters", "customers' clusters or AI systems, operated for them"),
    ("software_as_a_service", "other hosted software"),
    ("model_licence_only", "software or models under licence, run by the customer"),
    ("research_organisation", "research for commercial exploitation, as the primary goal"),
    ("own_use_only", "nothing to others: own use only"),
    ("none_of_these", "none of these"),
)
_CUSTOMERS = (
    ("healthcare", "healthcare providers"),
    ("manufacturing", "makers of devices, electronics, machines or vehicles (Annex II.5)"),
    ("financial", "banks, insurers and other financial entities"),
    ("legal", "law firms and others that no annex names"),
    ("public", "public administration"),
    ("consumers", "consumers"),
    (NONE, "none"),
)
_DESIGNATED = (
    (NONE, "no"),
    ("cer", "yes: critical entity under Directive (EU) 2022/2557"),
    ("essential", "yes: identified as essential by a Member State"),
    ("important", "yes: identified as important by a Member State"),
    ("former", "yes: kept as operator of essential services from before 2023"),
    ("public_security", "exempt: national or public security, defence, law enforcement"),
    ("dora_exemption", "exempt: taken out of DORA by its Article 2(4)"),
)
_EARLIER = (
    ("same_class", "yes, the same size"),
    ("new_enterprise", "there was none: a new enterprise"),
    ("take_over", "no: taken over or merged since"),
)


def options(pairs: tuple[tuple[str, str], ...]) -> tuple[Option, ...]:
    """Return the options of a question, with the way out last."""
    return (*(Option(value, label) for value, label in pairs), DONT_KNOW)


def countries() -> tuple[Option, ...]:
    """Return every country, those of the Union first and by name."""
    states = rules.load().member_states
    inside = [Option(code, state.name, "European Union") for code, state in states.items()]
    outside = [Option(code, code, "elsewhere") for code in sorted(COUNTRIES - set(states))]
    return (DONT_KNOW, *sorted(inside, key=lambda option: option.label), *outside)


def sectors() -> tuple[Option, ...]:
    """Return the types of entity that the annexes name, beside what an AI team provides."""
    own = {value for value, _ in _SERVICES}
    kinds = {one.type.id: one.type for one in rules.load().activities.values() if one.type.id not in own}
    kinds.pop("qualified_trust_service_provider", None)  # asked by its condition
    named = [
        Option(kind.id, kind.what, f"Annex {kind.annex}" if kind.annex else "no annex, or by opt-in")
        for kind in kinds.values()
    ]
    return (Option(NONE, "none"), DONT_KNOW, *sorted(named, key=lambda option: (option.group, option.label)))


def entity() -> tuple[Question, ...]:
    """Return the questions about the organisation, in their order."""
    return (*_what_it_is(), *_whom_it_serves())


def _what_it_is() -> tuple[Question, ...]:
    return (
        Question("name", "Legal name", "It enters no signed statement in clear.", Kind.TEXT, usual="", number=1),
        Question(
            "country",
            "Country of the main establishment",
            "Where decisions on cybersecurity risk are predominantly taken: whose authority it is (NIS2 26(2)).",
            Kind.CHOICE,
            countries(),
            number=2,
        ),
        Question(
            "services",
            "What do you provide to others?",
            "It decides the type of entity (NIS2 6, Annexes I and II).",
            Kind.TICKS,
            options(_SERVICES),
            number=3,
        ),
        Question("staff", "Staff, in annual work units", "With the next two: the size class.", Kind.NUMBER, number=4),
        Question(
            "group", "Linked or partner enterprises (25 % or more)?", "They count (2003/361/EC).", Kind.CHOICE, YES_NO
        ),
        Question("turnover", "Your own turnover, in euros", "Size; never fines.", Kind.MONEY, number=5),
        Question("balance", "Your own balance sheet total, in euros", "Size.", Kind.MONEY),
        Question("worldwide", "Worldwide turnover of the whole group, in euros", "Fines; never size.", Kind.MONEY),
        Question(
            "sector",
            "Another sector of your own?",
            "A hospital that also hosts models is both.",
            Kind.CHOICE,
            sectors(),
            usual=NONE,
            number=6,
        ),
    )


def _whom_it_serves() -> tuple[Question, ...]:
    return (
        Question(
            "customers",
            "Who are your customers, by contract with you?",
            "Their duties reach you by contract; they never change your own status (NIS2 21(2)(d), DORA 28-30).",
            Kind.TICKS,
            options(_CUSTOMERS),
            number=7,
        ),
        Question(
            "personal_data",
            "Personal data that you process",
            "For yourselves or for others (GDPR 28, 32).",
            Kind.CHOICE,
            (
                Option(NONE, "none"),
                Option("ordinary", "ordinary"),
                Option("special", "special categories (GDPR 9), such as health"),
                DONT_KNOW,
            ),
            number=8,
        ),
        Question(
            "designated",
            "Has an authority designated or exempted you?",
            "It would have written to you (NIS2 2(2)-(10), 3(1)).",
            Kind.CHOICE,
            options(_DESIGNATED),
            number=9,
        ),
    )


def titles() -> dict[str, str]:
    """Return the titles of what an effect is shown for, by the name of the question."""
    known = {question.name: question.title for question in entity()}
    return known | {"earlier": further()["size.earlier_periods"].title}


_INPUTS = {
    "size.staff": "staff",
    "size.turnover": "turnover",
    "size.balance": "balance sheet total",
    "size.group": "linked and partner enterprises",
    "size.earlier_periods": "the accounting periods before",
    "size.small_mid_cap": "whether it is a small mid-cap",
    "services": "what is provided, and the own sector",
    "services in the Union": "whether services are offered in the Union",
    "established_in": "the country",
    "personal_data": "personal data",
    "ai_systems": "the AI systems",
    "designations.cer_critical_entity": "designation as critical entity",
    "designations.identified_by_member_state": "identification by a Member State",
    "designations.former_operator_of_essential_services": "former operator of essential services",
    "designations.exclusion": "an exemption",
    "nis2.category": "NIS2 category",
    "binds_2690": "whether 2024/2690 binds",
    "supply_chain_duty_only": "whether duties come by contract only",
}


def named(words: str) -> str:
    """Return an input, or what depends on it, in words; those of cards are words already."""
    return _INPUTS.get(words, words.replace("_", " "))


def further() -> dict[str, Question]:
    """Return what is asked only where an answer depends on it, by the input that decides."""
    return {
        "size.earlier_periods": Question(
            "earlier",
            "Did the accounting period before give the same size?",
            "A size is lost or gained only after two periods (2003/361/EC Annex 4(2)).",
            Kind.CHOICE,
            options(_EARLIER),
            number=10,
        ),
        "condition": Question("condition", "", "It decides whether the type fits.", Kind.CHOICE, YES_NO),
        "representative": Question(
            "representative",
            "Member State of your representative",
            "You are outside the Union (NIS2 26(3)).",
            Kind.CHOICE,
            (Option(NONE, "there is none"), *(one for one in countries() if one.group != "elsewhere")),
        ),
        "serves": Question(
            "serves",
            "Member States in which you offer services",
            "Whose authority may act (NIS2 26(1)(a), 26(3)).",
            Kind.TICKS,
            (*(one for one in countries() if one.group == "European Union"), Option(NONE, "none"), DONT_KNOW),
        ),
        "size.small_mid_cap": Question(
            "small_mid_cap",
            "Small mid-cap (Recommendation (EU) 2025/1099)?",
            "It changes two bands of AI Act fines (99(6a)).",
            Kind.CHOICE,
            YES_NO,
        ),
    }


CONDITIONS = {
    "main_activity": "Is it more than a non-essential part of your activity?",
    "risk_assessed": "Did a risk-based assessment bring your administration in?",
    "member_state_opted_in": "Has your Member State opted for such entities?",
    "qualified": "Are you a qualified trust service provider?",
}


def customer() -> tuple[Question, ...]:
    """Return what is asked about each group of customers that is ticked."""
    sizes = (("small", "micro or small"), ("medium", "medium"), ("large", "large"))
    return (
        Question("size", "the largest of them", "their category", Kind.CHOICE, options(sizes)),
        Question("personal", "you process personal data for them", "GDPR 28", Kind.CHOICE, YES_NO),
        Question("high_risk", "they build it into high-risk AI", "AI Act 25(4)", Kind.CHOICE, YES_NO),
    )


def enterprise() -> tuple[Question, ...]:
    """Return what is asked about each linked or partner enterprise."""
    relations = (("linked", "linked: more than half of the votes"), ("partner", "partner: 25 % or more"))
    return (
        Question("relation", "Relation", "linked ones count in full", Kind.CHOICE, options(relations)),
        Question("share", "Share, in per cent", "partners count pro rata", Kind.NUMBER),
        Question("staff", "Its staff", "annual work units", Kind.NUMBER),
        Question("turnover", "Its turnover", "euros", Kind.MONEY),
        Question("balance", "Its balance sheet total", "euros", Kind.MONEY),
    )
