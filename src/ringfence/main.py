"""The command line: every verb in one table, loaded when it is called.

`ringfence --help` imports nothing but Typer: it must start in less than 200 ms (docs/decisions/0003).
"""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ringfence.frontends import in_process
from ringfence.frontends.loading import loaded
from ringfence.kernel.errors import InternalError, RingfenceError, Unavailable


@dataclass(frozen=True, slots=True)
class Verb:
    """Where a verb lives, and its line of help."""

    module: str
    name: str
    help: str


VERBS: Mapping[str, Verb] = {
    "init": Verb("ringfence.verbs", "init", "Make a home: keys, first people, first head to keep elsewhere."),
    "up": Verb("ringfence.verbs", "up", "Serve API, console and gateway, and print a one-time link."),
    "tour": Verb("ringfence.tour.cli", "tour", "Walk through what works, on real data, in a demo home."),
    "practice": Verb("ringfence.tour.practice", "app", "Practise an incident in a demo installation beside this one."),
    "doctor": Verb("ringfence.doctor", "doctor", "Say what is missing on this machine, and how to get it."),
    "profile": Verb("ringfence.obligations.profiles.cli", "app", "Compare industry profiles, and put one in force."),
    "rules": Verb("ringfence.obligations.overriding.cli", "app", "Check, compare and sign overrides of the rules."),
    "status": Verb("ringfence.obligations.cli", "status", "Show each control's status, computed from statements."),
    "scope": Verb("ringfence.obligations.scoping.cli", "scope", "Classify an organisation: which duties, when, why."),
    "verify": Verb("ringfence.reports.cli", "verify", "Check a pack offline against what you trust."),
    "dataset": Verb("ringfence.artifacts.cli", "app", "Seal, open, verify and list datasets."),
    "model": Verb("ringfence.workloads.intake.cli", "app", "Sign, verify, scan, import and list models."),
    "attestation": Verb("ringfence.attestation.cli", "app", "Verify evidence of TPMs, confidential guests, GPUs."),
    "node": Verb("ringfence.compute.cli", "app", "Offer, start, reach, cut off, release and stop nodes."),
    "deploy": Verb("ringfence.workloads.cli", "deploy_app", "Start, attach, list and stop what callers reach."),
    "events": Verb("ringfence.soc.cli", "events_app", "Read log lines and say what was found in them."),
    "findings": Verb("ringfence.soc.cli", "findings_app", "List findings and show what was done about them."),
    "incident": Verb("ringfence.incidents.cli", "app", "List, triage, declare, correct, report and close incidents."),
    "gate": Verb("ringfence.workloads.gating.cli", "gate", "Judge a model before it is served; approve, enforce."),
    "release": Verb("ringfence.keyrelease.cli", "app", "Release data keys to nodes that show what they run."),
    "run": Verb("ringfence.workloads.runs.cli", "run", "Run a command on sealed data, and state what went in and out."),
    "lineage": Verb("ringfence.lineage.cli", "app", "Where models and answers come from, and what is missing."),
    "mlflow": Verb("ringfence.workloads.mlflow.cli", "app", "Runs of MLflow on this machine: import, export, verify."),
    "redteam": Verb("ringfence.redteam.cli", "app", "Attack an endpoint, and bound how often that succeeds."),
    "user": Verb("ringfence.verbs", "user", "List, add and remove people; make a link into the console."),
    "tenant": Verb("ringfence.founding", "tenant", "Add and list the tenants of this installation."),
    "service": Verb("ringfence.identity.accounts.cli", "app", "Enrol, list and revoke programs with scoped keys."),
    "key": Verb("ringfence.keyverbs.cli", "key", "Issue callers' keys; keep, replace and revoke signing keys."),
    "ledger": Verb("ringfence.ledger.cli", "app", "Show heads and statements, prove entries, export a head."),
    "report": Verb("ringfence.verbs", "report", "Export packs and drafts of early warnings."),
    "customer": Verb("ringfence.customers.cli", "app", "Keep customers; answer their questions; hand them packs."),
    "retention": Verb("ringfence.retention.cli", "app", "What is kept and until when; hold, release, erase, sweep."),
    "risk": Verb("ringfence.governance.risks.cli", "app", "Enter, treat, review and accept risks; import a register."),
    "exception": Verb("ringfence.governance.exceptions.cli", "app", "Ask for an exception, approve one, end one."),
    "opinion": Verb("ringfence.governance.opinions.cli", "app", "An auditor's opinions beside the computed status."),
    "backup": Verb("ringfence.workloads.backups.cli", "backup", "Copy sealed data and models elsewhere, by digest."),
    "drill": Verb("ringfence.workloads.backups.cli", "drill", "Restore such a copy for practice, against the clock."),
    "record": Verb("ringfence.obligations.forms.cli", "record", "Run a collector, or fill a form and sign it."),
    "approve": Verb("ringfence.governance.resolutions.cli", "approve", "Ask the management body to approve a control."),
    "resolution": Verb("ringfence.governance.resolutions.cli", "app", "Put something to the management body; vote."),
    "oversight": Verb("ringfence.governance.oversight.cli", "app", "What management was told; who was trained."),
    "policy": Verb("ringfence.obligations.policies.cli", "app", "Write and check policies; see which still hold."),
}


class LazyVerbs(TyperGroup):
    """A group whose verbs are imported when they are called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Return every verb, in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Import one verb."""
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        found = getattr(loaded(verb.module), verb.name)
        if isinstance(found, typer.Typer):
            return get_command(found)
        single = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
        single.command(cmd_name)(found)
        return get_command(single)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Print the table's own lines, so that help imports no verb."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])


app = typer.Typer(
    cls=LazyVerbs,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Run, protect and prove AI workloads: no evidence, no claim.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:  # noqa: FBT001 - Typer calls it with the option's value
    if value:
        import ringfence

        sys.stdout.write(f"ringfence {ringfence.__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=_version, is_eager=True),  # noqa: FBT001, FBT003
) -> None:
    """Take the options that stand before a verb."""


def run(arguments: Iterable[str] | None = None) -> None:
    """Run the command line; every error of the family ends as one sentence and the contract's exit code."""
    from ringfence.frontends.terminal import fail

    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        in_process.run_with(run)
        app(given, standalone_mode=True)
    except RingfenceError as error:
        fail(error, as_json=as_json)
    except BrokenPipeError:
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except OSError as error:
        fail(Unavailable(f"{error.filename or 'the system'}: {error.strerror}"), as_json=as_json)
    except Exception as error:
        if os.environ.get("RINGFENCE_DEBUG"):
            raise
        sentence = f"something in Ringfence itself failed ({type(error).__name__}); RINGFENCE_DEBUG=1 shows where"
        fail(InternalError(sentence), as_json=as_json)
