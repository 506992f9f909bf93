"""Read a file of a directory: SCIM 2.0 users and groups (RFC 7643, 7644). Strict and bounded; pure.

Only what is used is looked at, and that must be as the standard has it; a file that is wrong anywhere changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import MalformedInput

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
GROUP_PREFIX = "ringfence-"  # members of the group ringfence-auditor are auditors
MAX_FILE = 4 * 2**20
MAX_RESOURCES = 5000


@dataclass(frozen=True, slots=True)
class User:
    """A user of the directory; without a role it is nobody to us."""

    id: str
    name: str
    active: bool
    role: Role | None


def parse(data: bytes, *, source: str = "") -> list[User]:
    """Return the users of a ListResponse, each with the role that it or its groups give."""
    if len(data) > MAX_FILE:
        raise MalformedInput(f"the file is longer than {MAX_FILE} bytes", source=source)
    document = digest.loads(data, source=source)
    match document:
        case {"schemas": list() as schemas, "Resources": list() as resources} if LIST in schemas:
            pass
        case _:
            raise MalformedInput("the file is no SCIM 2.0 ListResponse with Resources", source=source)
    if len(resources) > MAX_RESOURCES:
        raise MalformedInput(f"the file has more than {MAX_RESOURCES} resources", source=source)
    if document.get("totalResults", len(resources)) != len(resources):
        raise MalformedInput("the file is one page of several; export all of it", source=source)
    users = [_resource(each, source) for each in resources if _is(each, USER)]
    groups = [each for each in resources if _is(each, GROUP)]
    if len(users) + len(groups) != len(resources):
        raise MalformedInput("a resource is neither a User nor a Group", source=source)
    if len({user["id"] for user in users}) != len(users):
        raise MalformedInput("two users have the same id", source=source)
    roles = _group_roles(groups, source)
    return [_user(user, roles, source) for user in users]


def _is(resource: Any, schema: str) -> bool:
    return isinstance(resource, dict) and isinstance(resource.get("schemas"), list) and schema in resource["schemas"]


def _resource(resource: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    _text(resource, "id", source)
    return resource


def _user(user: Mapping[str, Any], groups: Mapping[str, set[Role]], source: str) -> User:
    active = user.get("active", True)
    if not isinstance(active, bool):
        raise MalformedInput(f"active of {user['id'][:60]!r} is true or false", source=source)
    roles = groups.get(user["id"], set()) | _own_roles(user, source)
    if len(roles) > 1:
        named = ", ".join(sorted(role.value for role in roles))
        raise MalformedInput(f"{user['id'][:60]!r} has several roles ({named}); a person has one", source=source)
    return User(user["id"], _name(user, source), active, next(iter(roles), None))


def _name(user: Mapping[str, Any], source: str) -> str:
    if "displayName" in user:
        return _text(user, "displayName", source, most=200)
    name = user.get("name")
    if isinstance(name, dict) and "formatted" in name:
        return _text(name, "formatted", source, most=200)
    return _text(user, "userName", source, most=200)


def _own_roles(user: Mapping[str, Any], source: str) -> set[Role]:
    match user.get("roles", []):
        case list() as roles if len(roles) <= 32:
            values = [role.get("value") if isinstance(role, dict) else role for role in roles]
        case _:
            raise MalformedInput(f"roles of {user['id'][:60]!r} are a list", source=source)
    return {found for value in values if (found := _role(value)) is not None}


def _role(value: Any) -> Role | None:
    name = value.removeprefix(GROUP_PREFIX) if isinstance(value, str) else ""
    return Role(name) if name in {role.value for role in Role} else None


def _group_roles(groups: list[Mapping[str, Any]], source: str) -> dict[str, set[Role]]:
    found: dict[str, set[Role]] = {}
    for group in groups:
        title = _text(group, "displayName", source)
        role = _role(title) if title.startswith(GROUP_PREFIX) else None
        members = group.get("members", [])
        if not isinstance(members, list) or not all(isinstance(each, dict) for each in members):
            raise MalformedInput(f"members of the group {title[:60]!r} are a list", source=source)
        for member in members:
            if role is not None:
                found.setdefault(_text(member, "value", source), set()).add(role)
    return found


def _text(holder: Mapping[str, Any], name: str, source: str, *, most: int = 255) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= most or not value.isprintable() or value != value.strip():
        raise MalformedInput(f"{name} is text of 1 to {most} printable characters", source=source)
    return value
