// What Linux perf reads: a jitdump with the bytes and lines of functions that are linked lazily, and a map of names.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -g -O1 -ffunction-sections -c main.c lazy.c
// RUN: env JITDUMPDIR=dumps %rjitlink -perf-support -perf-map main.o -lazy lazy.o > pid
// RUN: %python read.py | FileCheck %s
// RUN: ls dumps/.debug/jit | FileCheck %s --check-prefix=FOLDER
// RUN: %clang -g -gz -O1 -ffunction-sections -c main.c lazy.c && rm -r dumps
// RUN: env JITDUMPDIR=dumps %rjitlink -perf-support -perf-map main.o -lazy lazy.o > pid
// RUN: %python read.py | FileCheck %s
// RUN: touch file
// RUN: not env JITDUMPDIR=file %rjitlink -perf-support main.o -lazy lazy.o 2>&1 | FileCheck %s --check-prefix=NOWHERE
// RUN: env JITDUMPDIR=unused %rjitlink -noexec -perf-support main.o -lazy lazy.o
// RUN: not ls unused
//
// CHECK: header ok
// CHECK: lines of main: {{.*}}main.c:5
// CHECK-NEXT: code main
// CHECK: code __orc_rt_
// CHECK: lines of hot: {{.*}}lazy.c:4 {{.*}}lazy.c:5
// CHECK-NEXT: code hot
// CHECK-NOT: cold
// CHECK: map agrees
// FOLDER: {{^}}llvm-IR-jit-20{{[0-9][0-9][01][0-9][0-3][0-9]}}-{{.+}}
// NOWHERE: rjitlink: error: cannot write 'file/.debug/jit/{{.*}}.dump': Not a directory

//--- main.c
#include <stdio.h>
#include <unistd.h>
int hot(int);
int main(void) {
  printf("%d\n", getpid());
  return hot(1000) == 7;
}
//--- lazy.c
int hot(int count) {
  int sum = 0;
  for (int i = 0; i < count; i++)
    sum ^= i * count;
  return sum;
}
int cold(int count) { return count; }
//--- read.py
import glob, os, struct

pid = int(open("pid").read())
[path] = glob.glob(f"dumps/.debug/jit/*/jit-{pid}.dump")
data = open(path, "rb").read()
magic, version, size, machine, _, process, time, flags = struct.unpack_from("<IIIIIIQQ", data)
assert (magic, version, size, process, flags) == (0x4A695444, 1, 40, pid, 0)
print("header ok")
at, codes, lines = size, {}, None
while at < len(data):
    kind, length, when = struct.unpack_from("<IIQ", data, at)
    assert length >= 16 and when >= time
    body = data[at + 16 : at + length]
    if kind == 0:
        process, thread, vma, address, code_size, index = struct.unpack_from("<IIQQQQ", body)
        name, _, code = body[40:].partition(b"\0")
        assert process == pid and vma == address and len(code) == code_size and index == len(codes)
        codes[name.decode()] = (address, code_size)
        if lines:
            assert lines[0] == address
            print(f"lines of {name.decode()}: " + " ".join(f"{os.path.basename(file)}:{line}" for _, line, file in lines[1]))
            assert all(address <= place < address + code_size for place, _, _ in lines[1])
        print("code", name.decode())
        lines = None
    elif kind == 2:
        address, count = struct.unpack_from("<QQ", body)
        found, rest = [], body[16:]
        for _ in range(count):
            place, line, _ = struct.unpack_from("<QII", rest)
            file, _, rest = rest[16:].partition(b"\0")
            found.append((place, line, file.decode()))
        lines = (address, found)
    at += length
entries = [line.split(" ", 2) for line in open(f"/tmp/perf-{pid}.map").read().splitlines()]
assert {name: (int(start, 16), int(size, 16)) for start, size, name in entries} == codes
os.remove(f"/tmp/perf-{pid}.map")
print("map agrees")
