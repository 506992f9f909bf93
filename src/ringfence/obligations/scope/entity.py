"""Put NIS2 to an organisation whose description may have gaps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ringfence.obligations.scope import nis2, rules, size
from ringfence.obligations.scope.answer import UNDETERMINED, Gap, Notes, Reason
from ringfence.obligations.scope.completion import Resolution, options, resolve, views
from ringfence.obligations.scope.model import Designations, Establishment, Exclusion, Identified, Service, Size
from ringfence.obligations.scope.nis2 import Category, Facts
from ringfence.obligations.scope.rules import EntityType
from ringfence.obligations.scope.size import SizeClass


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one completion of the unknown inputs leads to."""

    category: Category
    provision: str
    row: str
    because: str
    binds_2690: bool
    dora: bool
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that NIS2 can make of the organisation, over all completions."""

    outcomes: frozenset[Outcome]
    sizes: frozenset[SizeClass]
    size_open: tuple[str, ...]
    category_open: tuple[str, ...]
    binding_open: tuple[str, ...]

    @property
    def categories(self) -> frozenset[Category]:
        """Return the possible categories."""
        return frozenset(outcome.category for outcome in self.outcomes)

    @property
    def category(self) -> Category | None:
        """Return the category where there is only one."""
        return next(iter(self.categories)) if len(self.categories) == 1 else None

    @property
    def binds_2690(self) -> bool | None:
        """Say whether 2024/2690 concerns the entity, or None where that is open."""
        found = {outcome.binds_2690 for outcome in self.outcomes}
        return found.pop() if len(found) == 1 else None

    @property
    def dora(self) -> bool | None:
        """Say whether DORA takes the place of NIS2 21 and 23, or None where that is open."""
        found = {outcome.dora for outcome in self.outcomes}
        return found.pop() if len(found) == 1 else None

    @property
    def public(self) -> bool:
        """Say whether it may be a public administration entity."""
        kinds = {kind.id for kind in rules.load().types if kind.has("public_administration")}
        return any(kinds & set(outcome.types) for outcome in self.outcomes)

    @property
    def provision(self) -> str:
        """Return the provisions of the category; several where several ways lead to it."""
        return "; or ".join(sorted({outcome.provision for outcome in self.outcomes}))


@lru_cache(maxsize=256)
def assess(
    subject_size: Size,
    services: tuple[Service, ...] | None,
    designations: Designations,
    establishment: Establishment | None,
) -> Standing:
    """Run the decision over every completion of what is unknown; without `establishment` it is in the Union."""
    size_inputs = size.dimensions(subject_size)
    classes = resolve(size_inputs, size.decide)
    inputs: dict[str, Sequence[Any]] = {"size": sorted(classes.outcomes), **_designated(designations)}
    inputs |= {"services in the Union": _in_union(establishment)}
    inputs |= _service_inputs(services)
    result, categories, binding = views(
        inputs, _decide, lambda one: one, lambda one: one.category, lambda one: one.binds_2690
    )
    missing = size.unknown_inputs(subject_size)
    named = tuple(path for name in classes.deciding for path in missing.get(name, (name,)))
    return Standing(
        outcomes=result.outcomes,
        sizes=classes.outcomes,
        size_open=named,
        category_open=_spelled(categories, named),
        binding_open=_spelled(binding, named),
    )


def _spelled(resolution: Resolution[Any], size_inputs: tuple[str, ...]) -> tuple[str, ...]:
    spelled: list[str] = []
    for name in resolution.deciding:
        spelled.extend(size_inputs if name == "size" else (name,))
    return tuple(dict.fromkeys(spelled))


def _designated(given: Designations) -> dict[str, Sequence[Any]]:
    return {
        "designations.cer_critical_entity": options(given.cer_critical_entity),
        "designations.identified_by_member_state": tuple(Identified)
        if given.identified is None
        else (given.identified,),
        "designations.former_operator_of_essential_services": options(given.former_operator_of_essential_services),
        "designations.exclusion": tuple(Exclusion) if given.exclusion is None else (given.exclusion,),
    }


def _in_union(establishment: Establishment | None) -> tuple[bool, ...]:
    if establishment is None:
        return (True,)
    states = rules.load().member_states
    known = [codes for codes in (establishment.countries, establishment.serves) if codes is not None]
    if any(code in states for codes in known for code in codes):
        return (True,)
    return (False,) if len(known) == 2 else (True, False)


def _service_inputs(services: tuple[Service, ...] | None) -> dict[str, Sequence[frozenset[EntityType]]]:
    if services is None:
        return {"services": _anything()}
    once = {service: i for i, service in reversed(tuple(enumerate(services)))}  # said twice, it is open only once
    return {f"services[{i}] ({service.activity.id})": _types(service) for service, i in once.items()}


def _anything() -> tuple[frozenset[EntityType], ...]:
    """Return one entity type for each way in which types can differ, and none at all."""
    different = {(kind.annex, kind.traits): kind for kind in sorted(rules.load().types, key=lambda kind: kind.id)}
    return (frozenset(), *(frozenset({kind}) for kind in different.values()))


def _types(service: Service) -> tuple[frozenset[EntityType], ...]:
    """Return what a service can be: its type, the qualified form of it, or nothing where a condition fails."""
    kind = service.activity.type
    qualified = rules.load().activities["qualified_trust_service_provider"].type
    held: list[frozenset[EntityType]] = []
    for met in options(service.holds):
        held.extend(
            frozenset({qualified if is_qualified else kind}) if met else frozenset()
            for is_qualified in options(service.qualified)
        )
        if met and kind.has("category_by_national_act"):
            held.append(frozenset({replace(kind, traits=kind.traits | {"held_essential"})}))
    return tuple(dict.fromkeys(held))


@lru_cache(maxsize=2**15)  # the same completions come again with each answer that a person changes
def _decide(
    size_class: SizeClass,
    cer: bool,  # noqa: FBT001 - one completion, always by position
    identified: Identified,
    former: bool,  # noqa: FBT001
    exclusion: Exclusion,
    in_union: bool,  # noqa: FBT001
    *types: frozenset[EntityType],
) -> Outcome:
    facts = Facts(frozenset().union(*types), size_class, cer, identified, former, exclusion, in_union)
    row = nis2.decide(facts)
    return Outcome(
        category=row.category,
        provision=nis2.provision(facts),
        row=row.order,
        because=row.because,
        binds_2690=nis2.binds_2690(facts),
        dora=facts.under_dora,
        types=tuple(sorted(kind.id for kind in facts.types)),
    )


def explain(standing: Standing, services: tuple[Service, ...] | None, subject_size: Size) -> Notes:
    """Return reasons and gaps of the size, the services, the category and 2024/2690."""
    notes = Notes()
    _explain_size(notes, standing, subject_size)
    for service in services or ():
        notes.reasons.append(_service_reason(service))
    _explain_category(notes, standing)
    _explain_2690(notes, standing)
    if standing.dora is not False:
        notes.reasons.append(_dora_reason(standing))
    return notes


def _explain_size(notes: Notes, standing: Standing, subject_size: Size) -> None:
    names = tuple(one.text for one in sorted(standing.sizes))
    if len(names) > 1:
        notes.gaps.append(Gap("size class", names, standing.size_open))
    because = (
        "the greater of staff and of the lesser of turnover and balance, linked enterprises in full, partners pro rata"
    )
    answer = names[0] if len(names) == 1 else UNDETERMINED
    notes.reasons.append(Reason("size class", answer, "2003/361/EC Annex 2-6; NIS2 2(1)", because))
    if subject_size.enterprises:
        softer = "Member States may take the independence of the systems from the group's into account"
        notes.reasons.append(Reason("size class", "may be softened nationally", "NIS2 recital 16", softer))


def _service_reason(service: Service) -> Reason:
    kind = service.activity.type
    if kind.id == "none_of_these":
        return Reason(
            f"service {service.activity.id}", "no annex type", "NIS2 2(1), Annex I and II", service.activity.what
        )
    provision = ", ".join(("NIS2", *kind.refs)).replace("NIS2,", "NIS2")
    usual = "" if kind.id == service.activity.id else "; usually so, the test is the definition"
    return Reason(f"service {service.activity.id}", kind.id, provision, f"{service.activity.what}{usual}")


def _explain_category(notes: Notes, standing: Standing) -> None:
    category = standing.category
    if category is None:
        possible = tuple(sorted(f"{outcome.category} ({outcome.provision})" for outcome in standing.outcomes))
        notes.gaps.append(Gap("nis2.category", tuple(dict.fromkeys(possible)), standing.category_open))
        because = "possible: " + ", ".join(sorted(standing.categories))
        notes.reasons.append(Reason("nis2.category", UNDETERMINED, "NIS2 2, 3", because))
        return
    for because in sorted({outcome.because for outcome in standing.outcomes}):
        notes.reasons.append(Reason("nis2.category", category, standing.provision, because))


def _explain_2690(notes: Notes, standing: Standing) -> None:
    match standing.binds_2690:
        case None:
            notes.gaps.append(Gap("binds_2690", ("true", "false"), standing.binding_open))
        case True:
            notes.reasons.append(Reason("binds_2690", "concerned", "2024/2690 1", "one of its eleven entity types"))
        case False:
            because = "not one of its eleven entity types, not in scope of NIS2, or a financial entity under DORA"
            notes.reasons.append(Reason("binds_2690", "not concerned", "2024/2690 1", because))


def _dora_reason(standing: Standing) -> Reason:
    answer = "DORA" if standing.dora else UNDETERMINED
    because = "DORA takes the place of NIS2 21 and 23 for financial entities; the NIS2 category stays"
    return Reason("lex_specialis", answer, "NIS2 4; DORA 1(2)", because)
