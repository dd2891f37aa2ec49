// What is said and written at exit: statistics, a trace, times, the order of first calls; however the program ends.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c -ffunction-sections main.c lazy.c
// RUN: not %rjitlink -stats main.o -lazy lazy.o > stats.out 2> stats.err
// RUN: FileCheck %s --check-prefix=STATS < stats.err
// RUN: FileCheck %s --check-prefix=OUTPUT < stats.out
// RUN: not %rjitlink -stats=json -stats-json=stats.json main.o -lazy lazy.o -- exit > json.out 2> json.err
// RUN: %python check.py stats json.err stats.json
// RUN: FileCheck %s --check-prefix=OUTPUT < json.out
// RUN: not %rjitlink -time-trace=trace.json -record-lazy-execs=order.txt main.o -lazy lazy.o -- exit > trace.out 2> trace.err
// RUN: %python check.py trace trace.json | FileCheck %s --check-prefix=TRACE
// RUN: FileCheck %s --check-prefix=ORDER < order.txt
// RUN: not %rjitlink -show-times main.o -lazy lazy.o 2>&1 | FileCheck %s --check-prefix=TIMES
// RUN: %rjitlink -noexec -stats -time-trace=noexec.json -record-lazy-execs=none.txt main.o -lazy lazy.o 2>&1 | FileCheck %s --check-prefix=NOEXEC
// RUN: %python check.py json noexec.json
// RUN: %python check.py empty none.txt
//
// Without options nothing is said.
// RUN: not %rjitlink main.o -lazy lazy.o > plain.out 2>&1
// RUN: FileCheck %s --check-prefix=PLAIN --implicit-check-not=rjitlink < plain.out
//
// RUN: not %rjitlink -stats=xml main.o 2>&1 | FileCheck %s --check-prefix=BAD-FORM
// RUN: not %rjitlink -stats-json=nowhere/f main.o 2>&1 | FileCheck %s --check-prefix=NOWHERE
// RUN: not %rjitlink -time-trace=nowhere/f main.o 2>&1 | FileCheck %s --check-prefix=NOWHERE
// RUN: not %rjitlink -record-lazy-execs=nowhere/f main.o 2>&1 | FileCheck %s --check-prefix=NOWHERE
// RUN: not %rjitlink -time-trace 2>&1 | FileCheck %s --check-prefix=NO-VALUE
//
// STATS: rjitlink: statistics
// STATS-NEXT: files {{ *}}given 2, linked 2
// STATS-NEXT: functions {{ *}}given 5, entry points 3, linked 4, first called 2
// STATS-NEXT: bytes {{ *}}mapped {{[0-9]+}}, code and data {{[0-9]+}}, linked {{[0-9]+}}, never touched {{[1-9][0-9]*}}
// STATS-NEXT: time to main {{ *[0-9.]+}} ms
// STATS-NEXT: first calls {{ *}}p50 {{[0-9.]+}} ms, p99 {{[0-9.]+}} ms, longest {{[0-9.]+}} ms, total {{[0-9.]+}} ms
// OUTPUT: at exit
// TRACE: parse in add inputs
// TRACE: claim in batch
// TRACE: fix up in batch
// TRACE: batch in first call of twice
// TRACE: first call of twice in run, linked: ['lazy.o']
// TRACE: first call of thrice in run, linked: ['lazy.o']
// TRACE: threads: 1
// ORDER: main, twice$orc_fnbody
// ORDER-NEXT: main, thrice$orc_fnbody
// TIMES: ===---
// TIMES-NEXT: timers for llvm-jitlink phases
// TIMES-NEXT: ===---
// TIMES-NEXT: Total Execution Time: {{[0-9.]+}} seconds ({{[0-9.]+}} wall clock)
// TIMES: ---Wall Time---  --- Name ---
// TIMES-DAG: {{[0-9.]+}} ({{ *[0-9.]+}}%) time to link object files
// TIMES-DAG: {{[0-9.]+}} ({{ *[0-9.]+}}%) time to load/add object files
// TIMES-DAG: {{[0-9.]+}} ({{ *[0-9.]+}}%) time to execute jitlink'd code
// TIMES: Total
// NOEXEC: time to main {{ *}}not run
// PLAIN: at exit
// BAD-FORM: rjitlink: error: {{.*}}xml
// NOWHERE: rjitlink: error: cannot write 'nowhere/f': No such file or directory
// NO-VALUE: rjitlink: error: {{.*}}time-trace

//--- main.c
#include <stdio.h>
#include <stdlib.h>
int twice(int);
int thrice(int);
static void at_exit(void) { puts("at exit"); }
int main(int argc, char **argv) {
  (void)argv;
  atexit(at_exit);
  int result = twice(2) + thrice(1);
  if (argc > 1)
    exit(result);
  return result;
}
//--- lazy.c
int twice(int number) { return 2 * number; }
int never(int number) { return number; }
int thrice(int number) { return 3 * number; }
//--- check.py
import json, sys

what, *files = sys.argv[1:]
texts = [open(name).read() for name in files]
if what == "empty":
    assert texts == [""]
elif what == "json":
    assert json.loads(texts[0])["traceEvents"]
elif what == "stats":
    printed, written = [json.loads(text) for text in texts]
    assert printed.keys() == written.keys()
    for stats in printed, written:
        assert stats["functions"] == {"given": 5, "entry_points": 3, "linked": 4, "first_called": 2}
        assert stats["bytes"]["given"] == stats["bytes"]["linked"] + stats["bytes"]["never_touched"] < stats["bytes"]["mapped"]
        assert 0 < stats["first_call_us"]["p50"] <= stats["first_call_us"]["p99"] == stats["first_call_us"]["max"]
        assert stats["time_to_main_us"] > 0
else:
    events = [event for event in json.loads(texts[0])["traceEvents"] if event["ph"] == "X"]
    end = lambda event: event["ts"] + event["dur"]
    for event in sorted(events, key=end):
        around = [o for o in events if o is not event and o["tid"] == event["tid"] and o["ts"] <= event["ts"] and end(event) <= end(o)]
        parent = min(around, key=lambda o: o["dur"])["name"] if around else "nothing"
        linked = f', linked: {event["args"]["linked"]}' if event["cat"] == "call" else ""
        assert event["cat"] != "call" or abs(event["args"]["latency_us"] - event["dur"]) < 1
        print(f'{event["name"]} in {parent}{linked}')
    print("threads:", len({event["tid"] for event in events}))
