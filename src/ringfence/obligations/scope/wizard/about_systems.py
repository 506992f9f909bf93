"""What is asked about each AI system, and about each that is handed over as a product."""

from ringfence.obligations.scope import rules
from ringfence.obligations.scope.wizard.model import Kind, Option, Question
from ringfence.obligations.scope.wizard.questions import DONT_KNOW, NONE, YES_NO, options

_COMMON = (
    ("talks_to_people", "talks with people"),
    ("generates_content", "generates text, images, sound or video"),
    ("document_processing", "processes documents"),
    ("medical_device", "is a medical device, or part of one"),
    ("safety_component", "safety component of a product of Annex I Section A"),
    ("machinery", "safety component of a machine (Annex I Section B)"),
    ("research_only", "scientific research only"),
    ("other", "something else that no list names"),
)
_ROLES = (
    ("develops_under_own_name", "we develop it, or have it developed, under our own name"),
    ("uses", "we use it under our authority"),
    ("imports", "we import it from outside the Union"),
    ("resells", "we resell it"),
    ("builds_into_own_product", "we build it into a product of ours"),
    ("rebrands", "we put our name on it"),
    ("modifies_substantially", "we modify it substantially"),
    ("changes_purpose", "we change what it is meant for"),
    ("represents_foreign_provider", "we represent a provider from outside the Union"),
)
_BASES = (
    ("as_is", "a general-purpose model of somebody else, as it is"),
    ("fine_tuned", "a general-purpose model of somebody else, fine-tuned by us"),
    ("own", "our own model, for this purpose"),
    ("own_general", "our own general-purpose model"),
)


def purposes() -> tuple[Option, ...]:
    """Return what a system can be for: the usual first, then every purpose that the act lists."""
    common = {value for value, _ in _COMMON}
    table = rules.load().ai_act["purposes"]
    listed = ((name, row) for name, row in table.items() if name not in common)
    return (
        *(Option(value, label) for value, label in _COMMON),
        DONT_KNOW,
        *(Option(name, name.replace("_", " "), f"AI Act {row['ref']}") for name, row in listed),
    )


def system() -> tuple[Question, ...]:
    """Return what is asked about each AI system."""
    return (
        Question("name", "Name", "It stays in an erasable side record.", Kind.TEXT, usual=""),
        Question("purpose", "What is it for?", "The risk class (AI Act 5, 6, 50).", Kind.TICKS, purposes()),
        Question("role", "What do you do with it?", "Your role (AI Act 3, 25).", Kind.CHOICE, options(_ROLES)),
        Question("basis", "On which model?", "Duties about models (AI Act 51-55).", Kind.CHOICE, options(_BASES)),
        Question("shipped", "Handed over as a product?", "Hosting is none (CRA 2, 3).", Kind.CHOICE, YES_NO),
    )


def deeper() -> dict[str, Question]:
    """Return what is asked about a system only where its class depends on it, by the input that decides."""
    return {
        "union_link": Question(
            "union", "On the Union market, or its output used there?", "AI Act 2(1)", Kind.CHOICE, YES_NO
        ),
        "open_source": Question("open", "Free and open source?", "AI Act 2(12), 53(1)", Kind.CHOICE, YES_NO),
        "third_party_assessment": Question(
            "assessed", "Assessed by a third party before it is sold?", "AI Act 6(1)", Kind.CHOICE, YES_NO
        ),
        "narrow_task_6_3": Question(
            "narrow", "Only a narrow procedural or preparatory task?", "AI Act 6(3)", Kind.CHOICE, YES_NO
        ),
        "profiling": Question("profiling", "Does it profile people?", "AI Act 6(3)", Kind.CHOICE, YES_NO),
        "placed_on_market": Question(
            "placed",
            "First on the Union market or put into service",
            "Transition rules (AI Act 111).",
            Kind.CHOICE,
            (
                Option("2025-08-01", "before 2 August 2025"),
                Option("2026-08-01", "from then, before 2 August 2026"),
                Option("not_yet", "later, or not yet"),
                DONT_KNOW,
            ),
        ),
        "training_compute": Question(
            "compute",
            "Training compute of the model",
            "Indicative above 10^23, systemic risk presumed above 10^25 operations (AI Act 51(2)).",
            Kind.CHOICE,
            (
                Option("1e23", "up to 10^23 operations"),
                Option("1e25", "up to 10^25"),
                Option("2e25", "more"),
                DONT_KNOW,
            ),
        ),
        "modification_compute": Question(
            "modified",
            "More than a third of the original's training compute spent on it?",
            "Then you become its provider (guidelines C(2025) 7719).",
            Kind.CHOICE,
            YES_NO,
        ),
        "high_impact_capabilities": Question(
            "impact", "High-impact capabilities?", "AI Act 51(1)", Kind.CHOICE, YES_NO
        ),
    }


def product() -> tuple[Question, ...]:
    """Return what is asked about a system that is handed over as a product."""
    core = rules.load().cra["core_functions"]
    functions = [
        Option(name, name.replace("_", " "), kind.replace("_", " ")) for name, kind in core.items() if name != "other"
    ]
    return (
        Question(
            "function",
            "Its core function",
            "It decides the class (CRA 7(1)).",
            Kind.CHOICE,
            (Option("other", "none of the following"), DONT_KNOW, *functions),
        ),
        Question("commercial", "In the course of a commercial activity?", "CRA 2", Kind.CHOICE, YES_NO),
        Question("free", "Free and open source?", "CRA 24, 32(5)", Kind.CHOICE, YES_NO),
        Question(
            "excluded",
            "Covered by one of these instead?",
            "CRA 2(2)-(4)",
            Kind.CHOICE,
            options(((NONE, "no"), *((name, name.replace("_", " ")) for name in rules.load().cra["exclusions"]))),
        ),
    )
