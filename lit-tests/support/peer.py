"""Do rjitlink and llvm-jitlink print the same?

    peer.py --jitlink=PATH --orc-runtime=PATH --rjitlink=COMMAND FILES AND OPTIONS

Runs both with the same words (llvm-jitlink also gets its runtime), compares exit status and the *set* of lines each prints
on stdout: llvm-jitlink's order changes from run to run. The listed differences, taken out on both sides:

1. members of the ORC runtime: each tool has a runtime of its own (`Linking …liborc_rt…[n](…)`);
2. numbers of `__orc_reentry_graph_#n` and `<indirect stubs graph #n>`: which file gets which is a matter of timing,
   only how many there are is compared;
3. `<DSOHandleMU>`: a graph of LLVM's platform, which rjitlink does not need.
"""

import re
import subprocess
import sys

import same


def lines(output):
    kept = []
    for line in output.decode(errors="replace").splitlines():
        if "liborc_rt" in line or "<DSOHandleMU>" in line:
            continue
        kept.append(re.sub(r"graph_?\s?#\d+", "graph #N", line))
    return sorted(kept)


def main():
    tools, rest, words = same.options(sys.argv[1:])
    given = dict(rest)
    peer = same.run([given["jitlink"], "-orc-runtime=" + given["orc-runtime"], *words])
    own = same.run(tools["rjitlink"] + words)
    expected, found = (lines(peer[0]), peer[1]), (lines(own[0]), own[1])
    if expected != found:
        for title, result, stderr in (("llvm-jitlink", expected, peer[2]), ("rjitlink", found, own[2])):
            print(f"--- {title}: {result[1]}", *result[0], stderr.decode(errors="replace"), sep="\n")
        sys.exit(1)
    print(*expected[0], expected[1], sep="\n")


if __name__ == "__main__":
    main()
