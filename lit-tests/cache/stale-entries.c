// An entry is used only as long as everything is as it was: another input, a damaged image or record, and it is made anew. A file
// written again with the same content changes nothing.
//
// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: %clang -DTEXT='"one"' -O1 -fPIC -c %s -o main.o
// RUN: %rjitlink -cache-dir=cache main.o | FileCheck %s --check-prefix=ONE
// RUN: %clang -DTEXT='"two"' -O1 -fPIC -c %s -o main.o
// RUN: %rjitlink -cache-dir=cache main.o | FileCheck %s --check-prefix=TWO
// RUN: cp main.o copy.o && rm main.o && cp copy.o main.o
// RUN: env RUST_LOG=debug %rjitlink -cache-dir=cache main.o 2>&1 | FileCheck %s --check-prefix=TWO --implicit-check-not=linking
//
// Every byte of the newest image, one after another.
// RUN: %python -c "import subprocess, sys, glob, os; \
// RUN:   image = max(glob.glob('cache/*.image'), key=os.path.getmtime); whole = open(image, 'rb').read(); \
// RUN:   offsets = [o for o in range(len(whole)) if whole[o]] [::7] + [len(whole) - 1]; \
// RUN:   damage = lambda o: open(image, 'wb').write(whole[:o] + bytes([whole[o] ^ 255]) + whole[o + 1:]); \
// RUN:   run = lambda: subprocess.run(sys.argv[1:], capture_output=True); \
// RUN:   results = [(damage(o), run()) for o in offsets]; \
// RUN:   bad = [o for o, (_, r) in zip(offsets, results) if r.stdout != b'two\n' or r.returncode or r.stderr]; \
// RUN:   print(len(offsets) > 10, 'bad:', bad)" %rjitlink -cache-dir=cache main.o | FileCheck %s --check-prefix=DAMAGE
// RUN: %python -c "import glob; [open(f, 'wb').write(b'rubbish') for f in glob.glob('cache/*.record')]"
// RUN: %rjitlink -cache-dir=cache main.o | FileCheck %s --check-prefix=TWO
//
// ONE: one
// TWO: two
// DAMAGE: True bad: []

#include <stdio.h>
int main(void) {
  puts(TEXT);
  return 0;
}
