"""What is run on a machine of one's own: fixed commands and fixed programs for `sh` and `bash`; pure.

Nothing that anybody typed is ever part of them; what they need to know comes by their standard input.
"""

BEGUN, LISTED, READY, DONE = "ringfence-begun", "ringfence-listed", "ringfence-ready", "ringfence-done"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NFT = {"root": f"env {PATH} nft", "sudo": "sudo -n nft"}
LIST = "-s list ruleset"  # without counters
SHELL, BASH = "sh -s", "env LC_ALL=C bash -s"

LOOK = f"""\
{PATH}:$PATH
export PATH
if test "$(id -u)" = 0 && nft list tables > /dev/null 2>&1; then way=root; nft=nft
elif sudo -n nft list tables > /dev/null 2>&1; then way=sudo; nft='sudo -n nft'
else echo rules none; exit 0; fi
echo rules $way
$nft -s list table inet ringfence_quarantine 2> /dev/null
exit 0
"""


def cut(way: str) -> str:
    """Return the command that shows from where it sees us and which rules hold, loads what it is told, and shows it."""
    nft = NFT[way]
    return (
        f"echo {BEGUN} && printenv SSH_CONNECTION && echo {LISTED} && {nft} {LIST} && echo {READY} && {nft} -f - "
        f"&& {nft} -s list table inet ringfence_quarantine && echo {DONE}"
    )


def free(way: str) -> str:
    """Return the command that shows the rules, loads what it is told, and shows them again."""
    nft = NFT[way]
    return f"echo {BEGUN} && {nft} {LIST} && echo {READY} && {nft} -f - && {nft} {LIST} && echo {DONE}"


# From documentation ranges (RFC 5737, RFC 3849), but for the metadata service: where the cut does not hold, a datagram
# goes to nobody. One that the output hook drops is refused at once: `Operation not permitted`.
PATHS = {"node-to-world": "192.0.2.1", "metadata": "169.254.169.254", "ipv6": "2001:db8::1"}
CONTROLLER = "node-to-controller"
SILENCE = "no answer"

_UDP = """\
udp() {
  said=$( { exec 3<> /dev/udp/$2/9 && printf x >&3 && printf x >&3; } 2>&1 ) && echo $1 open || echo $1 $said
}
"""
_TCP = """\
tcp() {
  said=$( { timeout 2 bash -c 'exec 3<> /dev/tcp/$0/$1' $2 $3; } 2>&1 ) && echo $1 open || echo $1 ${said:-no answer}
}
"""
_EACH = "".join(f"udp {name} {target} &\n" for name, target in PATHS.items())
PROBE = f"set -- $SSH_CONNECTION\n{_UDP}{_TCP}{_EACH}"


def probe(port: int) -> bytes:
    """Return the program that tries to get out; `port` is where we listen for it."""
    return f"{PROBE}tcp {CONTROLLER} $1 {port}\nwait\nexit 0\n".encode()


# Reads, and changes nothing. A fact that cannot be read has no line: nothing is made of half of what was to be read.
CONFIGURATION = f"""\
{PATH}:$PATH
export PATH
sum() {{ sha256sum | cut -d' ' -f1; }}
whole() {{ for f; do test -r "$f" || return 1; done; cat "$@"; }}
fact() {{ test -n "$2" && echo "$1 $2"; }}
set -- /etc/ssh/sshd_config
for f in /etc/ssh/sshd_config.d/*.conf; do test -e "$f" && set -- "$@" "$f"; done
whole "$@" > /dev/null && fact sshd "$(cat "$@" | sum)"
whole /etc/passwd /etc/group > /dev/null && fact accounts "$(cat /etc/passwd /etc/group | sum)"
if test -r /proc/net/tcp; then
  echo listening here
  cat /proc/net/tcp /proc/net/tcp6 2> /dev/null | while read -r n local remote state rest; do
    test "$state" = 0A && echo "socket $local"
  done
fi
gain=$(grep -E '^(CapBnd|NoNewPrivs):' /proc/self/status | tr -d '\\t ' | sort)
fact privileges "$(echo $gain | tr ' ' ',')"
if test -w /usr || test -w /etc || test -w /bin; then fact system writable; else fact system fixed; fi
fact programs "$(find /usr/bin /usr/sbin /usr/lib -xdev -type f -perm -4000 2> /dev/null | sort | sum)"
if test -d /sys/bus/usb/drivers/usb-storage || test -d /sys/bus/usb/drivers/uas; then fact removable open
elif ! test -d /sys/bus && ! find /dev -type b 2> /dev/null | grep -q .; then fact removable blocked
elif test -d /sys/bus && ! test -d /sys/bus/usb; then fact removable blocked
elif ! command -v modprobe > /dev/null; then fact removable unknown
elif modprobe -n -v usb-storage 2> /dev/null | grep -q '^install /bin/\\(true\\|false\\)'; then fact removable blocked
elif modprobe -n usb-storage 2> /dev/null; then fact removable open
else fact removable blocked; fi
exit 0
"""


ITEMS = {
    "processes": (
        "ps -eww -o pid,ppid,user,lstart,args 2> /dev/null || for p in /proc/[0-9]*; do "
        "echo \"${p#/proc/} $(tr '\\000' ' ' < $p/cmdline)\"; done"
    ),
    "sockets": "ss -tunap 2> /dev/null || cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6",
    "connections": "ss -Htn state established 2> /dev/null || cat /proc/net/tcp /proc/net/tcp6",
    "logins": "who -a; last -n 50 2> /dev/null",
    "mounts": "cat /proc/mounts",
    "rules": '{ test "$(id -u)" = 0 && nft list ruleset; } || sudo -n nft list ruleset',
}


def collect(mark: str, largest: int) -> bytes:
    """Return the program that prints each item behind a line of `mark` and its name; `mark` is ours, and random."""
    lines = [f"{PATH}:$PATH", "export PATH"]
    for name, command in ITEMS.items():
        lines.append(f"printf '\\n%s %s\\n' {mark} {name}; {{ {command} ; }} 2>&1 < /dev/null | head -c {largest + 1}")
    return "\n".join([*lines, f"printf '\\n%s end\\n' {mark}", "exit 0", ""]).encode()


def collected(printed: str, mark: str) -> dict[str, str]:
    """Return the items that were printed whole."""
    _, *parts = printed.split(f"\n{mark} ")
    return {name: text for name, _, text in (part.partition("\n") for part in parts[:-1]) if name in ITEMS}
