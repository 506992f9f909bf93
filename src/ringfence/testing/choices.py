"""A team's files of overrides in a home of a test, and signatures over what they and profiles say."""

from pathlib import Path

from ringfence.kernel.actor import Role
from ringfence.kernel.evidence import Acknowledgement
from ringfence.obligations.blobs import FOLDER
from ringfence.services import Services
from ringfence.testing.home import TENANT, LabHome, signed

META = "meta: {version: 1, owner: security-lead, reviewed_on: '2026-11-01'}\noverrides:\n"
SHORTER = "- {requirement: bcm-04.failover, freshness_days: 60, because: contract with a hospital}\n"
FRANKER = "- {control: SEC-11, does_not_prove: [That the second site was visited.], because: there are two}\n"
ASIDE = """\
- control: SEC-10
  not_applicable: {reason: nobody runs images of others here, owner: security-lead, expires: '2027-05-01'}
  because: everything is built here
"""


def override(home: Path, *rows: str, name: str = "10-team.yaml", meta: str = META) -> Path:
    """Write a file of overrides as its owner would."""
    folder = home / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / name
    path.write_text(meta + "".join(rows), encoding="utf-8")
    path.chmod(0o600)
    return path


def set_aside(services: Services, home: LabHome, control: str, role: Role = Role.SECURITY) -> Acknowledgement:
    """Sign that a control does not apply."""
    draft = services.overriding.draft(TENANT, control)
    posted = signed(services, home.people[role], draft)
    return services.overriding.take(home.actor(role), control, *posted)


def select(services: Services, home: LabHome, name: str, role: Role = Role.MANAGEMENT) -> Acknowledgement:
    """Sign that a profile is in force, over the difference as it is now."""
    choice = services.profiles.choice(TENANT, name)
    envelope, _ = signed(services, home.people[role], choice.draft)
    return services.profiles.take(home.actor(role), name, envelope)
