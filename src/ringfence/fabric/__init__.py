"""The network between nodes, and the one place where a node is cut off: outside the guest.

A small privileged helper runs in a network namespace of its own. Every node hangs on it by a point-to-point link, so
there is no shared segment on which an address could be stolen. A packet has a route only if the ruleset *marked* it,
and it is marked only if it came in by the link and with the address of an *admitted* node, to where a permit leads. So
an empty, flushed or rebooted ruleset means cut, and to cut a node is to take one element out of a set.

    client    `Fabric`: what the rest of Ringfence uses; starts the helper where none runs
    connect   the same for ssh: `ProxyCommand` with a passed file descriptor
    launch    starting and ending the two processes, with or without root
    anchor    a process that does nothing but keep the namespaces
    __main__  the helper: a socket, a loop
    keeper    what the helper does for each verb: kernel first, then the state file, then the answer
    protocol  the closed set of verbs, parsed strictly
    desired   pure: a state and a verb make a new state
    ruleset   pure: a state makes one atomic nft script, two states the difference
    netfilter, links, probes, slots, tools  what touches the kernel and the disk
    model     what callers see

The helper holds no keys, reads no evidence, and imports nothing of Ringfence but its errors and where programs are.
docs/specs/fabric.md has the details.
"""
