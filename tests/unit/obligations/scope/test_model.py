"""The description of an organisation cannot be changed once it is read."""

import dataclasses

import pytest

from ringfence.obligations.scope import model


def test_every_fact_is_frozen():
    facts = [kind for kind in vars(model).values() if isinstance(kind, type) and dataclasses.is_dataclass(kind)]
    assert len(facts) >= 9
    assert all(kind.__dataclass_params__.frozen for kind in facts)


def test_a_frozen_fact_refuses_a_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.Figures(None, None, None).staff = 3


def test_none_is_unknown_and_no_field_of_the_inputs_has_a_default():
    inputs = [model.Organisation, model.Size, model.Figures, model.AiSystem, model.Product, model.Customer]
    missing = dataclasses.MISSING
    assert all(field.default is missing for kind in inputs for field in dataclasses.fields(kind))
