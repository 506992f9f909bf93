"""The models by name."""

from ringfence.exports.kinds import Kind


def test_files_are_named_for_their_model():
    assert Kind.GAPS.file == "plan-of-action-and-milestones.json"
