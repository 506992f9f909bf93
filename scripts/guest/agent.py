"""Start the agent from where the image keeps its modules, and no more of it than is needed."""

import sys

sys.path.insert(0, "/usr/lib/ringfence/python")

match sys.argv[1:]:
    case ["keep"]:
        from ringfence.workloads.nodeagent import program

        program.keep()
    case []:
        from ringfence.workloads.nodeagent import carrying

        carrying.main()
    case _:
        sys.exit("usage: agent [keep]")
