// `@FILE` stands for the words in FILE, wherever it is: for inputs, for the value of an option, for the program's arguments behind
// -args. Behind `--`, and where there is no such file, it is a word like any other.
//
// REQUIRES: elf
// RUN: rm -rf %t && mkdir -p %t/sub && cd %t && %clang -c %s -o args.o && cp args.o 'a b.o'
// RUN: printf '"a b.o"\n-args  "two words" back\\ slash "q\\"q"\r\n@sub/more' > all && printf "'single \\\\' quote' ''" > sub/more
// RUN: %rjitlink @all | FileCheck %s --check-prefix=ALL
// RUN: printf 'other\n' > entry && printf 'args.o' > input
// RUN: not %rjitlink -entry @entry @input -args @input > entry.out && FileCheck %s --check-prefix=ENTRY < entry.out
// RUN: %rjitlink args.o -- @input | FileCheck %s --check-prefix=PLAIN
// RUN: %rjitlink args.o -args @absent | FileCheck %s --check-prefix=ABSENT
// RUN: printf '\377\376a\000r\000g\000s\000.\000o\000' > wide && %rjitlink @wide | FileCheck %s --check-prefix=NONE
//
// What names itself, or is no text, is an error.
// RUN: printf '@again' > again && not %rjitlink @again 2>&1 | FileCheck %s --check-prefix=AGAIN
// RUN: not %rjitlink @sub 2>&1 | FileCheck %s --check-prefix=FOLDER
// RUN: not %rjitlink @nosuchfile 2>&1 | FileCheck %s --check-prefix=MISSING
//
// ALL: main: two words|back slash|q"q|single ' quote|
// ENTRY: other: args.o|
// PLAIN: main: @input|
// ABSENT: main: @absent|
// NONE: main: {{$}}
// AGAIN: rjitlink: error: recursive expansion of: '{{.*}}again'
// FOLDER: rjitlink: error: cannot read the response file 'sub': Is a directory
// MISSING: rjitlink: error: {{.*}}'@nosuchfile'{{.*}}No such file

#include <stdio.h>

static int print(const char *name, int argc, char **argv) {
  printf("%s: ", name);
  for (int i = 1; i < argc; i++)
    printf("%s|", argv[i]);
  printf("\n");
  return 0;
}

int other(int argc, char **argv) { return print("other", argc, argv) + 1; }
int main(int argc, char **argv) { return print("main", argc, argv); }
