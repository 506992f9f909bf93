"""Start the agent from where the image keeps its modules."""

import sys

sys.path.insert(0, "/usr/lib/ringfence/python")

from ringfence.workloads.nodeagent import program

program.main(sys.argv[1:])
