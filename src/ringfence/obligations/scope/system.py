"""Parse one AI system or model of an organisation file."""

from ringfence.obligations.scope import fields, rules
from ringfence.obligations.scope.fields import Fields
from ringfence.obligations.scope.model import AiSystem

KINDS = ("system", "model")
SECTIONS = ("none", "a", "b")


def read_system(one: Fields) -> AiSystem:
    """Read a system; every key but the name may be unknown."""
    law = rules.load().ai_act
    return AiSystem(
        name=one.name(),
        kind=one.choice("kind", KINDS),
        activities=one.words("activities", law["activities"]),
        purposes=one.words("purposes", law["purposes"]),
        union_link=one.truth("union_link"),
        research_only=one.truth("research_only"),
        open_source=one.truth("open_source"),
        product_section=one.choice("annex_i_product", SECTIONS),
        safety_component=one.truth("product_or_safety_component"),
        third_party_assessment=one.truth("third_party_assessment"),
        narrow_task=one.truth("narrow_task_6_3"),
        profiling=one.truth("profiling"),
        placed_on=fields.day_or(one, "placed_on_market", "not_yet"),
        general_purpose=one.truth("general_purpose"),
        generative=one.truth("generates_language_or_images"),
        training_compute=one.compute("training_compute"),
        compute_estimated=one.truth("compute_estimated"),
        high_impact=one.truth("high_impact_capabilities"),
        modification_compute=one.compute("modification_compute"),
        original_compute=one.compute("original_compute"),
    )
