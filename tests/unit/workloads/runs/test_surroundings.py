from ringfence.workloads.runs import model, surroundings


def test_only_what_is_stated_reaches_the_command():
    around = {
        "PATH": "/bin",
        "HOME": "/h",
        "RINGFENCE_TOKEN": "secret",
        "AWS_SECRET_ACCESS_KEY": "s",
        "PYTHONPATH": "/x",
    }
    order = model.order(["a"], datasets=[], seed=5, environment=["WANTED=1", "PATH=/other"], code=[])
    assert surroundings.given(order, around, inputs="/i", outputs="") == {
        "PATH": "/other",
        "HOME": "/h",
        "WANTED": "1",
        "RINGFENCE_INPUTS": "/i",
        "RINGFENCE_SEED": "5",
        "PYTHONHASHSEED": "5",
    }
